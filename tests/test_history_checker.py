"""The checker finds what it is for, and nothing in a history that is as it must be."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.hammer import (
    Cap,
    History,
    Limits,
    ProposeCall,
    Quota,
    StatusUpdate,
    Stored,
    UpdateCall,
)
from tests.history_checker import Flaw, violations

#: At most two of `a` and `d` in 100 ms and one `b` for ever, for each contact; two `c`
#: for all of them.
LIMITS = Limits(
    {"burst": Cap(frozenset("ad"), 2, 100), "ever": Cap(frozenset("b"), 1, None)},
    {"scarce": Quota(frozenset("c"), 2)},
    {},
)


def call(
    request: str, asked: str, at: int, *proposed: str, until: int = 0, **fields: Any
) -> ProposeCall:
    """An answered call of Ann's, of one millisecond if nothing else is said."""
    until = until or at + 1
    made = ProposeCall(
        request_id=request,
        contact="ann",
        asked=tuple(asked),
        start_ns=at * 1_000_000,
        start_ms=at,
        end_ns=until * 1_000_000,
        end_ms=until,
        code="OK",
        answer=" ".join(proposed),
        proposed=proposed,
    )
    return msgspec.structs.replace(made, **fields)


def failed(request: str, asked: str, at: int, code: str, **fields: Any) -> ProposeCall:
    return call(request, asked, at, code=code, **fields)


def row(request: str, offer: str, sequence: int, at: int, **fields: Any) -> Stored:
    """A proposition of Ann's, named by offer and sequence."""
    made = Stored(
        proposition_id=f"{offer}{sequence}",
        contact="ann",
        sequence=sequence,
        request_id=request,
        interaction=sequence,
        offer=offer,
        rank=1,
        decided_at_ms=at,
        status="GENERATED",
    )
    return made._replace(**fields)


def update(status: str, event: int, at: int, after: str, **fields: Any) -> UpdateCall:
    """An answered update of the proposition a1."""
    made = UpdateCall(
        request_id=f"u{event}",
        start_ns=at * 1_000_000,
        start_ms=at,
        end_ns=(at + 1) * 1_000_000,
        end_ms=at + 1,
        code="OK",
        answer=after,
        proposition_id="a1",
        status=status,
        event_time_ms=event,
        status_after=after,
    )
    return msgspec.structs.replace(made, **fields)


def flaws(
    calls: Sequence[ProposeCall],
    rows: Sequence[Stored],
    updates: Sequence[UpdateCall] = (),
    used: int | None = None,
) -> set[Flaw]:
    """What is found; the quota's counter says what is stored, if nothing else."""
    counted = sum(one.offer == "c" for one in rows) if used is None else used
    history = History(list(calls), list(updates), list(rows), {"scarce": counted})
    return {one.flaw for one in violations(history, LIMITS)}


#: Two are as many as there may be; a third has to wait for the first to leave.
FULL_CALLS = (call("r1", "a", 10, "a1"), call("r2", "a", 20, "a2"))
FULL_ROWS = (row("r1", "a", 1, 10), row("r2", "a", 2, 20))


def test_a_correct_history_passes() -> None:
    """With retries, unknown ends, denials, updates, and three contacts."""
    calls = [
        *FULL_CALLS,
        call("r3", "a", 110),
        call("r1", "a", 111, "a1"),
        call("r4", "abc", 112, "a3", "b4", "c5"),
        call("r5", "b", 120),
        failed("r6", "c", 125, "CANCELLED", contact="bob"),
        failed("r7", "c", 130, "UNAVAILABLE", contact="bob"),
        call("r8", "c", 140, contact="bob"),
        call("r8", "c", 141, contact="bob"),
        call("r9", "c", 150, contact="eve"),
    ]
    rows = [
        *FULL_ROWS,
        row("r4", "a", 3, 112, interaction=3),
        row("r4", "b", 4, 112, interaction=3, rank=2),
        row("r4", "c", 5, 112, interaction=3, rank=3),
        row("r7", "c", 1, 130, contact="bob", proposition_id="bob-c1"),
    ]
    log = (StatusUpdate("ACCEPTED", 15), StatusUpdate("PRESENTED", 12))
    rows[0] = rows[0]._replace(status="ACCEPTED", updates=log)
    updates = [
        update("ACCEPTED", 15, 200, "ACCEPTED"),
        update("ACCEPTED", 15, 205, "ACCEPTED"),
        update("PRESENTED", 12, 210, "ACCEPTED"),
        update("REJECTED", 13, 220, "", code="DEADLINE_EXCEEDED"),
    ]

    assert flaws(calls, rows, updates) == set()


