"""Caps that change while decisions are made: each is judged by its own revision."""

import pytest

from tests.hammer import Cap, History, Limits, ProposeCall
from tests.history_checker import Flaw, violations
from tests.test_history_checker import call, row

#: Two, then one, then three, for ever.
REVISIONS = {
    number: {"ever": Cap(frozenset("a"), maximum, None)}
    for number, maximum in ((1, 2), (2, 1), (3, 3))
}
LIMITS = Limits(REVISIONS[1], {}, REVISIONS)


def decided(number: int, revision: int) -> ProposeCall:
    """A call that was answered with `a`, the contact's next."""
    return call(f"r{number}", "a", 10 * number, f"a{number}", revision=revision)


def found(*revisions: int, denied_by: int | None = None) -> set[Flaw]:
    """The flaws of as many decisions, and of an empty answer after them."""
    calls = [decided(n, revision) for n, revision in enumerate(revisions, 1)]
    stored = [row(f"r{n}", "a", n, 10 * n) for n in range(1, len(calls) + 1)]
    if denied_by is not None:
        at = 10 * len(calls) + 10
        calls.append(call("empty", "a", at, revision=denied_by))
    history = History(calls, [], stored, {})
    return {one.flaw for one in violations(history, LIMITS)}


@pytest.mark.parametrize("revisions", [(1, 1), (1, 3, 3), (2, 1, 3), (3, 3, 3)])
def test_what_each_revision_allowed_passes(revisions: tuple[int, ...]) -> None:
    """Whatever the revision after it allows."""
    assert found(*revisions) == set()


@pytest.mark.parametrize("revisions", [(1, 2), (3, 3, 1), (2, 2), (3, 3, 3, 3)])
def test_the_cap_of_another_revision_is_found(revisions: tuple[int, ...]) -> None:
    """The last decision would have been right under one before or behind it."""
    assert found(*revisions) == {Flaw.CAP_EXCEEDED}


@pytest.mark.parametrize(
    ("revisions", "denied_by", "flaws"),
    [
        ((1,), 2, set()),
        ((1, 1), 1, set()),
        ((1, 1), 3, {Flaw.DENIED_WITHOUT_REASON}),
        ((2,), 1, {Flaw.DENIED_WITHOUT_REASON}),
    ],
)
def test_a_denial_by_another_revision_is_found(
    revisions: tuple[int, ...], denied_by: int, flaws: set[Flaw]
) -> None:
    """Only the cap of the revision that the empty answer names can excuse it."""
    assert found(*revisions, denied_by=denied_by) == flaws


def test_what_nobody_was_told_of_may_be_of_any_revision() -> None:
    """It is wrong when it is beyond the loosest."""
    untold = call("r2", "a", 20, code="UNAVAILABLE")
    stored = [row(f"r{n}", "a", n, 10 * n) for n in (1, 2)]
    history = History([decided(1, 2), untold], [], stored, {})

    assert violations(history, LIMITS) == []
