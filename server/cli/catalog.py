"""`propono catalog`: from files to the revision that decides."""

import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import click
import rich.progress
from rich.console import Console

from catalog_store.manifest import SEQUENCE_MAX
from server.cli.audited import audited
from server.cli.golden_table import golden_refusal
from server.cli.output import Refusal, disk_failures, output_option, print_json
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from catalog_store.manifest import Manifest
    from catalog_store.records import UnixMs
    from compiler.revision import Progress
    from compiler.source import Diagnostic
    from server.audit.changes import Change

data_option = click.option(
    "--data",
    envvar="PROPONO_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    show_envvar=True,
    help="The server's data folder.",
)
path_argument = click.argument("path", type=click.Path(exists=True, path_type=Path))


_MODULE_OF = {
    "diff": "server.cli.catalog_diff",
    "test": "server.cli.golden_test",
    "log": "server.cli.catalog_log",
    "show": "server.cli.catalog_log",
    "push": "server.cli.push",
    "rollback": "server.cli.revisions",
    "history": "server.cli.revisions",
    "scheduled": "server.cli.scheduled",
    "cancel": "server.cli.scheduled",
    "submit": "server.cli.approvals",
    "approve": "server.cli.approvals",
    "reject": "server.cli.approvals",
    "approvals": "server.cli.approvals",
}


