"""`propono replay`: a recorded decision, made again."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table

if TYPE_CHECKING:
    from contact_store.decision_inputs import DecisionInputs
    from server.data_folder import DataFolder
    from server.replaying import Replay


@click.command()
@click.argument("interaction", required=False)
@click.option("--explain", is_flag=True, help="Say why each offer was not proposed.")
@click.option(
    "--explain-offer",
    "explained_offers",
    multiple=True,
    metavar="OFFER",
    help="Say it of these offers only; repeat.",
)
@data_option
@output_option
def replay(
    interaction: str | None,
    explain: bool,
    explained_offers: tuple[str, ...],
    data: Path,
    output: str,
) -> None:
    """Make a recorded decision again, and compare.

    INTERACTION is the interaction_id of an answer. Without one, the newest decisions
    that can be replayed are listed. A server says with --keep-inputs which are kept.

    \b
    propono replay
    propono replay 5f0c4a8be1d27f36 --explain
    """
    from server.data_folder import DataFolder

    folder = DataFolder(data)
    if interaction is None:
        _list(folder, output)
        return
    found = _replay(folder, _number(interaction))
    if output == "json":
        print_json(_as_json(found))
    else:
        _print(found)
    if explain or explained_offers:
        _explain(found, explained_offers)
    if not found.reproduced:
        raise Refusal("not reproduced: another decision was recorded then")


#: Decisions in the list.
_LISTED_MAX = 50


def _number(interaction: str) -> int:
    try:
        number = int(interaction, 16)
    except ValueError:
        number = -1
    if not 0 <= number < 2**64:
        raise click.BadParameter(
            f"{interaction!r} is not an interaction_id: 16 hexadecimal digits",
            param_hint="INTERACTION",
        )
    return number


def _list(folder: "DataFolder", output: str) -> None:
    with _history(folder) as history:
        kept = history.newest_inputs(_LISTED_MAX)
    lines = [
        {
            "interaction": f"{one.interaction:016x}",
            "decided_at": _moment(one.decided_at_ms),
            "environment": one.environment,
            "contact": one.contact_id,
            "spaces": ", ".join(space.space for space in one.spaces),
            "revision": one.revision,
        }
        for one in kept
    ]
    if output == "json":
        print_json(lines)
        return
    columns = dict.fromkeys(("interaction", "decided at", "environment", "contact"), "")
    columns |= {"spaces": "", "revision": "right"}
    print_table(columns, [tuple(line.values()) for line in lines])


def _replay(folder: "DataFolder", number: int) -> "Replay":
    from catalog_store.revisions import DamagedRevision, Revisions, UnknownRevision
    from compiler.runtime.linker import CODE_TAG
    from server.live_loading import load
    from server.replaying import CannotReplay, replayed

    with _history(folder) as history:
        inputs = history.inputs(number)
    if inputs is None:
        raise Refusal(
            f"nothing is kept of interaction {number:016x}: it was a dry run, is older"
            " than 30 days, or its contact is not among those that the server keeps"
            " (serve --keep-inputs)"
        )
    revisions = Revisions(folder.catalog)
    try:
        manifest = revisions.manifest(inputs.revision)
        if manifest.code_tag != CODE_TAG:
            raise Refusal(
                f"revision {manifest.number} was compiled for another Python,"
                f" {manifest.code_tag}; replay with that one"
            )
        revision = revisions.open(manifest)
        try:
            return replayed(inputs, load(revision, manifest))
        finally:
            revision.close()
    except (CannotReplay, DamagedRevision, UnknownRevision) as error:
        raise Refusal(str(error)) from None


def _history(folder: "DataFolder"):
    from contact_store.history import HistoryStore

    if not folder.history.exists():
        raise Refusal(f"{folder.root} has no history; name a data folder with --data")
    return HistoryStore(folder.history)


def _print(found: "Replay") -> None:
    inputs = found.inputs
    rows: list[tuple[object, ...]] = []
    for space in found.record.spaces:
        rows += [
            (space.space, one.rank, one.offer, f"{one.weight:g}", one.row)
            for one in space.chosen
        ]
        if space.shortfall != "none":
            rows.append((space.space, "", f"({space.shortfall})", "", ""))
    columns = {"space": "", "rank": "right", "offer": "", "weight": "right", "row": ""}
    print_table(columns, rows)
    click.echo(_summary(inputs))
    if found.reproduced:
        click.echo(f"reproduced: sha256 {inputs.record_sha256.hex()}")


def _summary(inputs: "DecisionInputs") -> str:
    return (
        f"contact {inputs.contact_id} of {inputs.environment}, decided at"
        f" {_moment(inputs.decided_at_ms)} by revision {inputs.revision}, with"
        f" {len(inputs.history)} earlier propositions"
    )


def _as_json(found: "Replay") -> dict[str, object]:
    import msgspec

    inputs = found.inputs
    return {
        "reproduced": found.reproduced,
        "sha256": found.record.sha256().hex(),
        "recorded_sha256": inputs.record_sha256.hex(),
        "interaction": f"{inputs.interaction:016x}",
        "revision": inputs.revision,
        "engine_version": inputs.engine_version,
        "environment": inputs.environment,
        "contact": inputs.contact_id,
        "decided_at": _moment(inputs.decided_at_ms),
        "history": len(inputs.history),
        "spaces": [
            {
                "space": space.space,
                "shortfall": space.shortfall,
                "propositions": [
                    dict(
                        zip(
                            one.__struct_fields__,
                            msgspec.structs.astuple(one),
                            strict=True,
                        )
                    )
                    for one in space.chosen
                ],
            }
            for space in found.record.spaces
        ],
    }


def _explain(found: "Replay", offers: tuple[str, ...]) -> None:
    from server.cli.explanations import print_explanation
    from server.explanations import explained
    from server.translation import AskedExplanation

    asked = AskedExplanation(full=True, offers=offers, page_token="")
    steps = explained(asked, found.call, found.decision, found.inputs.revision)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            print_explanation(done.value, summary=not offers)
            return


def _moment(ms: int) -> str:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(ms / 1_000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
