"""Every peer behind its port, one after the other: compared first, then loaded."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.peers import cerbos, naive, opa, propono, same_stack
from bench.peers.catalog import Attributes
from bench.peers.in_process import check
from bench.peers.installation import NotInstalled
from bench.peers.load import Rate
from bench.peers.processes import NotStarted, cpu_seconds, memory_mb
from bench.peers.target import Target
from bench.peers.work import TOP, Work

IN_FLIGHT = 64


class Served(NamedTuple):
    """One line of the table."""

    what: str
    setup_seconds: float
    memory_mb: float
    #: One call after the other.
    alone: list[Rate]
    #: IN_FLIGHT calls at once.
    full: list[Rate]
    #: Of all processes of the server, for one of many calls in flight.
    cpu_us: float


def measure(work: Work, seconds: float, repeats: int) -> Iterator[Served | str]:
    """Each peer; or why one is left out. Raises WrongAnswer and NoGhz."""
    best_first = work.best_first
    right = [naive.eligible(best_first, contact) for contact in work.contacts]
    with TemporaryDirectory() as scratch:
        for start in _starts(work, Path(scratch)):
            try:
                with start() as target:
                    yield _loaded(target, right, seconds, repeats)
            except (NotInstalled, NotStarted) as absent:
                yield str(absent)


def _starts(
    work: Work, scratch: Path
) -> list[Callable[[], AbstractContextManager[Target]]]:
    sent = scratch / "sent"
    ways = ["outputs"]
    if len(work.offers) <= cerbos.RESOURCES_MAX:
        ways.append("resources")
    return [
        partial(propono.served, work, Attributes.STORED, scratch / "stored"),
        partial(propono.served, work, Attributes.SENT, sent),
        *(
            partial(same_stack.served, work, kind, sent, scratch / kind)
            for kind in same_stack.KINDS
        ),
        *(partial(cerbos.served, work, way, scratch / way) for way in ways),
        partial(opa.served, work, scratch / "opa"),
    ]


def _loaded(
    target: Target, right: Sequence[Sequence[str]], seconds: float, repeats: int
) -> Served:
    check_all(target, right)
    alone = [target.load(1, seconds) for _ in range(repeats)]
    cpu_before = cpu_seconds(target.pid)
    full = [target.load(IN_FLIGHT, seconds) for _ in range(repeats)]
    cpu_us = (cpu_seconds(target.pid) - cpu_before) * 1e6 / sum(r.calls for r in full)
    memory = memory_mb(target.pid)
    # Once more: some peers have been seen to change their minds.
    check_all(target, right)
    return Served(target.what, target.setup_seconds, memory, alone, full, cpu_us)


def check_all(target: Target, right: Sequence[Sequence[str]]) -> None:
    """Ask about every contact; raises WrongAnswer."""
    if target.answers_all:

        def ask(number: int) -> list[str]:
            return sorted(target.ask(number))

        expected = [sorted(names) for names in right]
    else:

        def ask(number: int) -> list[str]:
            return list(target.ask(number))

        expected = [list(names[:TOP]) for names in right]
    check(target.what, ask, range(len(right)), expected)
