"""`propono catalog diff --contacts`: who would gain and lose which offer."""

import json
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from server.cli.decisions import context_of
from server.cli.output import Refusal, disk_failures, print_json, print_table
from server.cli.progress_bars import progress_bars

if TYPE_CHECKING:
    from datetime import datetime

    from catalog_store.records import Attribute, Catalog
    from server.contact_differences import Side, Tally
    from server.engine.live_catalog import LiveCatalog, LiveEnvironment
    from server.files.contact_rows import ContactRows

_COUNTS = ("before", "after", "gained", "lost", "up", "down", "unchanged")


class Questions(NamedTuple):
    """What is asked for every contact of a file."""

    contacts: Path
    key: str
    space: str
    environment: str | None
    max_propositions: int
    context: tuple[str, ...]
    at: "datetime | None"
    details: Path | None


def diff_contacts(
    before: "Catalog", after: "Catalog", questions: Questions, output: str
) -> None:
    """Decide for every contact with both catalogs, and show what differs."""
    from server.contact_differences import Tally
    from server.files.contact_rows import ContactRows
    from server.files.contact_table import ContactFileError

    tally = Tally()
    with ExitStack() as held:
        report = held.enter_context(progress_bars())
        lives = [held.enter_context(_live(c)) for c in _compiled(before, after)]
        places = [_environment(one, questions) for one in lives]
        sides = _sides(places, questions)
        details = _details(held, questions.details)
        try:
            rows = ContactRows(questions.contacts, questions.key, _attributes(places))
            _compare(rows, sides, tally, details, report)
        except (ContactFileError, OSError) as error:
            raise Refusal(str(error)) from None
    _show(tally, rows.rejected, output)


def _compare(
    rows: "ContactRows",
    sides: "list[Side]",
    tally: "Tally",
    details: IO[str] | None,
    report: Callable[[str, int, int], None],
) -> None:
    from server.contact_differences import difference

    def progress(done: int, total: int) -> None:
        report("deciding", done, total)

    first, second = sides
    for contact_id, values in rows.read(progress):
        before, after = first.shown(values), second.shown(values)
        found = difference(before, after)
        tally.add(before, after, found)
        if found is not None and details is not None:
            line = {"contact": contact_id, **found._asdict()}
            details.write(json.dumps(line, ensure_ascii=False) + "\n")


def _compiled(before: "Catalog", after: "Catalog") -> Generator[Any]:
    """Rules that both have are compiled once."""
    from compiler.revision import compile_catalog
    from compiler.source import Refused

    previous = None
    for catalog in (before, after):
        try:
            previous = compile_catalog(catalog, previous).catalog
        except Refused as refused:
            raise Refusal(str(refused)) from None
        yield previous


@contextmanager
def _live(compiled: Any) -> "Generator[LiveCatalog]":
    from tempfile import gettempdir

    from server.golden.trial import loaded

    with disk_failures(Path(gettempdir())), loaded(compiled) as (_, live):
        yield live


def _environment(catalog: "LiveCatalog", questions: Questions) -> "LiveEnvironment":
    name = questions.environment or catalog.default_environment
    found = catalog.environments.get(name or "")
    if found is None:
        known = ", ".join(catalog.environments)
        raise Refusal(f"no environment {name!r}: name one of {known} with -e")
    if questions.space not in found.spaces:
        known = ", ".join(found.spaces)
        raise Refusal(f"{found.name} has no space {questions.space!r}; known: {known}")
    return found


def _sides(places: "list[LiveEnvironment]", questions: Questions) -> "list[Side]":
    from google.protobuf.json_format import ParseDict
    from google.protobuf.struct_pb2 import Struct

    from server.contact_differences import Asked, Side
    from server.context_values import check_context

    at_ms = time.time_ns() // 1_000_000
    if questions.at is not None:
        at_ms = int(questions.at.timestamp() * 1_000)
    context = ParseDict(context_of(questions.context), Struct())
    sides: list[Side] = []
    for place in places:
        # What only one of them declares is absent in the other.
        schemas = [place.context_attributes, *(p.context_attributes for p in places)]
        values, wrong = check_context(context, schemas)
        if wrong:
            raise Refusal("; ".join(f"{w.field} {w.description}" for w in wrong))
        count = questions.max_propositions
        sides.append(Side(place, Asked(questions.space, count, values, at_ms)))
    return sides


def _attributes(places: "list[LiveEnvironment]") -> "list[Attribute]":
    """Those of both; one that has another type in each cannot be read."""
    found: dict[str, Attribute] = {}
    for place in places:
        for one in place.contact_attributes:
            known = found.setdefault(one.name, one)
            if known.type != one.type:
                raise Refusal(
                    f"contact.{one.name} is {known.type} in one and {one.type} in the"
                    " other: contacts of one file cannot be decided for with both"
                )
    return list(found.values())


def _details(held: ExitStack, path: Path | None) -> IO[str] | None:
    if path is None:
        return None
    with disk_failures(path.parent):
        return held.enter_context(path.open("w", encoding="utf-8"))


def _show(tally: "Tally", rejected: int, output: str) -> None:
    rows = [
        {"offer": name, **{kind: getattr(counts, kind) for kind in _COUNTS}}
        for name, counts in tally.by_change()
    ]
    if output == "json":
        print_json(
            {
                "contacts": tally.contacts,
                "changed": tally.changed,
                "rejected_rows": rejected,
                "offers": rows,
            }
        )
        return
    if rows:
        columns = {"offer": ""} | dict.fromkeys(_COUNTS, "right")
        print_table(
            columns,
            [(row["offer"], *(f"{row[kind]:,}" for kind in _COUNTS)) for row in rows],
        )
    left_out = f"; {rejected:,} rows were left out" if rejected else ""
    click.echo(
        f"{tally.changed:,} of {tally.contacts:,} contacts see something else{left_out}"
    )
