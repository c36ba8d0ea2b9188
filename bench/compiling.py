"""Seconds to compile a catalog, and again; to load it; and the memory it takes.

    python -m bench.compiling --rows 10000

Everything runs on one core, and is given in its CPU time. A second compilation
is given the first one, as a publication gives the current revision.
"""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from bench.catalogs import Shape, environment
from bench.revisions import KEPT, ROOT, published
from bench.timing import memory_mb, report
from catalog_store.compiled import CompiledCatalog
from catalog_store.records import Catalog, Environment
from compiler.catalog_check import check_catalog
from compiler.revision import compile_catalog
from server.live.collector import collections_put_off, full_collections_put_off
from server.live.released import release_in_steps
from server.live.source import Steps
from server.live_loading import load, load_in_steps

Made = TypeVar("Made")

#: Limits that the design sets at 10,000 rows, by line of the table.
BARS = {
    "compile all": "6 s",
    "compile one changed rule": "150 ms",
    "load": "150 ms",
    "load, longest step": "2 ms",
    "release, longest step": "2 ms",
    "memory of a process that has loaded it": "150 MB",
}


class NotTheSame(Exception):
    """A compilation with a previous one differs from that without."""


def edited(record: Environment) -> Environment:
    """The same catalog with another rule on the offer in the middle."""
    middle = len(record.offers) // 2
    offer = record.offers[middle]
    row = msgspec.structs.replace(offer.weights[0], rule="contact.age >= 18")
    offer = msgspec.structs.replace(offer, weights=(row, *offer.weights[1:]))
    offers = (*record.offers[:middle], offer, *record.offers[middle + 1 :])
    return msgspec.structs.replace(record, offers=offers)


def relabelled(record: Environment) -> Environment:
    """The same catalog with another label on the offer in the middle, and no more."""
    middle = len(record.offers) // 2
    offer = msgspec.structs.replace(record.offers[middle], label="another")
    offers = (*record.offers[:middle], offer, *record.offers[middle + 1 :])
    return msgspec.structs.replace(record, offers=offers)


def compile_times(rows: int, repeats: int) -> list[dict[str, object]]:
    """Full, unchanged, one rule or one label changed; the answers are compared."""
    record = environment(Shape(rows))
    catalog = Catalog(environments=(record,))
    changed = Catalog(environments=(edited(record),))
    compile_catalog(Catalog(environments=(environment(Shape(10)),)))
    # As a publication does it.
    with collections_put_off():
        full, first = _timed(lambda: compile_catalog(catalog).catalog, 1)
        same, again = _timed(lambda: compile_catalog(catalog, first).catalog, repeats)
        one, incremental = _timed(
            lambda: compile_catalog(changed, first).catalog, repeats
        )
        label = Catalog(environments=(relabelled(record),))
        other, _ = _timed(lambda: compile_catalog(label, first).catalog, repeats)
        accepted = {one.environment.name: one.environment for one in first.environments}
        checked, _ = _timed(lambda: check_catalog(changed, accepted), repeats)
        digested, _ = _timed(first.digest, repeats)
    _check_equal(again, first)
    if rows <= 1_000:
        _check_equal(incremental, compile_catalog(changed).catalog)
    lines = {
        "compile all": full,
        "compile one changed rule": one,
        "compile one changed label": other,
        "compile none, all taken": same,
        "of each: check the records": checked,
        "digest": digested,
    }
    return [_line(rows, what, seconds * 1e3, "ms") for what, seconds in lines.items()]


