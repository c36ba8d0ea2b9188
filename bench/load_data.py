"""Requests for ghz about contacts that there are, from a file that names them.

    python -m bench.load_data clients.csv --contact-column client \
        --space web_home_side --max 3 --context page=home

Writes into build/load what the configurations in bench/ghz read:

    dry_run.json   a Propose for each contact that records nothing
    recorded.json  the same, recorded, each call with a request id of its own
    update.json    with --updates: an UpdateProposition for propositions made for it
    metadata.json  with a token: who calls, for the owner of the file only
"""

import json
import os
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import click
from google.protobuf.json_format import MessageToDict, ParseDict

from server.cli.client_options import client_access
from server.cli.decisions import context_of, server_option
from server.cli.output import Refusal
from server.client import CallFailed, Client
from server.files.contact_list import read_contact_list
from server.files.contact_table import ContactFileError
from server.wire import decision_pb2 as pb

FOLDER = Path("build/load")
#: Contacts in one file: ghz holds all of it, as text and as messages.
COUNT_MAX = 200_000
#: ghz makes another one of it for each call, and no call is a retry of another.
REQUEST_ID = "{{newUUID}}"
#: What ghz makes two braces of, that are no template of ours.
BRACES = "{{`{{`}}"
#: What becomes of propositions, in turn.
STATUSES = ("PRESENTED", "INTERESTED", "ACCEPTED", "REJECTED")
#: Of one call that makes propositions to update.
TIMEOUT_SECONDS = 10.0

_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_file)
@click.option("--contact-column", help="Of FILE.  [default: contact_id, or the only]")
@click.option("--space", "spaces", multiple=True, required=True, help="Where; repeat.")
@click.option("--max", "max_propositions", type=click.IntRange(1, 100), default=1)
@click.option("--environment", default="", help="Default: the default environment.")
@click.option(
    "--context",
    "pairs",
    multiple=True,
    metavar="K=V",
    help="A context attribute; V is JSON, or a text. Repeat.",
)
@click.option(
    "--count",
    type=click.IntRange(1, COUNT_MAX),
    default=10_000,
    show_default=True,
    help="Contacts at most: the first of FILE.",
)
@click.option("--updates", is_flag=True, help="Propose to each, and write update.json.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
)
@server_option
def main(
    file: Path,
    contact_column: str | None,
    spaces: tuple[str, ...],
    max_propositions: int,
    environment: str,
    pairs: tuple[str, ...],
    count: int,
    updates: bool,
    folder: Path,
    server: str,
) -> None:
    """Write requests about the contacts that FILE names in a column: CSV or Parquet."""
    try:
        named = read_contact_list(file, contact_column, lambda done, total: None)
    except (ContactFileError, OSError) as error:
        raise Refusal(str(error)) from None
    asked = pb.ProposeRequest(environment=environment)
    for space in spaces:
        asked.spaces.add(space=space, max_propositions=max_propositions)
    ParseDict(context_of(pairs), asked.context)
    requests = [_about(asked, contact) for contact in named.contact_ids[:count]]
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "dry_run.json", [{"dry_run": True} | r for r in requests])
    write(folder / "recorded.json", [with_request_id(r) for r in requests])
    access = client_access()
    if access.token is not None:
        write_metadata(folder / "metadata.json", access.token)
    if updates:
        client = Client.connect(server, TIMEOUT_SECONDS, access)
        try:
            write(folder / "update.json", list(updates_of(client, requests)))
        except CallFailed as failure:
            raise Refusal(f"{failure.code}: {failure}") from None
        finally:
            client.close()
    click.echo(f"{len(requests)} contacts, in {folder}")


def updates_of(
    client: Client, requests: Sequence[dict[str, Any]]
) -> Iterator[dict[str, str]]:
    """An update for every proposition that recorded calls of these requests get.

    Raises CallFailed, and Refusal when nobody is proposed anything.
    """
    statuses = cycle(STATUSES)
    anything = False
    with click.progressbar(requests, label="proposing") as bar:
        for request in bar:
            answer = client.propose(ParseDict(request, pb.ProposeRequest()))
            for result in answer.results:
                for proposition in result.propositions:
                    anything = True
                    yield {
                        "proposition_id": proposition.proposition_id,
                        "status": f"PROPOSITION_STATUS_{next(statuses)}",
                    }
    if not anything:
        raise Refusal("nobody was proposed anything: choose another space or context")


def with_request_id(request: dict[str, Any]) -> dict[str, Any]:
    """As a template: an id that is made for each call, and nothing else is."""
    plain = json.dumps(request, ensure_ascii=False).replace("{{", BRACES)
    return {"request_id": REQUEST_ID} | json.loads(plain)


def write(path: Path, requests: Sequence[dict[str, Any]]) -> None:
    """One request a line, as ghz takes them: calls go through them in turn."""
    lines = ",\n".join(json.dumps(request, ensure_ascii=False) for request in requests)
    path.write_text(f"[{lines}]\n", "utf-8")


def write_metadata(path: Path, token: str) -> None:
    """Who calls; the owner alone may read it."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        json.dump({"authorization": f"Bearer {token}"}, file)


def _about(asked: pb.ProposeRequest, contact: str) -> dict[str, Any]:
    fields = MessageToDict(asked, preserving_proto_field_name=True)
    return {"contact_id": contact} | fields


if __name__ == "__main__":
    main()