class _Commands(click.Group):
    """Imports what asks a server when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_MODULE_OF]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULE_OF:
            return super().get_command(ctx, cmd_name)
        command: object = getattr(import_module(_MODULE_OF[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands)
def catalog() -> None:
    """Validate, compile, publish and push catalogs, and go back to earlier ones."""


@catalog.command()
@path_argument
@click.option("--strict", is_flag=True, help="Refuse warnings too.")
@output_option
def validate(path: Path, strict: bool, output: str) -> None:
    """Check a catalog's files: names, references, rules, and what can never be.

    Warnings tell of offers and rows that can never be proposed, notes of what has no
    effect. Golden decisions are made.

    \b
    propono catalog validate examples/bank/catalog
    """
    from compiler.source import Refused
    from server.golden.failures import GoldenDecisionsFailed
    from server.golden.trial import try_golden_decisions
    from server.publication import compile_files

    try:
        compilation = compile_files(path, strict=strict)
    except Refused as refused:
        _show(refused.diagnostics, output)
        raise Refusal(_count(refused.diagnostics)) from None
    try:
        with disk_failures(Path(gettempdir())):
            try_golden_decisions(compilation.catalog)
    except GoldenDecisionsFailed as error:
        raise golden_refusal(error, output) from None
    _show(compilation.diagnostics, output)
    if output == "table":
        environments = compilation.catalog.environments
        offers = sum(len(e.environment.offers) for e in environments)
        rules = sum(len(e.rules) for e in environments)
        click.echo(
            f"{len(environments)} environments, {offers} offers, {rules} distinct"
            f" rules; {_count(compilation.diagnostics)}"
        )


@catalog.command("compile")
@path_argument
@click.option(
    "-o",
    "artifact",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.",
)
@click.option(
    "--key",
    "key_file",
    envvar="PROPONO_KEY",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The private key to sign with; servers accept nothing that is not signed.",
)
@click.option(
    "--sequence",
    type=click.IntRange(1, SEQUENCE_MAX),
    help="Higher than that of every catalog before.  [default: the time]",
)
def compile_(
    path: Path, artifact: Path, key_file: Path | None, sequence: int | None
) -> None:
    """Compile a catalog's files into one file, for servers that trust your key.

    \b
    propono keys generate --out .
    propono catalog compile examples/bank/catalog -o bank.propono --key propono.key
    """
    from catalog_store.keys import InvalidKey, PrivateKey
    from compiler.source import Refused
    from server.publication import compile_to_artifact

    try:
        key = None if key_file is None else PrivateKey.read(key_file)
        with disk_failures(artifact.parent), _progress() as progress:
            manifest, compilation = compile_to_artifact(
                path,
                artifact,
                key,
                sequence=sequence or now_ms(),
                progress=progress,
            )
    except (InvalidKey, OSError) as error:
        raise Refusal(str(error)) from None
    except Refused as refused:
        _show(refused.diagnostics, "table")
        raise Refusal(_count(refused.diagnostics)) from None
    _show_warnings(compilation.diagnostics)
    click.echo(
        f"{artifact}: {manifest.offer_count} offers, {manifest.rule_count} rules,"
        f" digest {manifest.digest[:16]}, "
        + ("not signed" if key is None else f"signed with key {key.key_id}")
    )


@catalog.command()
@path_argument
@click.option("--strict", is_flag=True, help="Refuse warnings too.")
@data_option
@output_option
def publish(path: Path, strict: bool, data: Path, output: str) -> None:
    """Publish a folder of files, or a compiled catalog, into a data folder.

    Running servers of that folder switch to it by themselves.

    \b
    propono catalog publish examples/bank/catalog
    propono catalog publish bank.propono --data /srv/propono
    """
    from catalog_store.artifact import ArtifactError
    from catalog_store.design_errors import DesignStoreError
    from catalog_store.revisions import DamagedRevision, PublicationBusy
    from compiler.source import Refused
    from server.golden.failures import GoldenDecisionsFailed
    from server.requests import OtherSource

    folder = DataFolder(data)
    unpublished = "; nothing was published"
    with disk_failures(data, unpublished):
        folder.create()
    with audited(data, "revisions") as change:
        try:
            with disk_failures(data, unpublished):
                manifest = _publish(folder, path, strict=strict)
        except Refused as refused:
            _show(refused.diagnostics, output)
            text = f"{_count(refused.diagnostics)}{unpublished}"
            raise Refusal(text) from None
        except GoldenDecisionsFailed as error:
            raise golden_refusal(error, output, unpublished) from None
        except (ArtifactError, DamagedRevision, PublicationBusy) as error:
            raise Refusal(f"{path}: {error}{unpublished}") from None
        except (DesignStoreError, OtherSource) as error:
            raise Refusal(f"{error}{unpublished}") from None
        audit_published(change, manifest)
    say_published(manifest, output)


def _publish(folder: DataFolder, path: Path, *, strict: bool) -> "Manifest":
    from catalog_store.revisions import Revisions
    from server.publication import publish_artifact, publish_files
    from server.sources import accept_in

    who, accept = getuser(), accept_in(folder, Revisions(folder.catalog))
    if not path.is_dir():
        return publish_artifact(
            folder, path, publisher=who, now_ms=now_ms(), accept=accept
        )
    # Before a long compilation, and with what it gives again.
    accept(())
    with _progress() as progress:
        manifest, compilation = publish_files(
            folder,
            path,
            publisher=who,
            now_ms=now_ms(),
            progress=progress,
            accept=accept,
            strict=strict,
        )
    _show_warnings(compilation.diagnostics)
    return manifest


@contextmanager
def _progress() -> "Generator[Progress]":
    """A bar on stderr while rules are compiled; nothing when nobody watches."""
    bar = rich.progress.Progress(
        "{task.description}",
        rich.progress.BarColumn(),
        "{task.completed}/{task.total}",
        rich.progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task("compiling rules", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def audit_published(change: "Change", manifest: "Manifest") -> None:
    """For the audit log."""
    change.resource = f"revisions/{manifest.number}"
    change.after = plain(manifest)


def say_published(manifest: "Manifest", output: str) -> None:
    """What was published into a data folder."""
    if output == "json":
        print_json(plain(manifest))
        return
    click.echo(
        f"revision {manifest.number} is published: {manifest.offer_count} offers,"
        f" {manifest.rule_count} rules, digest {manifest.digest[:16]}"
    )


def _show(diagnostics: "Sequence[Diagnostic]", output: str) -> None:
    if output == "json":
        found = [
            {
                "file": d.source.name,
                "line": d.source.line_and_column(d.span.start)[0],
                "column": d.source.line_and_column(d.span.start)[1],
                "severity": str(d.severity),
                "message": d.message,
            }
            for d in diagnostics
        ]
        print_json(found)
    else:
        for diagnostic in diagnostics:
            click.echo(diagnostic.render(), err=True)


def _show_warnings(diagnostics: "Sequence[Diagnostic]") -> None:
    """Without the notes, which `validate` has for those who write the files."""
    from compiler.source import Severity

    _show([one for one in diagnostics if one.severity is not Severity.NOTE], "table")


def _count(diagnostics: "Sequence[Diagnostic]") -> str:
    counts = {"error": 0, "warning": 0, "note": 0}
    for diagnostic in diagnostics:
        if diagnostic.severity in counts:
            counts[str(diagnostic.severity)] += 1
    return ", ".join(
        f"{count} {severity}{'' if count == 1 else 's'}"
        for severity, count in counts.items()
    )


def plain(manifest: "Manifest") -> dict[str, object]:
    """A revision for scripts."""
    return {
        "revision": manifest.number,
        "published": _date(manifest.published_at_ms),
        "publisher": manifest.publisher,
        "offers": manifest.offer_count,
        "rules": manifest.rule_count,
        "digest": manifest.digest,
        "repeats": manifest.rollback_of,
        "artifact_key": None if manifest.origin is None else manifest.origin.key_id,
    }


def _date(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="seconds")


def now_ms() -> "UnixMs":
    """This machine's clock, in UTC milliseconds."""
    from catalog_store.records import UnixMs

    return UnixMs(time.time_ns() // 1_000_000)
