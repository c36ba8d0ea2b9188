"""`propono contacts`: profiles from files, and back.

Import and export write and read the data folder itself; the other commands, in
`contact_records`, ask the admin port.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from catalog_store.records import Attribute
from catalog_store.revisions import NothingPublished
from contact_store.errors import ContactStoreError
from contact_store.profiles import ProfileStore
from server.cli.audited import audited
from server.cli.catalog import data_option
from server.cli.contact_records import delete, merge, propositions, show
from server.cli.output import Refusal, output_option, print_json, print_table
from server.data_folder import DataFolder
from server.files.contact_export import export_contacts
from server.files.contact_table import ContactFileError
from server.files.contacts import ImportSummary, import_contacts
from server.requests import UnknownName

_environment = click.option(
    "--environment", "-e", required=True, help="The environment of the contacts."
)


@click.group()
def contacts() -> None:
    """Import and export contacts; show, merge and erase one."""


for _command in (show, propositions, delete, merge):
    contacts.add_command(_command)


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@_environment
@click.option(
    "--key",
    required=True,
    multiple=True,
    metavar="COLUMN",
    help="The column of the contact id, or '#row' for the row's number. Repeat it for"
    " a composite key.",
)
@data_option
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where bad cells are listed.  [default: FILE.rejected.csv]",
)
@click.option("--delimiter", help="Between cells.  [default: found in the header]")
@click.option("--strict", is_flag=True, help="Load nothing when any row is bad.")
@output_option
def import_command(
    file: Path,
    environment: str,
    key: tuple[str, ...],
    data: Path,
    rejects: Path | None,
    delimiter: str | None,
    strict: bool,
    output: str,
) -> None:
    """Load a CSV or Parquet FILE of contacts, all at once.

    Columns are matched by name with the environment's contact attributes. A contact
    imported again is replaced whole.
    """
    with _refusals(), _progress() as bars:
        attributes = _attributes_of(data, environment)
        with (
            audited(data, f"environments/{environment}") as change,
            ProfileStore(DataFolder(data).profiles) as store,
        ):
            summary = import_contacts(
                file,
                environment=environment,
                attributes=attributes,
                key=key,
                store=store,
                rejects=rejects or file.with_name(f"{file.name}.rejected.csv"),
                progress=bars.report,
                delimiter=delimiter,
                strict=strict,
            )
            change.after = {
                "contacts": summary.contacts,
                "rejected_rows": summary.rejected_rows,
            }
    _print(summary, output)
    if not summary.loaded:
        raise Refusal(
            f"{summary.rejected_rows} bad rows, nothing was loaded; see"
            f" {summary.rejects}"
        )


@contacts.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_environment
@click.option(
    "--key", default="contact_id", show_default=True, help="Name of the id's column."
)
@data_option
@output_option
def export_command(
    file: Path, environment: str, key: str, data: Path, output: str
) -> None:
    """Write all contacts to a CSV or Parquet FILE, by its extension."""
    with _refusals(), _progress() as bars:
        attributes = _attributes_of(data, environment)
        with ProfileStore(DataFolder(data).profiles) as store:
            count = export_contacts(
                file,
                environment=environment,
                attributes=attributes,
                key=key,
                store=store,
                progress=lambda done, total: bars.report("writing", done, total),
            )
    if output == "json":
        print_json({"file": str(file), "contacts": count})
    else:
        click.echo(f"{count} contacts in {file}")


def _attributes_of(data: Path, environment: str) -> tuple[Attribute, ...]:
    # Here, because it brings the whole compiler along.
    from server.publication import contact_attributes

    try:
        return contact_attributes(data, environment)
    except NothingPublished as error:
        raise Refusal(
            f"nothing is published in {data}: publish a catalog first, it declares"
            " the attributes of contacts"
        ) from error
    except UnknownName as error:
        raise Refusal(str(error)) from error


def _print(summary: ImportSummary, output: str) -> None:
    values: dict[str, object] = msgspec.to_builtins(summary)
    if output == "json":
        print_json(values)
        return
    rows = [
        (name.replace("_", " "), _shown(value))
        for name, value in values.items()
        if value is not None and value != ()
    ]
    print_table({"import": "left", "": "left"}, rows)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, cast(tuple[object, ...], value)))
    return str(value)


class _Bars:
    """One bar for each stage of the work, on stderr."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def report(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(stage)
        self._progress.update(self._tasks[stage], completed=done, total=total)


@contextmanager
def _progress() -> Generator[_Bars]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        yield _Bars(progress)


@contextmanager
def _refusals() -> Generator[None]:
    """Exit status 1 with the reason, for whatever is not our own mistake."""
    try:
        yield
    except (ContactFileError, ContactStoreError, OSError) as error:
        raise Refusal(str(error)) from error
