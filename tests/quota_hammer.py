"""A process that asks for one offer after the other, until it is told to stop.

    python -m tests.quota_hammer store FOLDER NAME     a decision service of its own
    python -m tests.quota_hammer server ADDRESS NAME   through `propono serve`

Says `ready`, waits for a line, and then prints a line for each contact: who, and what
was proposed. It stops when its input ends, or after as many as the line says.
"""

import select
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from catalog_store.records import UnixMs
from catalog_store.revisions import Revisions
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.client import CallFailed, Client
from server.decision_service import DecisionService, Sources
from server.live_loading import load
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell
from tests.bank import NOON_MS

#: A worker that was killed is started again meanwhile.
PATIENCE_SECONDS = 30.0

Ask = Callable[[pb.ProposeRequest], pb.ProposeResponse]


def of_store(folder: Path, stack: ExitStack) -> Ask:
    history = stack.enter_context(HistoryStore(folder / "history"))
    profiles = stack.enter_context(ProfileStore(folder / "profiles"))
    revisions = Revisions(folder / "catalog")
    manifest = revisions.current()
    revision = revisions.open(manifest)
    cell = CatalogCell()
    cell.current = load(revision, manifest)
    revision.close()
    sources = Sources(
        now_ms=lambda: UnixMs(NOON_MS), random_bytes=lambda size: b"\1" * size
    )
    service = DecisionService(cell, history, profiles, sources, kept_share=0.0)

    def ask(request: pb.ProposeRequest) -> pb.ProposeResponse:
        answer = service.propose(request, "web")
        assert isinstance(answer, bytes)
        return pb.ProposeResponse.FromString(answer)

    return ask


def of_server(address: str, stack: ExitStack) -> Ask:
    client = Client.connect(address, PATIENCE_SECONDS)
    stack.callback(client.close)

    def ask(request: pb.ProposeRequest) -> pb.ProposeResponse:
        while True:
            try:
                return client.propose(request)
            except CallFailed as failed:
                # With the same request id: what was recorded is answered again.
                if failed.code != "UNAVAILABLE":
                    raise

    return ask


def main(kind: str, where: str, name: str) -> None:
    with ExitStack() as stack:
        if kind == "store":
            ask = of_store(Path(where), stack)
        else:
            ask = of_server(where, stack)
        print("ready", flush=True)
        count = int(sys.stdin.readline() or 0)
        number = 0
        while number < count and not select.select([sys.stdin], [], [], 0)[0]:
            number += 1
            contact = f"{name}-{number}"
            request = pb.ProposeRequest(contact_id=contact, request_id=contact)
            request.spaces.add(space="banner", max_propositions=1)
            made = ask(request).results[0].propositions
            print(contact, *(one.offer for one in made), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
