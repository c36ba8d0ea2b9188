"""`propono catalog push`, and what other commands ask a server's admin port for."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.admin_connection import admin_access, many_servers_options
from server.cli.output import Refusal, output_option, print_json, print_table
from server.cli.progress_bars import progress_bars

if TYPE_CHECKING:
    from server.publication_client import PublicationClient
    from server.wire import admin_pb2 as pb


@click.command()
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)
@many_servers_options
@output_option
def push(
    file: Path,
    admin_servers: tuple[str, ...],
    token_files: tuple[Path, ...],
    data: Path,
    output: str,
) -> None:
    """Publish a signed, compiled catalog on one server or many, one after the other.

    Each answers when all of its workers decide with it. Status 1 when one of them
    refused; the others have it all the same.

    \b
    propono catalog push bank.propono
    propono catalog push bank.propono --admin-server one:50052 --admin-server two:50052
    """
    from server.client import CallFailed

    if len(token_files) not in (0, 1, len(admin_servers)):
        raise click.UsageError("give one --token-file, or one for each --admin-server")
    tokens = token_files if len(token_files) > 1 else token_files * len(admin_servers)
    done: list[tuple[str, pb.Revision]] = []
    failed: list[str] = []
    for number, server in enumerate(admin_servers):
        token_file = tokens[number] if tokens else None
        try:
            with _connected(server, token_file, data) as client:
                with progress_bars() as report:
                    revision = client.push(
                        file, lambda sent, size, s=server: report(s, sent, size)
                    )
                done.append((server, revision))
        except CallFailed as failure:
            failed.append(f"{server}: {failure.code}: {failure}")
        except OSError as error:
            raise Refusal(f"{file}: {error.strerror}") from None
    if done:
        say_served(done, output)
    if failed:
        raise Refusal("\n".join(failed))


@contextmanager
def publication_client(
    server: str, token_file: Path | None, data: Path
) -> "Generator[PublicationClient]":
    """A connection; what the server refuses is our refusal."""
    from server.client import CallFailed

    try:
        with _connected(server, token_file, data) as client:
            yield client
    except CallFailed as failure:
        raise Refusal(f"{server}: {failure.code}: {failure}") from None


def say_served(done: "Sequence[tuple[str, pb.Revision]]", output: str) -> None:
    """The revisions that all workers of these servers decide with."""
    if output == "json":
        print_json(
            [{"server": server, **_plain(revision)} for server, revision in done]
        )
        return
    print_table(
        {"server": "", "revision": "right", "offers": "right", "digest": ""},
        [(s, r.number, r.offer_count, r.digest[:16]) for s, r in done],
    )


def remote_history(client: "PublicationClient") -> list[dict[str, object]]:
    """Every revision of a server, newest first; raises CallFailed."""
    return [_plain(revision) for revision in client.history()]


@contextmanager
def _connected(
    server: str, token_file: Path | None, data: Path
) -> "Generator[PublicationClient]":
    from server.publication_client import PublicationClient

    client = PublicationClient.connect(server, admin_access(token_file, data))
    try:
        yield client
    finally:
        client.close()


def _plain(revision: "pb.Revision") -> dict[str, object]:
    return {
        "revision": revision.number,
        "published": revision.publish_time.ToDatetime().isoformat(timespec="seconds")
        + "+00:00",
        "publisher": revision.publisher,
        "offers": revision.offer_count,
        "rules": revision.rule_count,
        "digest": revision.digest,
        "repeats": revision.rollback_of or None,
        "refused": None,
    }
