"""Seconds to compile a catalog, and again; to load it; and the memory it takes.

    python -m bench.compiling --rows 10000

Everything runs on one core; compiling is given in its CPU time. A second compilation
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
from server.live_loading import load_in_steps

Made = TypeVar("Made")

#: Limits that the design sets at 10,000 rows, by line of the table.
BARS = {
    "compile all": "6 s",
    "compile one changed rule": "150 ms",
    "load": "150 ms",
    "load, longest step": "2 ms",
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


def compile_times(rows: int, repeats: int) -> list[dict[str, object]]:
    """Full, unchanged, one rule changed; the answers are compared."""
    record = environment(Shape(rows))
    catalog = Catalog(environments=(record,))
    changed = Catalog(environments=(edited(record),))
    compile_catalog(Catalog(environments=(environment(Shape(10)),)))
    full, first = _timed(lambda: compile_catalog(catalog).catalog, 1)
    same, again = _timed(lambda: compile_catalog(catalog, first).catalog, repeats)
    one, incremental = _timed(lambda: compile_catalog(changed, first).catalog, repeats)
    checked, _ = _timed(lambda: check_catalog(changed), repeats)
    digested, _ = _timed(first.digest, repeats)
    _check_equal(again, first)
    if rows <= 1_000:
        _check_equal(incremental, compile_catalog(changed).catalog)
    lines = {
        "compile all": full,
        "compile one changed rule": one,
        "compile none, all taken": same,
        "of each: check the records": checked,
        "digest": digested,
    }
    return [_line(rows, what, seconds * 1e3, "ms") for what, seconds in lines.items()]


def load_times(rows: int, repeats: int, kept: Path) -> list[dict[str, object]]:
    """The whole and its longest step, as a worker loads while it decides."""
    revisions, manifest = published(Shape(rows), kept)
    best_total, best_longest = float("inf"), float("inf")
    steps = 0
    for _ in range(repeats):
        gc.collect()
        gc.freeze()
        revision = revisions.open(manifest)
        try:
            loading = load_in_steps(revision, manifest)
            longest, total, steps = 0.0, 0.0, 0
            finished = False
            while not finished:
                start = time.perf_counter()
                try:
                    next(loading)
                except StopIteration:
                    finished = True
                taken = time.perf_counter() - start
                longest, total, steps = max(longest, taken), total + taken, steps + 1
        finally:
            revision.close()
            gc.unfreeze()
        best_total, best_longest = min(best_total, total), min(best_longest, longest)
    return [
        _line(rows, "load", best_total * 1e3, "ms"),
        _line(rows, "load, longest step", best_longest * 1e3, "ms"),
        _line(rows, "load, steps", float(steps), ""),
        _line(rows, "file", manifest.file_bytes / 1e6, "MB"),
    ]


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
    loading = load_in_steps(revision, manifest)
    for _ in loading:
        pass
    revision.close()
    gc.collect()
    print(msgspec.json.encode({**memory_mb(), "empty_mb": empty}).decode())


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
