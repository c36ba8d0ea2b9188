"""`propono backup` and `propono restore`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.audited import audited
from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json
from server.cli.progress_bars import progress_bars
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from server.backup import BackupManifest


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@data_option
@output_option
def backup(target: Path, data: Path, output: str) -> None:
    """Copy a data folder to a new folder TARGET, while a server serves or not.

    \b
    propono backup /backups/monday --data data

    TARGET appears when it is complete. Everything that was acknowledged before is in
    it, and so are the secret keys of proposition ids: keep it as safe as the data.
    """
    from contact_store.errors import ContactStoreError
    from server.backup import BackupError, back_up

    try:
        with progress_bars() as report:
            now_ms = time.time_ns() // 1_000_000
            manifest = back_up(DataFolder(data), target, now_ms, report)
    except (BackupError, ContactStoreError, OSError) as error:
        raise Refusal(str(error)) from error
    _say(output, "backup", target, manifest)


@click.command()
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="The data folder to make; it must be empty, or not there.",
)
@output_option
def restore(source: Path, data: Path, output: str) -> None:
    """Make a data folder from a backup SOURCE; every byte is verified first.

    \b
    propono restore /backups/monday --data data2
    propono serve --data data2

    Contacts who were erased since the backup are in it again: erase them again. Tokens
    are those of the backup: revoke again what was revoked since.
    """
    from server.backup import BackupError
    from server.backup import restore as restore_backup

    try:
        with progress_bars() as report:
            manifest = restore_backup(source, DataFolder(data), report)
    except (BackupError, OSError) as error:
        raise Refusal(str(error)) from error
    with audited(data, "data") as change:
        # The line in the restored log that says where it comes from.
        change.after = {"backup_made_at_ms": manifest.made_at_ms}
    _say(output, "restored", data, manifest)


def _say(output: str, what: str, path: Path, manifest: "BackupManifest") -> None:
    files = len(manifest.files)
    size_bytes = sum(one.size_bytes for one in manifest.files)
    if output == "json":
        print_json({what: str(path), "files": files, "bytes": size_bytes})
    else:
        click.echo(f"{what}: {path}, {files} files, {size_bytes:,} bytes")
