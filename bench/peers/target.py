"""A peer that is up, and how to ask it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.peers.load import Rate


class Target(NamedTuple):
    """One line of the table."""

    what: str
    #: Seconds from the rules to the first answer.
    setup_seconds: float
    #: Its first process.
    pid: int
    #: The offers of contact n.
    ask: Callable[[int], Sequence[str]]
    #: Whether it answers with all eligible offers in any order, or with the best.
    answers_all: bool
    #: So many calls in flight, for so many seconds.
    load: Callable[[int, float], Rate]
