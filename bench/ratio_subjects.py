"""What `bench.ratios` times, and what with."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from bench import ghz, served_rows
from bench.catalogs import Shape, callers, environment
from bench.echo_server import STACKS
from bench.matching import TOP, check, rule_by_hand
from bench.revisions import calls, loaded, published
from bench.row_by_row import all_matching, rows_best_first
from catalog_store.records import Catalog
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.data_folder import DataFolder
from server.decision_service import DecisionService
from server.engine.decision import decide
from server.live_loading import load
from server.transport import parse
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell, load_current, system_sources

ROOT = Path(__file__).parent.parent
#: Small enough to be compiled each time, large enough to need an index.
SHAPE = Shape(600)
COMPILED = Shape(10, seed=5)
#: Of what is served.
OFFERS, CONTACTS = 60, 50


class Pair(NamedTuple):
    """Two things to time in turn."""

    ours: Callable[[], object]
    other: Callable[[], object]


def yardstick() -> int:
    """What an interpreter does all day, some 50 us of it: never to be changed."""
    counted: dict[str, int] = {}
    for number in range(60):
        name = f"name_{number % 17}"
        counted[name] = counted.get(name, 0) + number
    bits = 0
    for name, count in sorted(counted.items(), key=_second):
        bits |= 1 << (count % 97)
        bits ^= len(name)
    while bits:
        bits &= bits - 1
    return sum(counted.values())


def _second(item: tuple[str, int]) -> int:
    return item[1]


def pairs(folder: Path, stack: ExitStack) -> dict[str, Pair]:
    """By name; what they need is made in the folder, and given back by the stack."""
    subject = loaded(SHAPE, folder)
    people = callers(SHAPE, CONTACTS)
    rows = rows_best_first(subject)
    check(subject, rows, people)
    revisions, manifest = published(SHAPE, folder)
    revision = revisions.open(manifest)
    stack.callback(revision.close)
    compiled = Catalog(environments=(environment(COMPILED),))
    asked = cycle(calls(subject, people, TOP))
    by_rows = cycle(calls(subject, people, TOP))
    rule, by_hand, slots = rule_by_hand(people)

    def row_by_row() -> object:
        call = next(by_rows)
        return all_matching(rows, call.contact, call.context, TOP)

    return {
        "a decision to the yardstick": Pair(lambda: decide(next(asked)), yardstick),
        "a decision to row by row": Pair(lambda: decide(next(asked)), row_by_row),
        "a rule to a lambda": Pair(lambda: rule.fast(*slots), lambda: by_hand(*slots)),
        "compiling 10 rows to the yardstick": Pair(
            lambda: compile_catalog(compiled), yardstick
        ),
        "loading 600 rows to the yardstick": Pair(
            lambda: load(revision, manifest), yardstick
        ),
        "a dry run, without gRPC, to the yardstick": Pair(
            _dry_run(folder, stack), yardstick
        ),
    }


def _dry_run(folder: Path, stack: ExitStack) -> Callable[[], object]:
    """Calls of a service in this process, from a request's bytes to an answer's."""
    data = folder / "data"
    data.mkdir()
    served_rows.published(data, OFFERS, CONTACTS, folder)
    place = DataFolder(data)
    history = stack.enter_context(HistoryStore(place.history))
    profiles = stack.enter_context(ProfileStore(place.profiles))
    cell = CatalogCell()
    load_current(Revisions(place.catalog), cell)
    service = DecisionService(cell, history, profiles, system_sources())
    requests = cycle(
        served_rows.request(number).SerializeToString()
        for number in range(1, CONTACTS + 1)
    )

    def call() -> object:
        return service.propose(parse(pb.ProposeRequest, next(requests)), "anyone")

    assert isinstance(call(), bytes)
    return call


def served() -> dict[str, float]:
    """Ratios of calls over a port, from `bench.echo`; raises NoGhz."""
    ghz.find()
    command = [sys.executable, "-m", "bench.echo", "--offers", "10000"]
    done = subprocess.run(
        [*command, "--output", "json"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    rows = json.loads(done.stdout.splitlines()[-1])["results"]
    rate = {row["what"]: float(row["calls/s"]) for row in rows}
    fastest = max(rate[f"echo, {stack}"] for stack in STACKS)
    return {
        "served: an echo's calls to dry runs": fastest / rate["dry run"],
        "served: dry runs to recorded calls": rate["dry run"] / rate["recorded"],
    }
