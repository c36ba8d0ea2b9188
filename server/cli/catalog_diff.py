"""`propono catalog diff`: what two revisions, the design or files differ in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cli.catalog import data_option
from server.cli.catalog_design import reached_design, read_files
from server.cli.design_place import Place, stages
from server.cli.output import Refusal, output_option, print_json, print_table
from server.cli.scheduled import moment
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from catalog_store.records import Catalog

_SIGNS = {"create": "+", "update": "~", "delete": "-"}


@click.command()
@click.argument("before")
@click.argument("after")
@click.option(
    "--contacts",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Decide for the contacts of a CSV or Parquet file: who gains and loses what.",
)
@click.option(
    "--key",
    default="#row",
    show_default=True,
    metavar="COLUMN",
    help="The column of the contact id, or the row's number.",
)
@click.option("--space", help="Where: with --contacts.")
@click.option("--environment", "-e", help="Default: the default environment.")
@click.option(
    "--max",
    "max_propositions",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="N",
)
@click.option(
    "--context",
    multiple=True,
    metavar="K=V",
    help="A context attribute; V is JSON, or a text. Repeat.",
)
@click.option(
    "--at",
    callback=moment,
    metavar="TIME",
    help="When, such as 2026-12-01T00:00+01:00.  [default: now]",
)
@click.option(
    "--details",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a JSON line for each contact that sees something else.",
)
@data_option
@output_option
def diff(
    before: str,
    after: str,
    contacts: Path | None,
    space: str | None,
    data: Path,
    output: str,
    **asked: Any,
) -> None:
    """Show what makes one catalog another: + has it only after, - only before.

    Each is the number of a revision, `current`, `design`, `design@` and the number of a
    change for the design after it, or a folder of files.

    \b
    propono catalog diff current design
    propono catalog diff design@41 design@42
    propono catalog diff 1 current
    propono catalog diff current examples/bank/catalog
    propono catalog diff current design --contacts clients.csv --space web_home_hero
    """
    if (contacts is None) != (space is None):
        raise click.UsageError("--contacts and --space go together")
    if contacts is not None and space is not None:
        from server.cli.contact_diff import Questions, diff_contacts

        sides = _catalog(before, data), _catalog(after, data)
        diff_contacts(
            *sides, Questions(contacts=contacts, space=space, **asked), output
        )
        return
    from catalog_store.design_records import catalog_records
    from server.design.comparing import compare

    with stages() as report:
        report("reading", 0, 0)
        sides = [catalog_records(_catalog(side, data)) for side in (before, after)]
    found = compare(*sides)
    if output == "json":
        print_json(
            [
                {"action": one.action.value, "name": one.name, "fields": one.fields}
                for one in found
            ]
        )
        return
    if not found:
        click.echo("nothing differs")
        return
    print_table(
        {"": "", "record": "", "fields": ""},
        [(_SIGNS[o.action.value], o.name, ", ".join(o.fields)) for o in found],
    )


def _catalog(side: str, data: Path) -> "Catalog":
    """Raises Refusal."""
    design_, _, version = side.partition("@")
    if design_ == "design" and (side == "design" or version.isdecimal()):
        with reached_design(Place(data, None, None)) as design:
            return design.catalog(int(version[:18] or 0))
    if side == "current" or (side.isascii() and side.isdecimal()):
        return _published(data, None if side == "current" else int(side[:18]))
    path = Path(side)
    if not path.is_dir():
        raise Refusal(
            f"{side!r} is no revision and no folder: give a number, `current`,"
            " `design`, or a folder of a catalog's files"
        )
    return read_files(path).catalog


def _published(data: Path, number: int | None) -> "Catalog":
    from catalog_store.records import Catalog
    from catalog_store.revisions import (
        DamagedRevision,
        NothingPublished,
        Revisions,
        UnknownRevision,
    )

    if not data.is_dir():
        raise Refusal(f"there is no folder {data}: give a server's data folder")
    revisions = Revisions(DataFolder(data).catalog)
    try:
        manifest = revisions.current() if number is None else revisions.manifest(number)
        revision = revisions.open(manifest)
        try:
            compiled = revision.catalog()
        finally:
            revision.close()
    except (DamagedRevision, NothingPublished, UnknownRevision) as error:
        raise Refusal(f"{error}; see `propono catalog history`") from None
    environments = tuple(one.environment for one in compiled.environments)
    return Catalog(environments=environments)
