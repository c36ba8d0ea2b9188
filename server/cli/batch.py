"""`propono propose-batch`: offers for many contacts, from a table to a table."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import uuid4

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from server.cli.client_options import client_access
from server.cli.decisions import context_of, server_option
from server.cli.output import Refusal, output_option, print_json, print_table

if TYPE_CHECKING:
    from server.files.proposition_parts import State
    from server.wire import decision_pb2 as pb

#: What the work does with them, and not what it is.
_HOW = ("server", "output", "part", "patience", "again", "input_file", "output_file")

_file = click.Path(dir_okay=False, path_type=Path)


@click.command("propose-batch")
@click.argument("files", nargs=-1, required=True, type=_file, metavar="[INPUT] OUTPUT")
@click.option("--space", "spaces", multiple=True, required=True, help="Where; repeat.")
@click.option("--contact-column", help="Of INPUT.  [default: contact_id, or the only]")
@click.option("--segment", default="", help="Of whom, instead of INPUT.")
@click.option(
    "--environment", "-e", default="", help="Default: the default environment."
)
@click.option(
    "--max", "max_propositions", type=click.IntRange(1, 100), default=1, metavar="N"
)
@click.option("--category", "categories", multiple=True, help="Only of it; repeat.")
@click.option("--theme", "themes", multiple=True, help="Only with it; repeat.")
@click.option(
    "--context",
    "pairs",
    multiple=True,
    metavar="K=V",
    help="A context attribute for all; V is JSON, or a text. Repeat.",
)
@click.option(
    "--contact-time",
    default="",
    metavar="TIME",
    help="When they are reached, as 2027-01-31T09:00:00Z.  [default: now]",
)
@click.option(
    "--min-propositions",
    type=click.IntRange(0, 3_200),
    default=0,
    metavar="N",
    help="Who gets fewer is excluded.",
)
@click.option(
    "--on-shortfall",
    type=click.Choice(["blank", "cancel"]),
    default="blank",
    show_default=True,
    help="What becomes of contacts whose places are not all filled.",
)
@click.option("--dry-run", is_flag=True, help="Decide, but record nothing.")
@click.option(
    "--part",
    type=click.IntRange(1, 10_000),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Contacts asked for, and written, at a time.",
)
@click.option(
    "--patience",
    type=click.FloatRange(0, 3_600),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a server that is away.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Ask for the part in flight again, though it is over 55 minutes old.",
)
@server_option
@output_option
def propose_batch(files: tuple[Path, ...], **options: Any) -> None:
    """Decide ahead of time for the contacts of INPUT, or of a segment.

    INPUT is CSV or Parquet, OUTPUT is Parquet. The same command goes on where it was
    when it, or the server, is stopped.

    \b
    propono propose-batch clients.csv offers.parquet --space email_newsletter --max 3
    propono propose-batch offers.parquet --segment retired --space email_newsletter
    """
    output_file = files[-1]
    input_file = files[0] if len(files) == 2 else None
    if len(files) > 2 or (input_file is None) == (not options["segment"]):
        raise click.UsageError("give INPUT and OUTPUT, or --segment and OUTPUT")
    if output_file.suffix.lower() not in (".parquet", ".pq"):
        raise click.BadParameter("name it .parquet", param_hint="OUTPUT")
    request = _request(options)
    with _progress() as bars, _refusals():
        state = _work(input_file, output_file, request, options, bars)
    _print(output_file, state, options["output"])


def _work(
    input_file: Path | None,
    output_file: Path,
    request: "pb.ProposeBatchRequest",
    options: dict[str, Any],
    bars: "_Bars",
) -> "State":
    from server.cli.batch_work import BatchWork, ForgottenAnswers, Pacing
    from server.client import CallFailed, Client
    from server.files.contact_list import read_contact_list
    from server.files.proposition_parts import PropositionParts

    contacts = None
    if input_file is not None:
        contacts = read_contact_list(
            input_file, options["contact_column"], bars.stage("reading")
        )
    digest = "" if contacts is None else contacts.digest
    with PropositionParts(output_file) as parts:
        if parts.begin(str(uuid4()), _arguments(options, digest)):
            click.echo(f"going on after {parts.state.contacts} contacts", err=True)
        request.request_id = parts.state.batch
        total = None if contacts is None else len(contacts.contact_ids)
        done = bars.stage("deciding")
        pacing = Pacing(
            part_contacts=options["part"],
            patience_seconds=options["patience"],
            progress=partial(done, total=total),
            asks_again=options["again"],
        )
        client = Client.connect(options["server"], access=client_access())
        ids = None if contacts is None else contacts.contact_ids
        work = BatchWork(client, request, ids, parts, pacing)
        try:
            work.do(_now_ms)
        except CallFailed as failure:
            if not work.has_answers and failure.code != "UNAVAILABLE":
                # Refused as a whole: nothing was begun that other arguments would undo.
                parts.abandon()
            raise
        except ForgottenAnswers:
            raise Refusal(
                "the part in flight was asked for over 55 minutes ago, and the server"
                " may have forgotten its answers: some of its contacts could be"
                " proposed to twice; --again asks for it all the same"
            ) from None
        finally:
            client.close()
        parts.finish(bars.stage("writing"))
        return parts.state


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _request(options: dict[str, Any]) -> "pb.ProposeBatchRequest":
    """The request without contacts and without its id."""
    from google.protobuf.json_format import ParseDict

    from server.wire import decision_pb2 as pb

    request = pb.ProposeBatchRequest(
        environment=options["environment"],
        segment=options["segment"],
        dry_run=options["dry_run"],
        min_propositions=options["min_propositions"],
        on_shortfall=f"ON_SHORTFALL_{options['on_shortfall'].upper()}",
    )
    for space in options["spaces"]:
        request.spaces.add(
            space=space,
            max_propositions=options["max_propositions"],
            categories=options["categories"],
            themes=options["themes"],
        )
    ParseDict(context_of(options["pairs"]), request.context)
    if options["contact_time"]:
        try:
            request.contact_time.FromJsonString(options["contact_time"])
        except ValueError:
            raise click.BadParameter(
                f"{options['contact_time']!r} is not like 2027-01-31T09:00:00Z",
                param_hint="--contact-time",
            ) from None
    return request


def _arguments(options: dict[str, Any], contacts_digest: str) -> dict[str, str]:
    """What must be the same to go on, by the options' names."""
    same = {
        name: ", ".join(cast(tuple[str, ...], value))
        if isinstance(value, tuple)
        else str(value)
        for name, value in options.items()
        if name not in _HOW and name != "contact_column"
    }
    return {**same, "contacts (a digest)": contacts_digest}


