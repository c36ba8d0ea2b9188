"""What can be wrong with stored values, one constructor for each mistake.

A flaw says what is to be written to make it good, where that needs no guess. A value
that nobody can read is kept in a file before anything takes its place.
"""

from typing import NamedTuple


class Write(NamedTuple):
    """One change of a table; None removes the key."""

    table: str
    key: bytes
    value: bytes | None


class Flaw(NamedTuple):
    """Something wrong with one value."""

    what: str
    #: What makes it good, in words; empty when nothing does without a guess.
    remedy: str = ""
    writes: tuple[Write, ...] = ()
    #: Whether the value is kept in a file first, since what is written replaces it.
    is_quarantined: bool = False


def unreadable(reason: str) -> Flaw:
    """Nothing says what it was, and it cannot be left out either."""
    return Flaw(f"{reason}: restore a backup")


def damaged(
    reason: str, remedy: str, table: str, key: bytes, value: bytes | None = None
) -> Flaw:
    """It is kept in a file, and removed or replaced, so that work goes on."""
    return Flaw(reason, remedy, (Write(table, key, value),), is_quarantined=True)


def one_way(missing: str, write: Write) -> Flaw:
    """The other direction of a pair is not there, and follows from this one."""
    return Flaw(f"{missing} is missing", f"add {missing}", (write,))


def leads_nowhere(what: str, table: str, key: bytes) -> Flaw:
    """An entry that no longer means anything."""
    return Flaw(what, "remove it", (Write(table, key, None),))


def wrong_number(what: str, is_now: int, should_be: int, write: Write) -> Flaw:
    return Flaw(
        f"{what} is {is_now}, and should be {should_be}", f"set {should_be}", (write,)
    )


def only_seen(what: str) -> Flaw:
    """Wrong, and to be decided by people."""
    return Flaw(what)