def test_a_check_outside_the_transaction_is_found() -> None:
    """Two calls at one moment, each of which saw one proposition."""
    calls = [
        call("r1", "a", 10, "a1"),
        call("r2", "a", 20, "a2", until=25),
        call("r3", "a", 20, "a3", until=25),
    ]
    rows = [row("r1", "a", 1, 10), row("r2", "a", 2, 21), row("r3", "a", 3, 21)]

    assert flaws(calls, rows) == {Flaw.CAP_EXCEEDED}


def test_a_lost_update_is_found() -> None:
    """A record written over by a call that had read it before."""
    calls = [
        call("r1", "b", 10, "b1"),
        call("r2", "a", 20, "a2", until=25),
        call("r3", "a", 20, "a2", until=25),
    ]

    assert flaws(calls, [row("r1", "b", 1, 10), row("r3", "a", 2, 21)]) == {Flaw.LOST}


def test_a_retry_that_decides_again_is_found() -> None:
    """Whether the first attempt was answered or not."""
    rows = [row("r1", "a", 1, 10), row("r1", "a", 2, 20)]
    answered = [call("r1", "a", 10, "a1"), call("r1", "a", 20, "a2")]
    unanswered = [failed("r1", "a", 10, "UNAVAILABLE"), call("r1", "a", 20, "a2")]

    assert flaws(unanswered, rows) == {Flaw.STORED_TWICE, Flaw.STORED_UNTOLD}
    assert flaws(answered, rows) == {
        Flaw.STORED_TWICE,
        Flaw.STORED_UNTOLD,
        Flaw.ANSWERS_DIFFER,
    }


@pytest.mark.parametrize(("at", "found"), [(110, {Flaw.CAP_EXCEEDED}), (111, set())])
def test_one_too_many_is_found(at: int, found: set[Flaw]) -> None:
    """One after the other; both ends of a period belong to it."""
    calls = [*FULL_CALLS, call("r3", "a", at, "a3")]

    assert flaws(calls, [*FULL_ROWS, row("r3", "a", 3, at)]) == found


def test_a_cap_of_all_time_and_a_quota_are_checked() -> None:
    """However long ago, and over all contacts."""
    late = 10**9
    twice = [call("r1", "b", 10, "b1"), call("r2", "b", late, "b2")]
    rows = [row("r1", "b", 1, 10), row("r2", "b", 2, late)]
    contacts = ("ann", "bob", "eve")
    thrice = [call(c, "c", 10, c, contact=c) for c in contacts]
    scarce = [row(c, "c", 1, 10, contact=c, proposition_id=c) for c in contacts]

    assert flaws(twice, rows) == {Flaw.CAP_EXCEEDED}
    assert flaws(thrice, scarce) == {Flaw.QUOTA_EXCEEDED}
    assert flaws(thrice[:2], scarce[:2]) == set()
    assert flaws(thrice[:2], scarce[:2], used=1) == {Flaw.QUOTA_MISCOUNTED}


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        # One had left the period.
        ("a", 111),
        # Nobody has had one.
        ("b", 30),
        ("c", 30),
        # A denial of both is one of each.
        ("ab", 30),
    ],
)
def test_an_empty_answer_while_there_is_room_is_found(asked: str, at: int) -> None:
    """Though other limits are full, or this one was."""
    calls = [*FULL_CALLS, call("r3", asked, at)]

    assert flaws(calls, FULL_ROWS) == {Flaw.DENIED_WITHOUT_REASON}


def test_an_empty_answer_may_be_of_any_moment_of_its_call() -> None:
    """Before or after what was under way, but not after what began later."""
    recorded = [call("r1", "a", 10, "a1"), call("r2", "a", 20, "a2", until=40)]
    early = [*recorded, call("r3", "a", 15)]

    assert flaws([*recorded, call("r3", "a", 30)], FULL_ROWS) == set()
    assert flaws(early, FULL_ROWS) == {Flaw.DENIED_WITHOUT_REASON}


