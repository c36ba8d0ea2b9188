"""What calls and a store, looked at together, show to be wrong.

    requests      calls that share a request id, and what is stored of them
    answers       stored once, as answered, wholly or not at all; retries alike
    order         what was acknowledged before a call began stands before it
    caps, quotas  never exceeded, and nothing denied that had room
    updates       in the log once, in order; the status is what the log says

The store keeps a contact's propositions in the order of their commits, and with each
the request that made it: the order need not be searched for. Only an empty answer has
no place in it, and is tried at each where it may have been. Moments are those of one
machine: a wall clock that is set during a run makes denials look wrong.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from math import inf
from typing import NamedTuple

from tests.cap_checker import caps_of, exceeded, period_ms
from tests.hammer import (
    Cap,
    History,
    Limits,
    ProposeCall,
    StatusUpdate,
    Stored,
    UpdateCall,
)


class Flaw(StrEnum):
    """What can be wrong."""

    CAP_EXCEEDED = "cap exceeded"
    QUOTA_EXCEEDED = "quota exceeded"
    QUOTA_MISCOUNTED = "quota miscounted"
    LOST = "lost"
    STORED_TWICE = "stored twice"
    STORED_UNTOLD = "stored untold"
    STORED_IN_PART = "stored in part"
    NOBODY_ASKED = "nobody asked"
    OUT_OF_ORDER = "out of order"
    CLOCK_WENT_BACK = "clock went back"
    ANSWERS_DIFFER = "answers differ"
    DENIED_WITHOUT_REASON = "denied without reason"
    STATUS_WRONG = "status wrong"
    REFUSED = "refused"


class Violation(NamedTuple):
    flaw: Flaw
    message: str


#: Codes after which nobody knows whether the call was recorded.
UNKNOWN_CODES = {"", "CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE"}


def violations(history: History, limits: Limits) -> list[Violation]:
    """All that is wrong; nothing is when it is empty."""
    requests = _requests(history)
    contacts: dict[str, list[_Request]] = defaultdict(list)
    for request in sorted(requests, key=_Request.sequence):
        contacts[request.contact].append(request)
    return [
        *_refusals(history),
        *_unasked(history),
        *_answers(requests),
        *_order(history, requests, contacts),
        *_exceeded(history, limits),
        *_denials(history, limits, contacts),
        *_updates(history),
    ]


class _Request(NamedTuple):
    """The calls of one request id, and what is stored of it."""

    request_id: str
    contact: str
    asked: tuple[str, ...]
    start_ns: int
    start_ms: int
    #: When its first answer was there; never if there was none.
    acknowledged_ns: float
    acknowledged_ms: float
    #: One of each attempt that was answered.
    answers: tuple[ProposeCall, ...]
    #: By sequence.
    stored: tuple[Stored, ...]

    def sequence(self) -> int:
        return self.stored[0].sequence if self.stored else 0

    def is_as_answered(self) -> bool:
        """Whether all of it is in each answer; of no answer, whether there is any."""
        stored = Counter(one.proposition_id for one in self.stored)
        if not self.answers:
            return bool(stored)
        return all(Counter(call.proposed) == stored for call in self.answers)


def _requests(history: History) -> list[_Request]:
    calls: dict[str, list[ProposeCall]] = defaultdict(list)
    for call in history.proposes:
        calls[call.request_id].append(call)
    stored: dict[str, list[Stored]] = defaultdict(list)
    for one in sorted(history.stored, key=lambda s: s.sequence):
        stored[one.request_id].append(one)
    return [
        _Request(
            request_id,
            attempts[0].contact,
            attempts[0].asked,
            min(call.start_ns for call in attempts),
            min(call.start_ms for call in attempts),
            _first(call.end_ns for call in attempts if call.code == "OK"),
            _first(call.end_ms for call in attempts if call.code == "OK"),
            tuple(call for call in attempts if call.code == "OK"),
            tuple(stored[request_id]),
        )
        for request_id, attempts in calls.items()
    ]


def _first(moments: Iterable[int | None]) -> float:
    return min((m for m in moments if m is not None), default=inf)


def _refusals(history: History) -> Iterator[Violation]:
    for call in (*history.proposes, *history.updates):
        if call.code != "OK" and call.code not in UNKNOWN_CODES:
            yield Violation(Flaw.REFUSED, f"{call.request_id}: {call.code}")


def _unasked(history: History) -> Iterator[Violation]:
    """What is stored and cannot come from any call."""
    asked = {
        (c.request_id, c.contact, offer) for c in history.proposes for offer in c.asked
    }
    for one in history.stored:
        if (one.request_id, one.contact, one.offer) not in asked:
            yield Violation(Flaw.NOBODY_ASKED, str(one))
    for proposition_id, times in Counter(
        s.proposition_id for s in history.stored
    ).items():
        if times > 1:
            yield Violation(Flaw.STORED_TWICE, f"{proposition_id}: {times} times")


def _answers(requests: Iterable[_Request]) -> Iterator[Violation]:
    """Each request's answers against each other, and against what is stored of it."""
    for request in requests:
        name = request.request_id
        if len({call.answer for call in request.answers}) > 1:
            yield Violation(Flaw.ANSWERS_DIFFER, name)
        if len({one.interaction for one in request.stored}) > 1:
            yield Violation(Flaw.STORED_TWICE, f"{name}: by several decisions")
        elif [one.rank for one in request.stored] != [
            *range(1, len(request.stored) + 1)
        ]:
            yield Violation(Flaw.STORED_IN_PART, f"{name}: ranks are missing")
        if any(b.sequence != a.sequence + 1 for a, b in pairwise(request.stored)):
            yield Violation(Flaw.STORED_IN_PART, f"{name}: not one after the other")
        stored = Counter(one.proposition_id for one in request.stored)
        for call in request.answers:
            proposed = Counter(call.proposed)
            if proposed - stored:
                yield Violation(Flaw.LOST, f"{name}: {proposed - stored}")
            if stored - proposed:
                yield Violation(Flaw.STORED_UNTOLD, f"{name}: {stored - proposed}")