def load_times(rows: int, repeats: int, kept: Path) -> list[dict[str, object]]:
    """The whole and its longest step, as a worker loads while it decides; and back."""
    revisions, manifest = published(Shape(rows), kept)
    loads: list[list[float]] = []
    releases: list[list[float]] = []
    for _ in range(repeats):
        gc.collect()
        gc.freeze()
        revision = revisions.open(manifest)
        try:
            with full_collections_put_off():
                live, steps = _stepped(load_in_steps(revision, manifest))
        finally:
            revision.close()
        loads.append(steps)
        held = [live]
        del live
        _, steps = _stepped(release_in_steps(held))
        releases.append(steps)
        gc.unfreeze()
    return [
        _line(rows, "load", min(map(sum, loads)) * 1e3, "ms"),
        _line(rows, "load, longest step", min(map(max, loads)) * 1e3, "ms"),
        _line(rows, "load, steps", float(len(loads[0])), ""),
        _line(rows, "release", min(map(sum, releases)) * 1e3, "ms"),
        _line(rows, "release, longest step", min(map(max, releases)) * 1e3, "ms"),
        _line(rows, "file", manifest.file_bytes / 1e6, "MB"),
    ]


def _stepped(steps: Steps[Made]) -> tuple[Made, list[float]]:
    """What a generator returns, and the seconds of CPU time of each of its steps."""
    seconds: list[float] = []
    while True:
        start = time.thread_time()
        try:
            next(steps)
        except StopIteration as done:
            return done.value, seconds
        finally:
            seconds.append(time.thread_time() - start)


def memory(rows: int, kept: Path) -> list[dict[str, object]]:
    """Of a process of its own that has loaded the revision and nothing else."""
    published(Shape(rows), kept)
    command = ["-m", "bench.compiling", "--only-load", str(rows), "--kept", str(kept)]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=True, capture_output=True
    )
    found = msgspec.json.decode(done.stdout, type=dict[str, float])
    return [
        _line(rows, "memory of a process that has loaded it", found["rss_mb"], "MB"),
        _line(rows, "its highest while loading", found["peak_mb"], "MB"),
        _line(rows, "of it before loading", found["empty_mb"], "MB"),
    ]


def weigh(rows: int, kept: Path) -> None:
    """What `memory` runs; prints JSON."""
    empty = memory_mb()["rss_mb"]
    revisions, manifest = published(Shape(rows), kept)
    revision = revisions.open(manifest)
    with full_collections_put_off():
        # Held until it is weighed.
        live = load(revision, manifest)
    revision.close()
    gc.collect()
    print(msgspec.json.encode({**memory_mb(), "empty_mb": empty}).decode())
    del live


def _check_equal(one: CompiledCatalog, other: CompiledCatalog) -> None:
    if one != other or one.digest() != other.digest():
        raise NotTheSame("compiled with a previous revision, the catalog differs")


def _timed(make: Callable[[], Made], repeats: int) -> tuple[float, Made]:
    """The shortest of some runs, in seconds of this process's CPU time, and its result.

    Others may use the machine meanwhile; the wall clock would count them in.
    """
    best = float("inf")
    while True:
        gc.collect()
        start = time.process_time()
        made = make()
        best = min(best, time.process_time() - start)
        repeats -= 1
        if repeats <= 0:
            return best, made


def _line(rows: int, what: str, figure: float, unit: str) -> dict[str, object]:
    return {
        "what": f"{rows:,} rows: {what}",
        "figure": figure,
        "unit": unit,
        "bar at 10,000": BARS.get(what, ""),
    }


@click.command()
@click.option("--rows", multiple=True, type=int, default=(10_000,), show_default=True)
@click.option("--load-rows", multiple=True, type=int, default=(), help="Only loaded.")
@click.option("--repeats", default=5, show_default=True, help="The best one counts.")
@click.option("--kept", type=click.Path(path_type=Path), default=KEPT)
@click.option("--only-load", type=int, hidden=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    rows: tuple[int, ...],
    load_rows: tuple[int, ...],
    repeats: int,
    kept: Path,
    only_load: int | None,
    output: str,
) -> None:
    """Time compiling and loading, and weigh what was loaded."""
    if only_load is not None:
        weigh(only_load, kept)
        return
    lines: list[dict[str, object]] = []
    for size in rows:
        lines += compile_times(size, repeats)
    for size in (*rows, *load_rows):
        lines += load_times(size, repeats, kept) + memory(size, kept)
    report("Compiling and loading", lines, output)


if __name__ == "__main__":
    main()
