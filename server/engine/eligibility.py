"""Whether a contact may be proposed an offer at all: windows and rules."""

from collections.abc import Sequence

from compiler.runtime.interpreter import EvaluationError, Slots
from compiler.runtime.linker import LinkedRule
from server.engine.live_catalog import LiveEnvironment, LiveOffer


class Conditions:
    """The answers of an environment's rules for one call.

    A rule is evaluated when it is first asked for, and at most once: rules of
    categories are shared by all their offers.
    """

    def __init__(
        self,
        rules: Sequence[LinkedRule],
        contact: Slots,
        context: Slots,
    ) -> None:
        self._rules = rules
        self._contact = contact
        self._context = context
        self._known: dict[int, bool] = {}
        self._weights: dict[int, float | None] = {}

    def holds(self, number: int) -> bool:
        """Whether a condition is true; an error counts as not true."""
        known = self._known.get(number)
        if known is None:
            try:
                known = (
                    self._rules[number].evaluate(self._contact, self._context) is True
                )
            except EvaluationError:
                known = False
            self._known[number] = known
        return known

    def weight(self, number: int) -> float | None:
        """What a formula gives; None when it raises."""
        if number not in self._weights:
            try:
                weight = self._rules[number].evaluate(self._contact, self._context)
            except EvaluationError:
                weight = None
            self._weights[number] = weight
        return self._weights[number]


def eligible(
    environment: LiveEnvironment,
    candidates: int,
    conditions: Conditions,
    at_ms: int,
) -> list[LiveOffer]:
    """Those of a set of offers whose window is open and whose rules all hold.

    In catalog order; empty when the environment does not serve the contact.
    """
    if environment.rule is not None and not conditions.holds(environment.rule):
        return []
    offers: list[LiveOffer] = []
    while candidates:
        lowest = candidates & -candidates
        candidates ^= lowest
        offer = environment.offers[lowest.bit_length() - 1]
        if offer.window.includes(at_ms) and all(map(conditions.holds, offer.rules)):
            offers.append(offer)
    return offers
