"""`propono catalog apply` and `export`: between files and the design."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from server.cli.admin_connection import admin_client, place_options
from server.cli.audited import audited
from server.cli.catalog import catalog as catalog
from server.cli.catalog import path_argument
from server.cli.catalog_plan import plan_json, print_plan, summary
from server.cli.design_place import Place, stages
from server.cli.output import Refusal, output_option, print_json
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from catalog_store.design_records import Ref
    from catalog_store.records import Catalog, Record
    from compiler.source import Diagnostic
    from server.design.applying import ApplyOptions
    from server.files import CatalogFiles
    from server.wire import admin_pb2 as pb
    from server.wire.scheduling_pb2 import ScheduledPublication


@catalog.command()
@path_argument
@click.option("--yes", "-y", is_flag=True, help="Apply without a question.")
@click.option("--dry-run", is_flag=True, help="Show the plan only.")
@click.option(
    "--prune", is_flag=True, help="Delete from the design what the files do not have."
)
@place_options
@output_option
def apply(
    path: Path,
    yes: bool,
    dry_run: bool,
    prune: bool,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Make the design what a catalog's files say, all of it or nothing.

    Shows what would be created (+), changed (~, with its fields) and, with --prune,
    deleted (-); then asks. `propono catalog publish` publishes what was applied.

    \b
    propono catalog apply examples/bank/catalog
    propono catalog apply examples/bank/catalog --prune --yes
    """
    from server.design.applying import ApplyOptions

    place = Place(data, admin_server, token_file)
    with stages() as report:
        report("reading files", 0, 0)
        files = read_files(path)
    options = ApplyOptions(prune=prune)
    if not yes or dry_run:
        plan = _applied(place, files, options._replace(validate_only=True))
        _show(plan, output)
        if dry_run or not plan.changes:
            return
        if not sys.stdin.isatty() or not click.confirm("Apply this?", err=True):
            raise Refusal("nothing was applied; --yes applies it without a question")
        # The very plan that was shown, or nothing.
        options = options._replace(design_version=plan.design_version)
    done = _applied(place, files, options)
    if yes:
        _show(done, output)
    if output == "table" and done.changes:
        click.echo(f"applied as version {done.design_version} of the design")


@catalog.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--at",
    "version",
    type=click.IntRange(0, 10**15),
    default=0,
    metavar="CHANGE",
    help="As it was after that change.  [default: as it is]",
)
@place_options
def export(
    path: Path,
    version: int,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
) -> None:
    """Write the design to files, in a new folder.

    The same files applied change nothing. Zones are not in them. What --at writes makes
    the design that again: `propono catalog apply PATH --prune`.

    \b
    propono catalog export bank
    """
    from server.files.catalog_export import ExportRefused, export_catalog

    place = Place(data, admin_server, token_file)
    with stages() as report:
        report("reading the design", 0, 0)
        with reached_design(place) as design:
            found = design.catalog(version)
        if not found.environments:
            raise Refusal("the design is empty; begin with `propono catalog apply`")
        report("writing files", 0, 0)
        try:
            count = export_catalog(found, path)
        except ExportRefused as error:
            raise Refusal(str(error)) from None
    offers = sum(len(one.offers) for one in found.environments)
    click.echo(
        f"{path}: {len(found.environments)} environments, {offers} offers, in {count}"
        " files"
    )


class ReachedDesign(Protocol):
    """In a data folder, or over the admin port."""

    def apply(
        self,
        records: "Mapping[Ref, Record]",
        options: "ApplyOptions",
        progress: Callable[[int, int], None],
    ) -> "pb.ApplyCatalogResponse": ...

    def catalog(self, version: int = 0) -> "Catalog": ...

    def log(
        self, request: "pb.ListDesignChangesRequest"
    ) -> "pb.ListDesignChangesResponse": ...

    def record(
        self, request: "pb.GetDesignRecordRequest"
    ) -> "pb.GetDesignRecordResponse": ...

    def publish(
        self, request: "pb.PublishRequest", progress: Callable[[int, int], None]
    ) -> "pb.PublishResponse": ...

    def scheduled(self, *, show_ended: bool) -> "list[ScheduledPublication]": ...

    def cancel(self, name: str) -> "ScheduledPublication": ...

    def ask(self, method: str, request: Any) -> Any: ...

    def environments_with_approvals(self) -> list[str]: ...