def test_an_empty_answer_has_one_moment() -> None:
    """When the third was there, the others were long ago."""
    denied, third = call("r0", "a", 30, until=200), call("r3", "a", 150, "a3")
    rows = [*FULL_ROWS, row("r3", "a", 3, 150)]
    two = [call("r2", "a", 20, "a1"), call("r3", "a", 150, "a2")]
    their_rows = [row("r2", "a", 1, 20), row("r3", "a", 2, 150)]

    assert flaws([*FULL_CALLS, third, denied], rows) == set()
    assert flaws([*two, denied], their_rows) == {Flaw.DENIED_WITHOUT_REASON}


@pytest.mark.parametrize(("at", "is_denied"), [(20, False), (50, True)])
def test_a_quota_denies_once_it_is_full(at: int, is_denied: bool) -> None:
    """Not before, be it full later on."""
    calls = [
        call("r1", "c", 10, "c1"),
        call("r2", "bc", 30, "b2"),
        call("r3", "c", at, "bob-c1", contact="bob"),
    ]
    rows = [
        row("r1", "c", 1, 10),
        row("r2", "b", 2, 30),
        row("r3", "c", 1, at, contact="bob", proposition_id="bob-c1"),
    ]
    found = flaws(calls, rows)

    assert found == ({Flaw.DENIED_WITHOUT_REASON} if is_denied else set())


def test_what_a_call_proposes_counts_in_it() -> None:
    """What ranks higher, and that only."""
    first = call("r1", "a", 10, "a1")
    rows = [row("r1", "a", 1, 10), row("r2", "a", 2, 20)]
    second = call("r2", "ad", 20, "a2")

    assert flaws([first, second], rows) == set()
    assert flaws([first, call("r2", "da", 20, "a2")], rows) == {
        Flaw.DENIED_WITHOUT_REASON
    }


def test_an_offer_that_is_missing_in_an_answer_is_found() -> None:
    """Its place in the record is known, so that there is one moment only."""
    rows = [row("r1", "a", 1, 10), row("r2", "b", 2, 20, rank=1)]
    calls = [call("r1", "a", 10, "a1"), call("r2", "ab", 20, "b2")]

    assert flaws(calls, rows) == {Flaw.DENIED_WITHOUT_REASON}


def test_what_is_acknowledged_and_missing_is_found() -> None:
    """All of an answer, and a part of one."""
    calls = [call("r1", "ab", 10, "a1", "b2")]
    rows = [row("r1", "a", 1, 10)]

    assert flaws(calls, []) == {Flaw.LOST}
    assert flaws(calls, rows) == {Flaw.LOST}
    # Nobody was told of it, and yet it has a number that is missing.
    assert flaws([call("r2", "b", 20, "b2")], [row("r2", "b", 2, 20)]) == {Flaw.LOST}


def test_what_is_stored_and_not_in_the_answer_is_found() -> None:
    """An empty answer is a promise, too."""
    assert flaws([call("r1", "a", 10)], [row("r1", "a", 1, 10)]) == {Flaw.STORED_UNTOLD}


@pytest.mark.parametrize("code", ["UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", ""])
def test_a_call_that_failed_left_all_or_nothing(code: str) -> None:
    """A part of it is found by what was not denied to it."""
    calls = [failed("r1", "ab", 10, code)]
    first = row("r1", "a", 1, 10, interaction=7)
    second = row("r1", "b", 2, 10, interaction=7, rank=2)

    assert flaws(calls, []) == set()
    assert flaws(calls, [first, second]) == set()
    assert flaws(calls, [first]) == {Flaw.DENIED_WITHOUT_REASON}
    assert flaws(calls, [second._replace(sequence=1)]) >= {Flaw.STORED_IN_PART}


def test_what_another_call_came_between_is_found() -> None:
    """A decision is stored in one piece."""
    calls = [call("r1", "ab", 10, "a1", "b3", until=20), call("r2", "a", 10, "a2")]
    rows = [
        row("r1", "a", 1, 10),
        row("r2", "a", 2, 10),
        row("r1", "b", 3, 10, interaction=1, rank=2),
    ]

    assert flaws(calls, rows) == {Flaw.STORED_IN_PART}


