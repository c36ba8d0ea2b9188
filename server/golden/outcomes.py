"""What came out of a golden decision, held against what is expected."""

from collections.abc import Sequence

from catalog_store.golden_decisions import GoldenDecision, GoldenSpace
from server.engine.call import Call
from server.engine.decision import Decision, SpaceDecision, decide
from server.engine.explanation.offers import explain_offers
from server.engine.history_slots import KnownNames
from server.engine.live_catalog import LiveEnvironment
from server.golden.calls import golden_call
from server.golden.failures import GoldenFailure
from server.golden.tied import tied_offers

#: Offers of one space whose absence is explained, and reasons told of each.
_EXPLAINED_MAX = 5
_REASONS_MAX = 3


def failures_of(
    golden: GoldenDecision, environment: LiveEnvironment, names: KnownNames
) -> list[GoldenFailure]:
    """Decide, and tell each space that did not show what is expected.

    Raises LookupError and ValueError for what the compiler would have refused.
    """
    call = golden_call(golden, environment, names)
    decision = decide(call)
    found: list[GoldenFailure] = []
    for place, expected in enumerate(golden.spaces):
        decided = decision.spaces[place]
        reasons = _reasons(expected, place, call, decision)
        if reasons is not None:
            found.append(
                GoldenFailure(
                    environment.name,
                    golden.name,
                    expected.name,
                    _expected_text(expected),
                    _got_text(decided),
                    tuple(reasons),
                )
            )
    return found


def _reasons(
    expected: GoldenSpace, place: int, call: Call, decision: Decision
) -> list[str] | None:
    """Why a space fails; None if it does not."""
    decided = decision.spaces[place]
    got = [one.scored.offer.name for one in decided.chosen]
    unwanted = [name for name in got if name in expected.absent]
    reasons = [f"{name} must not be proposed" for name in unwanted]
    is_open = bool(expected.absent) and not expected.expected
    if is_open or matches(expected.expected, got, expected.places):
        if not is_open and not reasons:
            tied = tied_offers(expected, place, call, decided)
            if tied is not None:
                one, other = tied
                reasons.append(
                    f"{one} and {other} have equal weights, and the draw may change"
                    f" them: write [{one}, {other}] in one place, or weigh them apart"
                )
        return reasons or None
    missing = [name for group in expected.expected for name in group if name not in got]
    return reasons + _explained(missing[:_EXPLAINED_MAX], place, call, decision)


def matches(expected: Sequence[Sequence[str]], got: Sequence[str], places: int) -> bool:
    """Whether offers came out as expected.

    Each group has as many places as it has offers, while there are places.
    """
    at = 0
    for group in expected:
        count = min(len(group), places - at)
        shown = got[at : at + count]
        if len(shown) < count or not set(shown) <= set(group):
            return False
        at += count
    return at == len(got)


def _explained(
    names: Sequence[str], place: int, call: Call, decision: Decision
) -> list[str]:
    """Why each of some offers is not proposed in a space, by its first reasons."""
    numbers = [call.environment.offer_numbers[name] for name in names]
    told: list[str] = []
    for one in explain_offers(call, decision, numbers):
        reasons = one.spaces[place].reasons
        shown = [reason.message for reason in reasons[:_REASONS_MAX]]
        if len(reasons) > _REASONS_MAX:
            shown.append(f"and {len(reasons) - _REASONS_MAX} more reasons")
        told.append(f"{one.name}: {'; '.join(shown)}")
    return told


def _expected_text(expected: GoldenSpace) -> str:
    parts = [
        group[0] if len(group) == 1 else f"[{', '.join(group)}]"
        for group in expected.expected
    ]
    if expected.absent:
        parts.append(f"not {', not '.join(expected.absent)}")
    return ", ".join(parts) or "nothing"


def _got_text(decided: SpaceDecision) -> str:
    shown = [
        f"{one.scored.offer.name} ({one.scored.weight:g})" for one in decided.chosen
    ]
    return ", ".join(shown) or "nothing"
