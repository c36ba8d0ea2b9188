"""Explanations of random calls, against the reference and against the engine itself.

A longer run: PROPONO_EXPLAIN_CATALOGS=1000 PROPONO_EXPLAIN_SEED=7 pytest -s this file.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from catalog_store.records import Environment
from server.engine.call import Call
from server.engine.decision import Decision, decide
from server.engine.explanation.changes import ChangeKind, apply
from server.engine.explanation.offers import OfferExplanation, explain_offers
from server.engine.explanation.reasons import ReasonCode
from server.engine.explanation.summary import CategorySummary, summarize
from tests.bank import live
from tests.explained_calls import Case, CaseDice, FirstDrop, as_history

CATALOGS = int(os.environ.get("PROPONO_EXPLAIN_CATALOGS", "40"))
SEED = int(os.environ.get("PROPONO_EXPLAIN_SEED", "1"))
CALLS_PER_CATALOG = 6


class Explained(NamedTuple):
    """A random call, its decision, and the explanation of every offer."""

    seed: int
    record: Environment
    case: Case
    decision: Decision
    offers: tuple[OfferExplanation, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}, call {self.case.call.seed}"


@cache
def explained() -> tuple[Explained, ...]:
    print(f"PROPONO_EXPLAIN_SEED={SEED}")
    return tuple(_explained())


def _explained() -> Iterator[Explained]:
    for seed in range(SEED, SEED + CATALOGS):
        dice = CaseDice(seed)
        record = dice.explained_environment()
        with TemporaryDirectory() as folder:
            decides = live(Path(folder), record).environments["bank"]
        for number in range(CALLS_PER_CATALOG):
            case = dice.case(decides, record, number)
            decision = decide(case.call)
            everyone = range(len(record.offers))
            offers = tuple(explain_offers(case.call, decision, everyone))
            yield Explained(seed, record, case, decision, offers)


def test_an_offer_has_no_reasons_exactly_when_it_is_proposed() -> None:
    """Of every offer in every space of every call."""
    examples: Counter[bool] = Counter()
    for one in explained():
        for place, decided in enumerate(one.decision.spaces):
            ranks = {c.scored.offer.number: c.rank for c in decided.chosen}
            for explanation in one.offers:
                in_space = explanation.spaces[place]
                is_proposed = explanation.offer in ranks
                examples[is_proposed] += 1

                assert (in_space.reasons == ()) is is_proposed, str(one)
                assert in_space.rank == ranks.get(explanation.offer), str(one)
    # Not a comparison of nothing.
    assert min(examples.values()) > 3 * CATALOGS


def test_the_first_reason_is_where_the_reference_drops_the_offer() -> None:
    """And every code comes up but that of templates, which these catalogs lack."""
    met: Counter[ReasonCode] = Counter()
    references: dict[int, FirstDrop] = {}
    for one in explained():
        reference = references.setdefault(one.seed, FirstDrop(one.record))
        for place in range(len(one.decision.spaces)):
            for explanation, offer in zip(one.offers, one.record.offers, strict=True):
                reasons = explanation.spaces[place].reasons
                first = reasons[0].code if reasons else None
                expected = reference.first_drop(one.case, one.decision, place, offer)

                assert expected == first, f"{one}, {offer.name}, {place}"
                met.update(reason.code for reason in reasons)
    assert set(met) == set(ReasonCode) - {ReasonCode.NOT_RENDERED}


def test_reasons_stand_in_the_order_of_the_pipeline() -> None:
    """So that the first is the first, and windows do not hide among rules."""
    order = list(ReasonCode)
    windows = {ReasonCode.WINDOW_NOT_OPEN_YET, ReasonCode.WINDOW_CLOSED}
    for one in explained():
        for explanation in one.offers:
            for in_space in explanation.spaces:
                places = [
                    order.index(ReasonCode.WINDOW_CLOSED if c in windows else c)
                    for c in (reason.code for reason in in_space.reasons)
                ]

                assert places == sorted(places), str(one)


def test_the_changes_make_the_offer_eligible() -> None:
    """Asked for by itself, with the page recorded: it is proposed."""
    kinds: Counter[ChangeKind] = Counter()
    for one in explained():
        for explanation in one.offers:
            for place, in_space in enumerate(explanation.spaces):
                if not in_space.is_applicable:
                    continue
                kinds.update(change.kind for change in in_space.changes)
                changed = apply(
                    one.case.call, place, explanation.name, in_space.changes
                )
                alone = _alone(one, changed, place, explanation.name)

                assert decide(alone).spaces[0].chosen != (), (
                    f"{one}, {explanation.name}, {place}: {in_space.advice}"
                )
    assert min(kinds[kind] for kind in set(ChangeKind) - {ChangeKind.DESIGN}) > 0


def _alone(one: Explained, changed: Call, place: int, name: str) -> Call:
    """Nobody else is asked for, and what the page showed is recorded."""
    others = frozenset(offer.name for offer in one.record.offers) - {name}
    return changed._replace(
        spaces=(changed.spaces[place]._replace(max_propositions=1),),
        excluded=(changed.excluded & {name}) | others,
        history=as_history(one.case.call, one.decision, place),
    )


def test_the_changes_of_the_page_leave_only_what_the_page_decides() -> None:
    """In the call itself, with places for all: proposed, or the page is against it."""
    of_page = {
        *(ReasonCode.SHOWN_IN_SPACE, ReasonCode.SHOWN_ELSEWHERE),
        *(ReasonCode.PRESENTATION_RULE, ReasonCode.QUOTA, ReasonCode.OUTRANKED),
    }
    found = 0
    for one in explained():
        for explanation in one.offers:
            for place, in_space in enumerate(explanation.spaces):
                if not in_space.is_applicable:
                    continue
                found += 1
                call = apply(one.case.call, place, explanation.name, in_space.changes)
                roomy = tuple(s._replace(max_propositions=100) for s in call.spaces)
                call = call._replace(spaces=roomy)
                (after,) = explain_offers(call, decide(call), [explanation.offer])
                left = {reason.code for reason in after.spaces[place].reasons}

                assert left <= of_page, f"{one}, {explanation.name}, {place}"
    assert found > 100


def test_the_summary_counts_first_reasons() -> None:
    """Exactly those of the offers explained one by one, node by node."""
    for one in explained():
        summary = _summary(one.case.call, one.decision)
        expected = _counted(one)

        assert expected == {
            (s.place, s.category): (s.offers, s.proposed, dict(s.first_reasons))
            for s in summary
        }, str(one)


def _summary(call: Call, decision: Decision) -> tuple[CategorySummary, ...]:
    steps = summarize(call, decision)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def _counted(
    one: Explained,
) -> dict[tuple[int, str], tuple[int, int, dict[ReasonCode, int]]]:
    category_of = {offer.name: offer.category for offer in one.record.offers}
    firsts: dict[tuple[int, str], Counter[ReasonCode | None]] = {}
    for explanation in one.offers:
        for place, in_space in enumerate(explanation.spaces):
            first = in_space.reasons[0].code if in_space.reasons else None
            key = place, category_of[explanation.name]
            firsts.setdefault(key, Counter())[first] += 1
    return {
        key: (
            counts.total(),
            counts[None],
            {code: count for code, count in counts.items() if code is not None},
        )
        for key, counts in firsts.items()
    }
