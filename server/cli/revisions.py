"""`propono catalog rollback` and `history`, of a data folder or of a server."""

from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.admin_connection import place_options
from server.cli.audited import audited
from server.cli.catalog import audit_published, now_ms, plain, say_published
from server.cli.golden_table import golden_refusal
from server.cli.output import (
    Refusal,
    disk_failures,
    output_option,
    print_json,
    print_table,
)
from server.cli.push import publication_client, remote_history, say_served
from server.cli.scheduled import schedule_json
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from server.wire.scheduling_pb2 import ScheduledPublication


@click.command()
@click.argument("revision", type=click.IntRange(1, 10**12))
@place_options
@output_option
def rollback(
    revision: int,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Publish an earlier revision again, under a new number.

    With --admin-server, the command ends when every worker has switched.

    \b
    propono catalog rollback 1
    """
    from catalog_store.revisions import (
        DamagedRevision,
        PublicationBusy,
        UnknownRevision,
    )

    if admin_server is not None:
        with publication_client(admin_server, token_file, data) as client:
            say_served([(admin_server, client.roll_back(revision))], output)
        return
    from server.golden.failures import GoldenDecisionsFailed
    from server.publication import roll_back

    if not data.is_dir():
        raise Refusal(f"there is no folder {data}: give a server's data folder")
    with audited(data, f"revisions/{revision}") as change:
        try:
            with disk_failures(data, "; nothing was published"):
                manifest = roll_back(
                    DataFolder(data), revision, publisher=getuser(), now_ms=now_ms()
                )
        except GoldenDecisionsFailed as error:
            raise golden_refusal(error, output, "; nothing was published") from None
        except (DamagedRevision, PublicationBusy, UnknownRevision) as error:
            raise Refusal(f"{error}; see `propono catalog history`") from None
        audit_published(change, manifest)
    say_published(manifest, output)


@click.command()
@place_options
@output_option
def history(
    data: Path, admin_server: str | None, token_file: Path | None, output: str
) -> None:
    """List published revisions, newest first, and say what is scheduled."""
    from server.design.remote import RemoteDesign

    if admin_server is not None:
        with publication_client(admin_server, token_file, data) as client:
            rows = remote_history(client)
            scheduled = RemoteDesign(client.channel, client.metadata).scheduled(
                show_ended=True
            )
    else:
        rows = _local_history(data)
        scheduled = _local_scheduled(data)
    number_of: dict[object, str] = {
        one.revision: one.name for one in scheduled if one.revision
    }
    rows = [{**row, "scheduled": number_of.get(row["revision"])} for row in rows]
    if output == "json":
        print_json(rows)
        return
    columns = {"revision": "right", "published": "", "by": "", "offers": "right"}
    columns |= {"rules": "right", "digest": "", "repeats": "right"}
    columns |= {"scheduled": "right", "refused": ""}
    print_table(
        columns,
        [
            (
                *(row[name] for name in ("revision", "published", "publisher")),
                *(row[name] for name in ("offers", "rules")),
                str(row["digest"])[:16],
                row["repeats"] or "",
                str(row["scheduled"] or "").rpartition("/")[2],
                row["refused"] or "",
            )
            for row in rows
        ],
    )
    waiting = [one for one in scheduled if not one.HasField("end_time")]
    if waiting:
        at = schedule_json(waiting[0])["publish_time"]
        click.echo(
            f"{len(waiting)} to come, the next at {at}: `propono catalog scheduled`"
        )


def _local_history(data: Path) -> list[dict[str, object]]:
    from catalog_store.revisions import DamagedRevision, Revisions

    revisions = Revisions(DataFolder(data).catalog)
    try:
        return [
            {**plain(one), "refused": revisions.refusal(one.number)}
            for one in revisions.history()
        ]
    except DamagedRevision as error:
        raise Refusal(f"{error}; see `propono doctor`") from None


def _local_scheduled(data: Path) -> "list[ScheduledPublication]":
    from catalog_store.scheduled_publications import (
        ScheduledPublications,
        ScheduleError,
    )
    from server.design.scheduling import listed

    folder = DataFolder(data)
    try:
        every = ScheduledPublications(folder.scheduled).all()
    except ScheduleError as error:
        raise Refusal(f"{error}; see `propono doctor`") from None
    return listed(every, folder, show_ended=True)
