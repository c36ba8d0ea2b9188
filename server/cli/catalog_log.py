"""`propono catalog log` and `show`: who changed the design, and what it was before."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.admin_connection import place_options
from server.cli.catalog_design import reached_design
from server.cli.design_place import Place
from server.cli.output import output_option, print_json, print_table

if TYPE_CHECKING:
    from server.wire import admin_pb2 as pb

_LIMIT_MAX = 100_000
#: Of one change in the table.
_SHOWN_MAX = 3


@click.command()
@click.argument("name", required=False)
@click.option(
    "--limit",
    type=click.IntRange(1, _LIMIT_MAX),
    default=20,
    show_default=True,
    help="Changes at most.",
)
@place_options
@output_option
def log(
    name: str | None,
    limit: int,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """List changes of the design, newest first; of one record if it is named.

    \b
    propono catalog log
    propono catalog log environments/recipient/offers/gold_card
    """
    from server.wire import admin_pb2 as pb

    request = pb.ListDesignChangesRequest(record=name or "")
    found: list[pb.RecordedChange] = []
    with reached_design(Place(data, admin_server, token_file)) as design:
        while len(found) < limit:
            request.page_size = min(1_000, limit - len(found))
            page = design.log(request)
            found += page.design_changes
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if output == "json":
        print_json([_json(one) for one in found])
        return
    if not found:
        click.echo("nothing was changed")
        return
    columns = {"change": "right", "at": "", "by": "", "method": "", "records": ""}
    print_table(columns, [row for one in found for row in _rows(one)])


@click.command()
@click.argument("name")
@click.option(
    "--at",
    "version",
    type=click.IntRange(1, 10**15),
    metavar="CHANGE",
    help="As it was after that change.  [default: as it is]",
)
@place_options
@output_option
def show(
    name: str,
    version: int | None,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Show a record of the design, as it is or as it was.

    \b
    propono catalog show environments/recipient/offers/gold_card --at 42
    """
    from google.protobuf.json_format import MessageToDict

    from server.wire import admin_pb2 as pb

    request = pb.GetDesignRecordRequest(name=name, design_version=version)
    with reached_design(Place(data, admin_server, token_file)) as design:
        answer = design.record(request)
    field = answer.WhichOneof("record")
    assert field is not None
    found = MessageToDict(getattr(answer, field), preserving_proto_field_name=True)
    if output == "json":
        print_json({**found, "design_version": answer.design_version})
        return
    rows = [(key, _cell(value)) for key, value in found.items()]
    print_table({"field": "", "value": ""}, [*rows, ("change", answer.design_version)])


def _cell(value: object) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(one: "pb.RecordedChange") -> str:
    text = one.change_time.ToDatetime().isoformat(timespec="seconds")
    return f"{text}+00:00"


def _rows(one: "pb.RecordedChange") -> list[tuple[object, ...]]:
    """One for each record that is shown."""
    from server.cli.catalog_plan import SIGNS

    shown = [
        f"{SIGNS[each.action]} {each.name}"
        + (f" ({', '.join(each.fields)})" if each.fields else "")
        for each in one.changes[:_SHOWN_MAX]
    ]
    # In the log of one record, only that one is there.
    more = one.record_count - len(shown)
    if more:
        shown.append(f"and {more} more")
    head = (one.number, _time(one), one.author, one.method)
    return [(*(head if n == 0 else [""] * 4), text) for n, text in enumerate(shown)]


def _json(one: "pb.RecordedChange") -> dict[str, object]:
    from server.cli.catalog_plan import changes_json

    return {
        "change": one.number,
        "time": _time(one),
        "author": one.author,
        "method": one.method,
        "record_count": one.record_count,
        "changes": changes_json(one.changes),
    }