class _Placed(NamedTuple):
    """Something at its place in an order, and when it was on its way."""

    name: str
    start_ns: int
    acknowledged_ns: float


def _order(
    history: History,
    requests: Iterable[_Request],
    contacts: dict[str, list[_Request]],
) -> Iterator[Violation]:
    sequences: dict[str, list[int]] = defaultdict(list)
    clocks: dict[str, list[int]] = defaultdict(list)
    for one in sorted(history.stored, key=lambda s: (s.contact, s.sequence)):
        sequences[one.contact].append(one.sequence)
        clocks[one.contact].append(one.decided_at_ms)
    for contact, numbers in sequences.items():
        if numbers != [*range(1, len(numbers) + 1)]:
            yield Violation(Flaw.LOST, f"{contact}: has the sequences {numbers}")
        if clocks[contact] != sorted(clocks[contact]):
            yield Violation(Flaw.CLOCK_WENT_BACK, f"{contact}: {clocks[contact]}")
    for own in contacts.values():
        yield from _real_time(_placed(one) for one in own if one.stored)
    # The clock is the store's: it goes on from contact to contact. Within one moment
    # any order will do.
    recorded = [one for one in requests if one.stored]
    recorded.sort(key=lambda r: (r.stored[0].decided_at_ms, r.start_ns))
    moments = [one.stored[0].decided_at_ms for one in recorded]
    newest_start = -1
    for index, request in enumerate(recorded):
        before = bisect_right(moments, moments[index] - 1)
        if before:
            newest_start = max(newest_start, recorded[before - 1].start_ns)
        if request.acknowledged_ns < newest_start:
            yield Violation(Flaw.CLOCK_WENT_BACK, f"after {request.request_id}")


def _placed(request: _Request) -> _Placed:
    return _Placed(request.request_id, request.start_ns, request.acknowledged_ns)


def _real_time(placed: Iterable[_Placed]) -> Iterator[Violation]:
    """Nobody stands behind somebody who began after it was acknowledged."""
    newest: _Placed | None = None
    for one in placed:
        if newest is not None and one.acknowledged_ns < newest.start_ns:
            message = f"{one.name} stands behind {newest.name}, which began later"
            yield Violation(Flaw.OUT_OF_ORDER, message)
        if newest is None or one.start_ns > newest.start_ns:
            newest = one


def _exceeded(history: History, limits: Limits) -> Iterator[Violation]:
    for one in exceeded(limits, history.proposes, history.stored):
        message = f"{one.name}: {one.count} with {one.stored}"
        yield Violation(Flaw.CAP_EXCEEDED, message)
    for name, quota in limits.quotas.items():
        count = sum(one.offer in quota.offers for one in history.stored)
        if count > quota.limit:
            yield Violation(Flaw.QUOTA_EXCEEDED, f"{name}: {count} of {quota.limit}")
        if history.used[name] != count:
            message = f"{name}: {count} are stored, {history.used[name]} counted"
            yield Violation(Flaw.QUOTA_MISCOUNTED, message)


def _denials(
    history: History, limits: Limits, contacts: dict[str, list[_Request]]
) -> Iterator[Violation]:
    """Offers that were asked for, had room, and are not there.

    A request that was never answered, and of which something is stored, is judged as
    if it was: else it left a part of itself.
    """
    room = _Room(history, limits)
    for own in contacts.values():
        recorded = [one for one in own if one.stored]
        for request in own:
            # What was lost, or stored twice, is found elsewhere.
            if not request.is_as_answered():
                continue
            if not any(
                room.allows_no_more(request, recorded[:place], at_ms, until_ms)
                for place, at_ms, until_ms in _places(request, recorded)
            ):
                made = [one.offer for one in request.stored]
                message = f"{request.request_id}: {made} of {request.asked}"
                yield Violation(Flaw.DENIED_WITHOUT_REASON, message)


