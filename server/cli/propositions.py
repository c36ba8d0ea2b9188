"""`propono propositions`: what was proposed, for those who analyse it."""

from collections.abc import Mapping
from pathlib import Path

import click

from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json
from server.cli.progress_bars import progress_bars
from server.data_folder import DataFolder


@click.group()
def propositions() -> None:
    """Export what was proposed, and what became of it."""


@propositions.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@data_option
@output_option
def export_command(folder: Path, data: Path, output: str) -> None:
    """Write all propositions to Parquet files below a new FOLDER, one folder a day.

    \b
    propono propositions export propositions --data data

    A server may serve meanwhile; each contact is as it was at one moment. Offers,
    categories and spaces have the names of the published catalog, and a hash.
    """
    from contact_store.errors import ContactStoreError
    from contact_store.history import HistoryStore
    from server.files.proposition_export import ExportRefused, export_propositions

    source = DataFolder(data)
    if not source.history.exists():
        raise Refusal(f"{data} holds no history: give a server's data folder")
    try:
        with progress_bars() as report, HistoryStore(source.history) as store:
            exported = export_propositions(
                store,
                _names(source),
                folder,
                lambda done, total: report("contacts", done, total),
            )
    except (ContactStoreError, ExportRefused, OSError) as error:
        raise Refusal(str(error)) from error
    if output == "json":
        print_json({"folder": str(folder), **exported._asdict()})
    else:
        click.echo(
            f"{exported.propositions:,} propositions of {exported.contacts:,} contacts,"
            f" {exported.days:,} days, in {folder}"
        )
    if exported.damaged:
        raise Refusal(
            f"{exported.damaged} damaged records are not in it: see `propono doctor`"
        )


def _names(folder: DataFolder) -> Mapping[int, str]:
    """Of offers, categories and spaces, by hash; none when nothing is published."""
    from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
    from server.live_loading import load
    from server.resource_names import known_names

    revisions = Revisions(folder.catalog)
    names: dict[int, str] = {}
    try:
        manifest = revisions.current()
        revision = revisions.open(manifest)
        try:
            catalog = load(revision, manifest)
        finally:
            revision.close()
    except NothingPublished:
        return names
    except DamagedRevision as error:
        raise Refusal(str(error)) from error
    for environment in catalog.environments.values():
        names.update(known_names(environment).of_hash())
    return names
