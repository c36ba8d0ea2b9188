"""`propono catalog rollback` and `history`, of a data folder or of a server."""

from getpass import getuser
from pathlib import Path

import click

from server.cli.admin_connection import place_options
from server.cli.audited import audited
from server.cli.catalog import audit_published, now_ms, plain, say_published
from server.cli.output import (
    Refusal,
    disk_failures,
    output_option,
    print_json,
    print_table,
)
from server.cli.push import publication_client, remote_history, say_served
from server.data_folder import DataFolder


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
    from server.publication import roll_back

    if not data.is_dir():
        raise Refusal(f"there is no folder {data}: give a server's data folder")
    with audited(data, f"revisions/{revision}") as change:
        try:
            with disk_failures(data, "; nothing was published"):
                manifest = roll_back(
                    DataFolder(data), revision, publisher=getuser(), now_ms=now_ms()
                )
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
    """List published revisions, newest first."""
    if admin_server is not None:
        with publication_client(admin_server, token_file, data) as client:
            rows = remote_history(client)
    else:
        rows = _local_history(data)
    if output == "json":
        print_json(rows)
        return
    columns = {"revision": "right", "published": "", "by": "", "offers": "right"}
    columns |= {"rules": "right", "digest": "", "repeats": "right", "refused": ""}
    print_table(
        columns,
        [
            (
                *(row[name] for name in ("revision", "published", "publisher")),
                *(row[name] for name in ("offers", "rules")),
                str(row["digest"])[:16],
                row["repeats"] or "",
                row["refused"] or "",
            )
            for row in rows
        ],
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
