"""Whether caps were kept, each decision judged by the revision that decided it.

An answer names its revision. What nobody was told of may be of any: it is wrong
only if it is wrong under all of them.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import NamedTuple

from tests.hammer import Cap, Limits, ProposeCall, Stored


class Exceeded(NamedTuple):
    """A proposition that stands beyond a cap."""

    name: str
    stored: Stored
    count: int


def period_ms(cap: Cap) -> float:
    return inf if cap.period_ms is None else cap.period_ms


def caps_of(
    limits: Limits, answers: Iterable[ProposeCall]
) -> tuple[Mapping[str, Cap], ...]:
    """What may have been in force for a request, whatever of it was answered."""
    told = tuple(limits.caps_of_revision.get(call.revision) for call in answers)
    known = tuple(caps for caps in told if caps is not None)
    return known or (*limits.caps_of_revision.values(),) or (limits.caps,)


def exceeded(
    limits: Limits, proposes: Iterable[ProposeCall], stored: Iterable[Stored]
) -> Iterator[Exceeded]:
    answers: dict[str, list[ProposeCall]] = defaultdict(list)
    for call in proposes:
        if call.code == "OK":
            answers[call.request_id].append(call)
    every = (limits.caps, *limits.caps_of_revision.values())
    scopes = {cap.offers for caps in every for cap in caps.values()}
    moments: dict[tuple[str, frozenset[str]], list[int]] = defaultdict(list)
    for one in sorted(stored, key=lambda s: (s.contact, s.sequence)):
        for scope in scopes:
            if one.offer in scope:
                insort(moments[one.contact, scope], one.decided_at_ms)
        possible = caps_of(limits, answers[one.request_id])
        for name in possible[0]:
            caps = [caps[name] for caps in possible if one.offer in caps[name].offers]
            counts = [
                _count(cap, one, moments[one.contact, cap.offers]) for cap in caps
            ]
            if caps and all(
                count > cap.maximum for count, cap in zip(counts, caps, strict=True)
            ):
                yield Exceeded(name, one, max(counts))


def _count(cap: Cap, last: Stored, moments: list[int]) -> int:
    """With a proposition, the last so far, those that count against a cap."""
    return len(moments) - bisect_left(moments, last.decided_at_ms - period_ms(cap))