def test_an_id_that_is_given_twice_is_found() -> None:
    """A proposition has a name of its own."""
    calls = [call("r1", "a", 10, "x"), call("r2", "a", 20, "x")]
    rows = [one._replace(proposition_id="x") for one in FULL_ROWS]

    assert flaws(calls, rows) == {Flaw.STORED_TWICE}


@pytest.mark.parametrize(
    "stray",
    [
        row("nobody", "b", 1, 10),
        row("r1", "a", 1, 10),
        row("r1", "b", 1, 10, contact="bob"),
    ],
)
def test_what_no_call_asked_for_is_found(stray: Stored) -> None:
    """Of an unknown request, another offer, another contact."""
    assert Flaw.NOBODY_ASKED in flaws([failed("r1", "b", 10, "CANCELLED")], [stray])


def test_what_stands_before_an_earlier_one_is_found() -> None:
    """In a contact's record by its sequence, in the store by its clock."""
    calls = [call("r1", "a", 10, "a3"), call("r2", "b", 20, "b1")]
    calls.append(call("r0", "d", 5, "d2", until=60))
    swapped = [row("r2", "b", 1, 10), row("r0", "d", 2, 20), row("r1", "a", 3, 20)]
    theirs = [call("r1", "a", 10, "a1"), call("r2", "b", 20, "b1", contact="bob")]
    back = [row("r1", "a", 1, 30), row("r2", "b", 1, 20, contact="bob")]
    own = [call("r1", "a", 10, "a1", until=50), call("r2", "b", 10, "b2", until=50)]

    assert flaws(calls, swapped) >= {Flaw.OUT_OF_ORDER}
    assert flaws(theirs, back) == {Flaw.CLOCK_WENT_BACK}
    assert flaws(own, [row("r1", "a", 1, 30), row("r2", "b", 2, 20)]) == {
        Flaw.CLOCK_WENT_BACK
    }
    assert flaws(own, [row("r1", "a", 1, 20), row("r2", "b", 2, 20)]) == set()


def test_a_call_that_was_refused_is_found() -> None:
    """Nothing that the hammer sends is wrong."""
    assert flaws([failed("r1", "a", 10, "INTERNAL")], []) == {Flaw.REFUSED}


ACCEPTED = StatusUpdate("ACCEPTED", 15)
REJECTED = StatusUpdate("REJECTED", 16)


@pytest.mark.parametrize(
    ("log", "status", "found"),
    [
        ((ACCEPTED, REJECTED), "REJECTED", set()),
        ((REJECTED,), "REJECTED", {Flaw.LOST}),
        ((ACCEPTED, REJECTED, REJECTED), "REJECTED", {Flaw.STORED_TWICE}),
        ((ACCEPTED, REJECTED), "ACCEPTED", {Flaw.STATUS_WRONG}),
        # The answer to the second said what only both together make.
        ((REJECTED, ACCEPTED), "REJECTED", {Flaw.OUT_OF_ORDER, Flaw.STATUS_WRONG}),
        (
            (ACCEPTED, REJECTED, StatusUpdate("PRESENTED", 1)),
            "REJECTED",
            {Flaw.NOBODY_ASKED},
        ),
    ],
)
def test_each_update_is_in_the_log_once(
    log: tuple[StatusUpdate, ...], status: str, found: set[Flaw]
) -> None:
    """In the order of real time, and the status is what the log says."""
    updates = [
        update("ACCEPTED", 15, 100, "ACCEPTED"),
        update("REJECTED", 16, 110, "REJECTED"),
    ]
    rows = [row("r1", "a", 1, 10, status=status, updates=log)]

    assert flaws([call("r1", "a", 10, "a1")], rows, updates) == found


def test_retries_of_an_update_are_answered_alike() -> None:
    """Byte for byte."""
    first = update("ACCEPTED", 15, 100, "ACCEPTED")
    again = msgspec.structs.replace(first, answer="something else")
    rows = [row("r1", "a", 1, 10, status="ACCEPTED", updates=(ACCEPTED,))]
    calls = [call("r1", "a", 10, "a1")]

    assert flaws(calls, rows, [first, first]) == set()
    assert flaws(calls, rows, [first, again]) == {Flaw.ANSWERS_DIFFER}