def _places(
    request: _Request, recorded: Sequence[_Request]
) -> Iterator[tuple[int, float, float]]:
    """Where a request was decided: after how many, and from when to when.

    An empty answer was decided before what began when it was there. It may have been
    before anything else: the later, the more there was that could deny it.
    """
    if request.stored:
        at_ms = request.stored[0].decided_at_ms
        yield recorded.index(request), at_ms, at_ms
        return
    last = min(
        (n for n, r in enumerate(recorded) if r.start_ns > request.acknowledged_ns),
        default=len(recorded),
    )
    for place in range(last, 0, -1):
        at_ms = max(request.start_ms, recorded[place - 1].stored[0].decided_at_ms)
        yield place, at_ms, request.acknowledged_ms
    yield 0, request.start_ms, request.acknowledged_ms


class _Room:
    """Whether limits had room, judging from what is stored."""

    def __init__(self, history: History, limits: Limits) -> None:
        self._limits = limits
        self._quotas = limits.quotas.values()
        self._taken: list[list[int]] = [
            sorted(s.decided_at_ms for s in history.stored if s.offer in quota.offers)
            for quota in self._quotas
        ]

    def allows_no_more(
        self,
        request: _Request,
        before: Sequence[_Request],
        at_ms: float,
        until_ms: float,
    ) -> bool:
        """Whether there was room for no offer that the request asked for in vain.

        Caps are judged at one moment, the earliest, where they are fullest; quotas,
        which fill up, at the last.
        """
        past = [one for earlier in before for one in earlier.stored]
        made = {one.offer: one for one in request.stored}
        for offer in request.asked:
            if offer in made:
                past.append(made[offer])
            elif not (
                any(
                    _is_capped(caps.values(), offer, past, at_ms)
                    for caps in caps_of(self._limits, request.answers)
                )
                or self._is_gone(offer, until_ms)
            ):
                return False
        return True

    def _is_gone(self, offer: str, at_ms: float) -> bool:
        return any(
            bisect_right(taken, at_ms) >= quota.limit
            for quota, taken in zip(self._quotas, self._taken, strict=True)
            if offer in quota.offers
        )


def _is_capped(
    caps: Iterable[Cap], offer: str, past: Sequence[Stored], at_ms: float
) -> bool:
    return any(
        sum(
            one.offer in cap.offers and one.decided_at_ms >= at_ms - period_ms(cap)
            for one in past
        )
        >= cap.maximum
        for cap in caps
        if offer in cap.offers
    )


def _updates(history: History) -> Iterator[Violation]:
    calls: dict[tuple[str, StatusUpdate], list[UpdateCall]] = defaultdict(list)
    for call in history.updates:
        entry = StatusUpdate(call.status, call.event_time_ms)
        calls[call.proposition_id, entry].append(call)
    logs = {one.proposition_id: one.updates for one in history.stored}
    for (proposition_id, entry), attempts in calls.items():
        name = attempts[0].request_id
        answered = [call for call in attempts if call.code == "OK"]
        times = logs.get(proposition_id, ()).count(entry)
        if len({call.answer for call in answered}) > 1:
            yield Violation(Flaw.ANSWERS_DIFFER, name)
        if answered and not times:
            yield Violation(Flaw.LOST, f"{name}: {attempts[0]}")
        if times > 1:
            yield Violation(Flaw.STORED_TWICE, f"{name}: {times} times in the log")
    for one in history.stored:
        if _status(one.updates) not in (None, one.status):
            yield Violation(Flaw.STATUS_WRONG, str(one))
        placed: list[_Placed] = []
        for index, entry in enumerate(one.updates, 1):
            attempts = calls.get((one.proposition_id, entry))
            if attempts is None:
                yield Violation(Flaw.NOBODY_ASKED, f"{one.proposition_id}: {entry}")
                continue
            for call in attempts:
                if call.code == "OK" and call.status_after != _status(
                    one.updates[:index]
                ):
                    yield Violation(Flaw.STATUS_WRONG, str(call))
            ends = (call.end_ns for call in attempts if call.code == "OK")
            start_ns = min(call.start_ns for call in attempts)
            placed.append(_Placed(attempts[0].request_id, start_ns, _first(ends)))
        yield from _real_time(placed)


def _status(log: Sequence[StatusUpdate]) -> str | None:
    """The later event time wins, then arrival; None when there was no update."""
    latest: StatusUpdate | None = None
    for entry in log:
        if latest is None or (entry.event_time_ms or 0) >= (latest.event_time_ms or 0):
            latest = entry
    return None if latest is None else latest.status
