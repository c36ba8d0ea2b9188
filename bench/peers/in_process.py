"""Microseconds of one answer in this process: what matching costs without a wire."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from bench import matching
from bench.catalogs import Caller
from bench.peers import catalog, naive, zen_table
from bench.peers.catalog import Attributes
from bench.peers.installation import NotInstalled
from bench.peers.work import TOP, Work
from bench.revisions import calls
from bench.row_by_row import Row, all_matching, first_matching, rows_best_first
from bench.timing import Times
from server.engine.call import Call
from server.engine.decision import decide

Asked = TypeVar("Asked")

#: The lines of the table that others are compared with.
MATCH, PLAIN_LOOP = "propono: match and best 3", "plain loop: every offer"


class WrongAnswer(Exception):
    """A peer and the judge do not agree; says for whom."""


class Measured(NamedTuple):
    """One line of the table."""

    what: str
    #: From the rules to the first answer.
    setup_seconds: float
    times: Times


def measure(work: Work, seconds: float) -> Iterator[Measured | str]:
    """Each way in turn, compared first; or why one is left out. Raises WrongAnswer."""
    best_first = work.best_first
    right = [naive.best(best_first, contact) for contact in work.contacts]
    with TemporaryDirectory() as scratch:
        yield from _propono(work, right, Path(scratch), seconds)
    try:
        yield from _zen(work, right, seconds)
    except NotInstalled as absent:
        yield str(absent)
    yield _timed(
        "naive: every condition, interpreted",
        0.0,
        partial(naive.best, best_first),
        work.contacts,
        seconds,
    )


def check(
    what: str,
    ask: Callable[[Asked], Sequence[str]],
    asked: Sequence[Asked],
    right: Sequence[Sequence[str]],
) -> None:
    """Ask about every contact; raises WrongAnswer."""
    for number, (one, expected) in enumerate(zip(asked, right, strict=True)):
        actual = ask(one)
        if actual != expected:
            raise WrongAnswer(f"{what}: contact {number}: {actual}, not {expected}")


def _propono(
    work: Work, right: Sequence[Sequence[str]], data: Path, seconds: float
) -> Iterator[Measured]:
    began = time.perf_counter()
    catalog.publish(work, Attributes.STORED, data)
    loaded = catalog.loaded(data)
    setup = time.perf_counter() - began
    people = [Caller(catalog.slots(contact), (), ()) for contact in work.contacts]
    asked = calls(loaded, people, TOP)
    names = [offer.name for offer in loaded.record.offers]

    def decided(call: Call) -> list[str]:
        return [names[one.scored.offer.number] for one in decide(call).spaces[0].chosen]

    check("propono", decided, asked, right)
    yield _timed("propono: a whole decision", setup, decide, asked, seconds)
    yield _timed(MATCH, setup, matching.best, asked, seconds)
    rows = rows_best_first(loaded)
    for what, ask in (
        (PLAIN_LOOP, all_matching),
        ("plain loop: best first, until 3", first_matching),
    ):

        def looped(
            call: Call, ask: Callable[..., list[int]] = ask, rows: list[Row] = rows
        ) -> list[str]:
            return [names[n] for n in ask(rows, call.contact, call.context, TOP)]

        check(what, looped, asked, right)
        yield _timed(what, setup, looped, asked, seconds)


def _zen(
    work: Work, right: Sequence[Sequence[str]], seconds: float
) -> Iterator[Measured]:
    for what, hit_policy, count in (
        ("zen: every offer (collect)", "collect", TOP),
        ("zen: the best one only (first)", "first", 1),
    ):
        began = time.perf_counter()
        ask = zen_table.engine(work, hit_policy)
        ask(work.contacts[0])
        setup = time.perf_counter() - began
        check(what, ask, work.contacts, [names[:count] for names in right])
        yield _timed(what, setup, ask, work.contacts, seconds)


def _timed(
    what: str,
    setup: float,
    ask: Callable[[Asked], object],
    asked: Sequence[Asked],
    seconds: float,
) -> Measured:
    return Measured(what, setup, Times.of(ask, asked, seconds))
