"""`propono quotas`: what is left of each limit over all contacts."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table

if TYPE_CHECKING:
    from server.quota_listing import QuotaState


@click.command()
@click.option("--environment", "-e", help="Of this environment only.")
@data_option
@output_option
def quotas(environment: str | None, data: Path, output: str) -> None:
    """Show what each quota has had in its period, and what is left.

    It is of the published catalog, at this moment. A counter that is damaged is said
    so, and the command then ends with status 1.

    \b
    propono quotas
    propono quotas --environment recipient --output json
    """
    states = _states(data, environment)
    if output == "json":
        print_json([_as_json(state) for state in states])
    else:
        _print(states)
    damaged = [state.quota for state in states if state.used is None]
    if damaged:
        raise Refusal(
            f"damaged counters: {', '.join(damaged)}. Each is good again when its next"
            " period begins; one of a total never: restore a backup, or publish the"
            " quota under another name, with what should be left as its limit"
        )


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