@contextmanager
def reached_design(
    place: Place, *, is_change: bool = False, resource: str = "catalog"
) -> "Generator[ReachedDesign]":
    """What goes wrong on the way is our refusal; a change is in the audit log."""
    from catalog_store.design_errors import DesignStoreError
    from catalog_store.revisions import DamagedRevision, PublicationBusy
    from catalog_store.scheduled_publications import ScheduleError
    from server.design.local import local_design
    from server.design.remote import CannotBeSent, RemoteDesign
    from server.golden.failures import GoldenDecisionsFailed
    from server.requests import (
        DesignChanged,
        InvalidRequest,
        NotPublishable,
        OtherSource,
    )

    try:
        if place.admin_server is None:
            audit = audited(place.data, resource) if is_change else nullcontext()
            with local_design(DataFolder(place.data)) as design, audit:
                yield design
        else:
            server, token_file = place.admin_server, place.token_file
            with admin_client(server, token_file, place.data) as client:
                yield RemoteDesign(client.channel, client.metadata)
    except (DesignStoreError, DesignChanged, InvalidRequest, OtherSource) as error:
        raise Refusal(str(error)) from None
    except GoldenDecisionsFailed:
        # Publishing has a table of them.
        raise
    except (NotPublishable, DamagedRevision, PublicationBusy, ScheduleError) as error:
        raise Refusal(str(error)) from None
    except CannotBeSent as error:
        raise Refusal(f"{error}; apply it in the data folder") from None


def _applied(
    place: Place, files: "CatalogFiles", options: "ApplyOptions"
) -> "pb.ApplyCatalogResponse":
    """Mistakes are shown at their places in the files."""
    from catalog_store.design_records import catalog_records
    from server.client import CallFailed
    from server.design.editing import RefusedChange

    records = catalog_records(files.catalog)
    is_change = not options.validate_only
    with (
        stages() as report,
        reached_design(place, is_change=is_change) as design,
    ):
        report("comparing and checking", 0, 0)

        def sent(done: int, total: int) -> None:
            report("sending", done, total)
            if done == total:
                report("comparing and checking", 0, 0)

        try:
            return design.apply(records, options, sent)
        except RefusedChange as error:
            found = [files.relocate(one) for one in error.diagnostics]
        except CallFailed as failure:
            if failure.code != "INVALID_ARGUMENT":
                raise
            found = _mistakes(files)
            if not found:
                raise Refusal(f"{failure}; nothing was applied") from None
    raise _refused(found)


def _refused(found: "Sequence[Diagnostic]") -> Refusal:
    for diagnostic in found:
        click.echo(diagnostic.render(), err=True)
    count = f"{len(found)} error{'' if len(found) == 1 else 's'}"
    return Refusal(f"{count}; nothing was applied")


def _mistakes(files: "CatalogFiles") -> "list[Diagnostic]":
    """What is wrong with the files alone, where it stands."""
    from compiler.change_check import check_change
    from compiler.source import Severity

    return [
        files.relocate(one)
        for one in check_change(files.catalog)
        if one.severity is Severity.ERROR
    ]


def read_files(path: Path) -> "CatalogFiles":
    """A folder's catalog; what is wrong is said where it stands, and refused."""
    from compiler.source import Refused
    from server.files.catalog_cache import cache_folder, read_catalog_again
    from server.live.collector import collections_put_off

    try:
        with collections_put_off():
            return read_catalog_again(path, cache_folder())
    except Refused as refused:
        raise _refused(refused.diagnostics) from None


def _show(plan: "pb.ApplyCatalogResponse", output: str) -> None:
    if output == "json":
        print_json(plan_json(plan))
        return
    for diagnostic in plan.diagnostics:
        click.echo(diagnostic, err=True)
    print_plan(plan)
    click.echo(summary(plan))
