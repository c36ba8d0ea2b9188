"""`propono catalog scheduled` and `cancel`: what is to be published later."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.admin_connection import place_options
from server.cli.catalog_design import reached_design
from server.cli.design_place import Place
from server.cli.output import output_option, print_json, print_table

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from server.wire.scheduling_pb2 import ScheduledPublication


@click.command()
@click.option("--all", "show_ended", is_flag=True, help="Those that have ended, too.")
@place_options
@output_option
def scheduled(
    show_ended: bool,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """List what is to be published later, the next first.

    One that is outdated will be refused at its time: something else was published since
    it was scheduled.
    """
    with reached_design(Place(data, admin_server, token_file)) as design:
        found = [schedule_json(o) for o in design.scheduled(show_ended=show_ended)]
    if output == "json":
        print_json(found)
        return
    if not found:
        click.echo("nothing is scheduled")
        return
    columns = {"id": "right", "at": "", "by": "", "design": "right", "offers": "right"}
    columns |= {"digest": "", "state": "", "revision": "right", "": ""}
    print_table(
        columns,
        [
            (
                str(one["name"]).rpartition("/")[2],
                *(one[key] for key in ("publish_time", "publisher")),
                *(one[key] for key in ("design_version", "offers")),
                str(one["digest"])[:16],
                one["state"],
                one["revision"] or "",
                "outdated" if one["outdated"] else one["reason"],
            )
            for one in found
        ],
    )


@click.command()
@click.argument("number", metavar="ID", type=click.IntRange(1, 10**12 - 1))
@place_options
@output_option
def cancel(
    number: int,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Do not publish what is scheduled.

    \b
    propono catalog scheduled
    propono catalog cancel 3
    """
    name = f"scheduledPublications/{number}"
    place = Place(data, admin_server, token_file)
    with reached_design(place, is_change=True, resource=name) as design:
        cancelled = design.cancel(name)
    if output == "json":
        print_json(schedule_json(cancelled))
    else:
        click.echo(f"{name} is cancelled")


def moment(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> datetime | None:
    """A time with its zone, as ISO 8601 has it; raises click.BadParameter."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not a time such as 2026-12-01T00:00+01:00"
        ) from None
    if found.tzinfo is None:
        # Whose midnight, of all the machines that this may be said on?
        raise click.BadParameter(
            f"{value!r} has no time zone: add Z for UTC, or an offset such as +01:00"
        )
    return found


def schedule_json(one: "ScheduledPublication") -> dict[str, object]:
    """One for scripts."""
    from server.wire.scheduling_pb2 import ScheduleState

    state = ScheduleState.Name(one.state).removeprefix("SCHEDULE_STATE_").lower()
    return {
        "name": one.name,
        "publish_time": _text(one.publish_time),
        "create_time": _text(one.create_time),
        "publisher": one.publisher,
        "design_version": one.design_version,
        "offers": one.offer_count,
        "rules": one.rule_count,
        "digest": one.digest,
        "state": state,
        "reason": one.reason,
        "end_time": _text(one.end_time) if one.HasField("end_time") else None,
        "revision": one.revision or None,
        "base_revision": one.base_revision,
        "outdated": one.outdated,
    }


def _text(time: "Timestamp") -> str:
    return time.ToDatetime().isoformat(timespec="seconds") + "+00:00"