def _print(output_file: Path, state: "State", output: str) -> None:
    counts = {
        name: state.outcomes.get(name, 0)
        for name in ("decided", "excluded", "canceled", "failed")
    }
    rate = state.contacts / state.seconds if state.seconds else 0.0
    values: dict[str, object] = {
        "file": str(output_file),
        "contacts": state.contacts,
        **counts,
        "propositions": state.propositions,
        "seconds": round(state.seconds, 1),
        "contacts_per_second": round(rate),
    }
    if output == "json":
        print_json(values)
        return
    rows = [(name.replace("_", " "), value) for name, value in values.items()]
    print_table({"batch": "left", "": "left"}, rows)


class _Report(Protocol):
    """Is told how much is done, and of how much if that is known."""

    def __call__(self, done: int, total: int | None) -> None: ...


class _Bars:
    """One bar for each stage of the work, on stderr."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def stage(self, name: str) -> _Report:
        task = self._progress.add_task(name, total=None)

        def report(done: int, total: int | None) -> None:
            self._progress.update(task, completed=done, total=total)

        return report


@contextmanager
def _progress() -> Generator[_Bars]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
    ) as progress:
        yield _Bars(progress)


@contextmanager
def _refusals() -> Generator[None]:
    """Exit status 1 with the reason, for whatever is not our own mistake."""
    from server.client import CallFailed
    from server.files.contact_table import ContactFileError
    from server.files.proposition_parts import OtherArguments

    try:
        yield
    except CallFailed as failure:
        said = f"{failure.code}: {failure}"
        if failure.code == "UNAVAILABLE":
            said += "\nthe same command goes on from here"
        raise Refusal(said) from failure
    except (ContactFileError, OtherArguments, OSError) as error:
        raise Refusal(str(error)) from error
