"""The decision service in this process: real stores, and a clock to be moved."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from catalog_store.records import Environment, UnixMs
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from contact_store.records import PART_PROPOSITIONS
from server.decision_service import DecisionService, Sources
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell
from tests.bank import NOON_MS, live


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS


class Served(NamedTuple):
    """A service and everything behind it."""

    service: DecisionService
    cell: CatalogCell
    history: HistoryStore
    profiles: ProfileStore
    clock: Clock
    folder: Path

    def publish(self, *environments: Environment) -> None:
        """Let another catalog decide from now on."""
        self.cell.current = live(self.folder / "catalog", *environments)

    def propose(self, *spaces: str, **fields: Any) -> pb.ProposeResponse:
        """One proposition for each space, for `ann` unless other ids are given."""
        ids = {"contact_id", "visitor_id"}
        known = {} if ids & fields.keys() else {"contact_id": "ann"}
        request = pb.ProposeRequest(**known, **fields)
        for name in spaces or ("banner",):
            request.spaces.add(space=name)
        return self.ask(request)

    def ask(self, request: pb.ProposeRequest) -> pb.ProposeResponse:
        return pb.ProposeResponse.FromString(
            finished(self.service.propose(request, "web"))
        )

    def update(
        self, proposition_id: str, status: str, **fields: Any
    ) -> pb.UpdatePropositionResponse:
        request = pb.UpdatePropositionRequest(
            proposition_id=proposition_id,
            status=f"PROPOSITION_STATUS_{status.upper()}",
            **fields,
        )
        answer = self.service.update_proposition(request, "web")
        return pb.UpdatePropositionResponse.FromString(answer)

    def upsert(self, environment: str, contact_id: str, **values: object) -> None:
        """Give a contact a profile."""
        decides = self.cell.current.environments[environment]
        slots = [values.get(a.name) for a in decides.contact_attributes]
        attributes = decides.contact_attributes
        self.profiles.upsert(environment, contact_id, attributes, slots)


@contextmanager
def served(
    folder: Path,
    *environments: Environment,
    kept_share: float = 0.0,
    part_propositions: int = PART_PROPOSITIONS,
) -> Generator[Served]:
    """Random bytes count up from 1, so that every interaction is known before."""
    cell, clock = CatalogCell(), Clock()
    cell.current = live(folder / "catalog", *environments)
    numbers = count(1)
    sources = Sources(
        now_ms=lambda: UnixMs(clock.now_ms),
        random_bytes=lambda size: next(numbers).to_bytes(size),
    )
    with (
        HistoryStore(
            folder / "history", part_propositions=part_propositions
        ) as history,
        ProfileStore(folder / "profiles") as profiles,
    ):
        service = DecisionService(cell, history, profiles, sources, kept_share)
        yield Served(service, cell, history, profiles, clock, folder)


def finished(answer: bytes | Iterator[None]) -> bytes:
    """The bytes of an answer that may come in steps."""
    if isinstance(answer, bytes):
        return answer
    while True:
        try:
            next(answer)
        except StopIteration as done:
            return done.value


def offers(answer: pb.ProposeResponse) -> list[str]:
    return [p.offer for result in answer.results for p in result.propositions]
