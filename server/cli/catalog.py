"""`propono catalog`: from files to the revision that decides."""

import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich.progress
from rich.console import Console

from catalog_store.manifest import SEQUENCE_MAX
from server.cli.output import Refusal, output_option, print_json, print_table
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from catalog_store.manifest import Manifest
    from catalog_store.records import UnixMs
    from compiler.revision import Progress
    from compiler.source import Diagnostic

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


@click.group()
def catalog() -> None:
    """Validate, compile and publish catalogs, and go back to earlier ones."""


@catalog.command()
@path_argument
@click.option("--strict", is_flag=True, help="Refuse warnings too.")
@output_option
def validate(path: Path, strict: bool, output: str) -> None:
    """Check a catalog's files: names, references, rules, and what can never be.

    Warnings tell of offers and rows that can never be proposed, notes of what has no
    effect.

    \b
    propono catalog validate examples/bank/catalog
    """
    from compiler.source import Refused, Severity
    from server.publication import compile_files

    try:
        compilation = compile_files(path, analysed=True)
    except Refused as refused:
        _show(refused.diagnostics, output)
        raise Refusal(_count(refused.diagnostics)) from None
    _show(compilation.diagnostics, output)
    warned = any(d.severity is Severity.WARNING for d in compilation.diagnostics)
    if strict and warned:
        raise Refusal(_count(compilation.diagnostics))
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
        with _progress() as progress:
            manifest, compilation = compile_to_artifact(
                path,
                artifact,
                key,
                sequence=sequence or _now_ms(),
                progress=progress,
            )
    except (InvalidKey, OSError) as error:
        raise Refusal(str(error)) from None
    except Refused as refused:
        _show(refused.diagnostics, "table")
        raise Refusal(_count(refused.diagnostics)) from None
    _show(compilation.diagnostics, "table")
    click.echo(
        f"{artifact}: {manifest.offer_count} offers, {manifest.rule_count} rules,"
        f" digest {manifest.digest[:16]}, "
        + ("not signed" if key is None else f"signed with key {key.key_id}")
    )


@catalog.command()
@path_argument
@data_option
@output_option
def publish(path: Path, data: Path, output: str) -> None:
    """Publish a folder of files, or a compiled catalog, into a data folder.

    Running servers of that folder switch to it by themselves.

    \b
    propono catalog publish examples/bank/catalog
    propono catalog publish bank.propono --data /srv/propono
    """
    from catalog_store.artifact import ArtifactError
    from catalog_store.revisions import DamagedRevision, PublicationBusy
    from compiler.source import Refused
    from server.publication import publish_artifact, publish_files

    folder = DataFolder(data)
    folder.create()
    try:
        if path.is_dir():
            with _progress() as progress:
                manifest, compilation = publish_files(
                    folder,
                    path,
                    publisher=getuser(),
                    now_ms=_now_ms(),
                    progress=progress,
                )
            _show(compilation.diagnostics, "table")
        else:
            manifest = publish_artifact(
                folder, path, publisher=getuser(), now_ms=_now_ms()
            )
    except Refused as refused:
        _show(refused.diagnostics, output)
        raise Refusal(f"{_count(refused.diagnostics)}; nothing was published") from None
    except (ArtifactError, DamagedRevision, PublicationBusy) as error:
        raise Refusal(f"{path}: {error}; nothing was published") from None
    _say_published(manifest, output)


@catalog.command()
@click.argument("revision", type=click.IntRange(min=1))
@data_option
@output_option
def rollback(revision: int, data: Path, output: str) -> None:
    """Publish an earlier revision again, under a new number."""
    from catalog_store.revisions import (
        DamagedRevision,
        PublicationBusy,
        UnknownRevision,
    )
    from server.publication import roll_back

    try:
        manifest = roll_back(
            DataFolder(data), revision, publisher=getuser(), now_ms=_now_ms()
        )
    except (DamagedRevision, PublicationBusy, UnknownRevision) as error:
        raise Refusal(f"{error}; see `propono catalog history`") from None
    _say_published(manifest, output)


@catalog.command()
@data_option
@output_option
def history(data: Path, output: str) -> None:
    """List published revisions, newest first."""
    from catalog_store.revisions import Revisions

    revisions = Revisions(DataFolder(data).catalog).history()
    if output == "json":
        print_json([_plain(manifest) for manifest in revisions])
        return
    columns = {"revision": "right", "published": "", "by": "", "offers": "right"}
    columns |= {"rules": "right", "digest": "", "repeats": "right"}
    print_table(
        columns,
        [
            (
                m.number,
                _date(m.published_at_ms),
                m.publisher,
                m.offer_count,
                m.rule_count,
                m.digest[:16],
                m.rollback_of or "",
            )
            for m in revisions
        ],
    )


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


def _say_published(manifest: "Manifest", output: str) -> None:
    if output == "json":
        print_json(_plain(manifest))
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


def _count(diagnostics: "Sequence[Diagnostic]") -> str:
    counts = {"error": 0, "warning": 0, "note": 0}
    for diagnostic in diagnostics:
        if diagnostic.severity in counts:
            counts[str(diagnostic.severity)] += 1
    return ", ".join(
        f"{count} {severity}{'' if count == 1 else 's'}"
        for severity, count in counts.items()
    )


def _plain(manifest: "Manifest") -> dict[str, object]:
    return {
        "revision": manifest.number,
        "published": _date(manifest.published_at_ms),
        "publisher": manifest.publisher,
        "offers": manifest.offer_count,
        "rules": manifest.rule_count,
        "digest": manifest.digest,
        "repeats": manifest.rollback_of,
    }


def _date(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="seconds")


def _now_ms() -> "UnixMs":
    from catalog_store.records import UnixMs

    return UnixMs(time.time_ns() // 1_000_000)
