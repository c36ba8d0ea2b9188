"""`propono quotas`: what is left of each limit over all contacts, and what it had."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from server.cli.audited import audited
from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table
from server.cli.progress_bars import progress_bars

if TYPE_CHECKING:
    from server.data_folder import DataFolder
    from server.engine.live_catalog import LiveCatalog
    from server.quota_listing import QuotaState


@click.group(invoke_without_command=True)
@click.option("--environment", "-e", help="Of this environment only.")
@data_option
@output_option
@click.pass_context
def quotas(
    context: click.Context, environment: str | None, data: Path, output: str
) -> None:
    """Show what each quota has had in its period, and what is left.

    It is of the published catalog, at this moment. A counter that is damaged is said
    so, and the command then ends with status 1.

    \b
    propono quotas
    propono quotas --environment recipient --output json
    """
    if context.invoked_subcommand is not None:
        return
    states = _states(data, environment)
    if output == "json":
        print_json([_as_json(state) for state in states])
    else:
        _print(states)
    damaged = [state.quota for state in states if state.used is None]
    if damaged:
        raise Refusal(
            f"damaged counters: {', '.join(damaged)}. Each is good again when its next"
            " period begins, one of a total never; `propono quotas set` gives it a"
            " count at once"
        )


@quotas.command("set")
@click.argument("name")
@click.argument("used", metavar="USED|stored")
@click.option("--environment", "-e", help="If several have such a quota.")
@data_option
def set_used(name: str, used: str, environment: str | None, data: Path) -> None:
    """Give a quota whose counter is damaged a count again.

    USED is how many it has had in its period, those not counted that it fell back on:
    they are added. `stored` counts the propositions that are stored, of the offers
    that are the quota's now; of contacts who were erased, and of what was purged, there
    are none, so that the quota may then allow as many again.

    \b
    propono quotas set gold_while_stocks_last 83
    propono quotas set cards_a_day stored

    A server may serve meanwhile. A counter that is not damaged is left alone.
    """
    from catalog_store.records import UnixMs
    from catalog_store.revisions import DamagedRevision, NothingPublished
    from contact_store.errors import ContactStoreError
    from contact_store.history import HistoryStore
    from server.data_folder import DataFolder
    from server.quota_restoring import CannotRestore, restore_quota

    count = _count(used)
    folder = DataFolder(data)
    if not folder.history.exists():
        raise Refusal(f"{data} has no history; name a data folder with --data")
    try:
        catalog = _catalog(folder)
        environment = _environment_of(catalog, name, environment)
        with (
            audited(data, f"environments/{environment}/quotas/{name}") as change,
            HistoryStore(folder.history) as history,
            progress_bars() as report,
        ):
            restored = restore_quota(
                catalog,
                history,
                environment,
                name,
                count,
                UnixMs(time.time_ns() // 1_000_000),
                lambda done, total: report("records", done, total),
            )
            change.after = {"used": restored.used, "limit": restored.limit}
    except (
        *(CannotRestore, DamagedRevision, NothingPublished),
        ContactStoreError,
    ) as error:
        raise Refusal(str(error)) from None
    click.echo(
        f"{restored.environment}: {restored.quota} has had {restored.used} of"
        f" {restored.limit}"
    )


def _count(used: str) -> int | None:
    from server.quota_restoring import USED_MAX

    if used == "stored":
        return None
    if not (used.isascii() and used.isdigit()) or int(used[:20]) > USED_MAX:
        raise click.BadParameter(
            f"{used!r} is not a count: write 0 to {USED_MAX}, or `stored`"
        )
    return int(used)


def _catalog(folder: "DataFolder") -> "LiveCatalog":
    from catalog_store.revisions import Revisions
    from server.live_loading import load

    revisions = Revisions(folder.catalog)
    manifest = revisions.current()
    revision = revisions.open(manifest)
    try:
        return load(revision, manifest)
    finally:
        revision.close()


def _environment_of(catalog: "LiveCatalog", name: str, asked: str | None) -> str:
    """Where the quota is; raises Refusal."""
    environments = catalog.environments
    if asked is not None:
        if asked not in environments:
            raise Refusal(
                f"unknown environment {asked!r}; known: {', '.join(environments)}"
            )
        return asked
    found = [
        one.name
        for one in environments.values()
        if any(quota.name == name for quota in one.quotas.live)
    ]
    if len(found) != 1:
        where = f"in {', '.join(found)}: choose with -e" if found else "nowhere"
        raise Refusal(f"an active quota {name!r} is {where}; see `propono quotas`")
    return found[0]


def _states(data: Path, environment: str | None) -> "list[QuotaState]":
    from catalog_store.records import UnixMs
    from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
    from contact_store.errors import ContactStoreError
    from contact_store.history import HistoryStore
    from server.data_folder import DataFolder
    from server.quota_listing import quota_states

    folder = DataFolder(data)
    if not folder.catalog.exists():
        raise Refusal(f"{data} has no catalog; name a data folder with --data")
    revisions = Revisions(folder.catalog)
    try:
        revision = revisions.open(revisions.current())
        try:
            names = revision.environment_names
            if environment is not None and environment not in names:
                raise Refusal(
                    f"unknown environment {environment!r}; known: {', '.join(names)}"
                )
            asked = names if environment is None else (environment,)
            now_ms = UnixMs(time.time_ns() // 1_000_000)
            if not folder.history.exists():
                return quota_states(revision, None, asked, now_ms)
            with HistoryStore(folder.history) as history:
                return quota_states(revision, history, asked, now_ms)
        finally:
            revision.close()
    except (DamagedRevision, NothingPublished, ContactStoreError) as error:
        raise Refusal(str(error)) from None


def _print(states: "list[QuotaState]") -> None:
    columns = {"environment": "", "quota": "", "period": "", "used": "right"}
    columns |= {"limit": "right", "left": "right", "frees at": ""}
    print_table(
        columns,
        [
            (
                state.environment,
                state.quota if state.active else f"{state.quota} (inactive)",
                state.period,
                _used(state),
                state.limit,
                "uncounted" if state.left is None else state.left,
                _moment(state.frees_at_ms) or "never",
            )
            for state in states
        ],
    )


def _used(state: "QuotaState") -> str:
    if state.used is not None:
        return str(state.used)
    if state.fallback_used is None:
        return "damaged"
    return f"damaged, then {state.fallback_used}"


def _as_json(state: "QuotaState") -> dict[str, object]:
    values: dict[str, object] = msgspec.structs.asdict(state)
    del values["frees_at_ms"]
    return {**values, "frees_at": _moment(state.frees_at_ms)}


def _moment(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat().replace("+00:00", "Z")
