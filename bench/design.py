"""Seconds to apply a catalog to the design, from nothing and with one change.

    python -m bench.design --offers 10000

Everything is done as `propono catalog apply` does it in a data folder, and is given in
the CPU time of one core; what waits for the disk is in the wall time beside it.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
from msgspec.structs import replace

from bench.catalogs import Shape, environment
from bench.compiling import edited
from bench.timing import report
from catalog_store.design_records import Ref, catalog_records
from catalog_store.design_store import DesignStore
from catalog_store.records import Catalog, Record, UnixMs
from server.design.applying import Applied, ApplyOptions, apply_catalog
from server.design.editing import DesignEditor
from server.files import read_catalog
from server.files.catalog_export import export_catalog
from server.live.collector import collections_put_off

Made = TypeVar("Made")

#: Limits that the design sets at 10,000 offers, by line of the table.
BARS = {"apply from nothing, files read": "15 s", "apply one change": "1 s"}


class NotTheSame(Exception):
    """What was stored or written is not what was applied."""


def lines_of(offers: int, folder: Path) -> list[dict[str, object]]:
    """Everything in the order in which somebody would do it."""
    record = environment(Shape(offers))
    catalog = Catalog(environments=(record,))
    changed = catalog_records(Catalog(environments=(edited(record),)))
    exported, export_seconds = _timed(lambda: export_catalog(catalog, folder / "files"))
    files, read_seconds = _timed(lambda: read_catalog(folder / "files").catalog)
    records = catalog_records(files)
    _require_equal(records, catalog_records(catalog))
    path = folder / "design"
    with DesignStore(path) as store:
        editor = DesignEditor(store, _now_ms)
        first, first_seconds = _timed(lambda: _apply(editor, records))
        same, same_seconds = _timed(lambda: _apply(editor, records))
        one, one_seconds = _timed(lambda: _apply(editor, changed))
        counts = [len(applied.differences) for applied in (first, same, one)]
        if counts != [len(records), 0, 1]:
            raise NotTheSame(f"changes of three applications: {counts}")
        ref = Ref(record.name, "offers", record.offers[0].name)
        label = replace(record.offers[0], label="another")
        _, edit_seconds = _timed(
            lambda: editor.change("bench", "UpdateOffer", lambda _: {ref: label})
        )
    with DesignStore(path) as store:
        # A command opens the design first, and then changes one record.
        fresh = DesignEditor(store, _now_ms)
        _, open_seconds = _timed(fresh.design)
        back = fresh.design().records
    _require_equal({ref: s.record for ref, s in back.items()}, {**changed, ref: label})
    file_bytes = (path / "data.mdb").stat().st_size
    whole = tuple(a + b for a, b in zip(read_seconds, first_seconds, strict=True))
    return [
        _line(offers, f"write {exported} files", export_seconds),
        _line(offers, "read them", read_seconds),
        _line(offers, "apply from nothing, files read", whole),
        _line(offers, "apply what is there", same_seconds),
        _line(offers, "apply one change", one_seconds),
        _line(offers, "change one offer", edit_seconds),
        _line(offers, "open the design", open_seconds),
        {
            "what": f"{offers:,} offers: file, after one change",
            "CPU": f"{file_bytes / 1e6:.0f} MB",
            "wall": "",
            "bar at 10,000": "",
        },
    ]


def _apply(editor: DesignEditor, records: dict[Ref, Record]) -> Applied:
    return apply_catalog(editor, "bench", records, ApplyOptions())


def _require_equal(one: dict[Ref, Record], other: dict[Ref, Record]) -> None:
    if one != other:
        raise NotTheSame("records differ from those that were applied")


def _timed(make: Callable[[], Made]) -> tuple[Made, tuple[float, ...]]:
    """What is made, and the seconds of CPU time and of the wall clock."""
    # As the command does it.
    with collections_put_off():
        cpu, wall = time.process_time(), time.perf_counter()
        made = make()
        return made, (time.process_time() - cpu, time.perf_counter() - wall)


def _line(offers: int, what: str, seconds: tuple[float, ...]) -> dict[str, object]:
    cpu, wall = (f"{one * 1e3:,.0f} ms" for one in seconds)
    bar = BARS.get(what, "")
    return {
        "what": f"{offers:,} offers: {what}", "CPU": cpu, "wall": wall,
        "bar at 10,000": bar,
    }  # fmt: skip


def _now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)


@click.command()
@click.option("--offers", default=10_000, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(offers: int, output: str) -> None:
    """Time what `propono catalog apply` and `export` do."""
    with tempfile.TemporaryDirectory(prefix="propono-design-") as folder:
        report("Design records", lines_of(offers, Path(folder)), output)


if __name__ == "__main__":
    main()
