"""ProposeBatch in this process: a service on real stores, and who is asked about."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from catalog_store.counting import Counted
from catalog_store.records import (
    Environment,
    PresentationRule,
    Segment,
    UnixMs,
)
from server.batch import BatchService
from server.decision_service import DecisionService, Sources
from server.translation import timestamp
from server.wire import decision_pb2 as pb
from tests.bank import (
    DAY_MS,
    NOON_MS,
    environment,
    offer,
    row,
    window,
)
from tests.services import Served, served

DECIDED, EXCLUDED = pb.BATCH_OUTCOME_DECIDED, pb.BATCH_OUTCOME_EXCLUDED
CANCELED, FAILED = pb.BATCH_OUTCOME_CANCELED, pb.BATCH_OUTCOME_FAILED


class Batches(NamedTuple):
    """A batch service beside the other service, on the same stores."""

    batches: BatchService
    served: Served

    def request(self, *contact_ids: str, **fields: Any) -> pb.ProposeBatchRequest:
        """Of one proposition in `banner`, unless spaces are given."""
        spaces = fields.pop("spaces", [pb.SpaceRequest(space="banner")])
        if "at_ms" in fields:
            fields["contact_time"] = timestamp(fields.pop("at_ms"))
        return pb.ProposeBatchRequest(contact_ids=contact_ids, spaces=spaces, **fields)

    def answers(self, request: pb.ProposeBatchRequest) -> Iterator[list[Any]]:
        """The decisions of each response as it comes."""
        for answer in self.batches.propose_batch(request, "web"):
            if answer is not None:
                yield list(pb.ProposeBatchResponse.FromString(answer).decisions)

    def ask(self, *contact_ids: str, **fields: Any) -> list[pb.ContactDecision]:
        request = self.request(*contact_ids, **fields)
        return [one for answer in self.answers(request) for one in answer]

    def recorded(self, contact_id: str, environment: str = "bank") -> int:
        """Propositions in the contact's history."""
        record = self.served.history.read(environment, contact_id)
        return 0 if record is None else len(record.propositions)


@contextmanager
def batches(
    folder: Path, *environments: Environment, seconds: Any = lambda: 0.0
) -> Iterator[Batches]:
    """Time for pacing stands still unless it is given: all groups grow to the largest.

    Interactions count up from 1,000 in batches.
    """
    numbers = count(1_000)
    with served(folder, *environments) as one:
        sources = Sources(
            now_ms=lambda: UnixMs(one.clock.now_ms),
            random_bytes=lambda size: next(numbers).to_bytes(size),
        )
        yield Batches(
            BatchService(
                one.cell, one.history, one.profiles, sources, 0.0, None, seconds
            ),
            one,
        )


def outcomes(decisions: list[pb.ContactDecision]) -> list[tuple[str, int]]:
    return [(one.contact_id, one.outcome) for one in decisions]


def varied() -> Environment:
    """Ties, rules, windows, a formula, a cap: what makes contacts differ."""
    cap = PresentationRule(
        name="twice", period_ms=7 * DAY_MS, maximum=2, counted=Counted.THIS_OFFER
    )
    return environment(
        [
            *(offer(f"equal{n}", 5) for n in range(9)),
            offer("old", row(9), rule="contact.age > 50"),
            offer("rich", row("double(contact.balance)", rule="contact.balance > 0")),
            offer("may", row(7, window=window(None, NOON_MS + DAY_MS))),
            offer("june", row(8, window=window(NOON_MS + DAY_MS, None))),
            offer("home", row(6, rule='context.page == "home"')),
        ],
        rules=(cap,),
        segments=(
            Segment(name="older", rule="contact.age > 50"),
            Segment(name="rich", rule="contact.balance > 0"),
            Segment(name="older_and_rich", rule="segment.older && segment.rich"),
            Segment(name="at_home", rule='context.page == "home"'),
            Segment(name="reached", rule="history.size() > 0"),
        ),
    )


def proposed(
    calls: Served, request: pb.ProposeRequest, interaction: str
) -> pb.ProposeResponse:
    """What Propose answers when its draw is seeded with that interaction."""
    sources = Sources(
        now_ms=lambda: UnixMs(calls.clock.now_ms),
        random_bytes=lambda _: bytes.fromhex(interaction),
    )
    service = DecisionService(calls.cell, calls.history, calls.profiles, sources, 0.0)
    return calls._replace(service=service).ask(request)


def people(one: Served, how_many: int) -> list[str]:
    """Contacts with profiles, every third without, of any age and balance."""
    ids = [f"c{n:04}" for n in range(how_many)]
    for n, contact_id in enumerate(ids):
        if n % 3:
            values = {"age": 20 + n * 7 % 60, "balance": n * 13 % 40 - 20}
            one.upsert("bank", contact_id, **values)
    return ids


SPACES = [
    pb.SpaceRequest(space="banner", max_propositions=3),
    pb.SpaceRequest(space="side", max_propositions=2),
]
