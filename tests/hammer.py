"""A process that hammers the decision port of a server, and logs every call.

    python -m tests.hammer ADDRESS LOGS NAME SEED EPOCHS

Says `ready`, waits for a line, and then prints a dot for each answered call until its
input ends. Several threads, with two connections each, propose to contacts that are as
unevenly busy as real ones; they retry, twice at once too, cancel, set deadlines that
cannot be kept, and update statuses.

Contacts, and the offer under a scarce quota, are others in each epoch: whenever
something happens to the server, there is room under limits that the epoch then fills.
"""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, count
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, NamedTuple

import grpc
import msgspec

from server.wire import decision_pb2 as pb

EPOCH_NS = 2_000_000_000
#: Best first. An epoch has a `gold` of its own, with a number behind it.
OFFERS = ("flash", "spark", "welcome", "gold", "news")
#: Of an epoch's contacts: the hot one has a third of the calls, the others are a Zipf
#: distribution.
_BUSYNESS = [*accumulate([2.0, *(1 / n**1.1 for n in range(1, 60))])]
#: Threads of one process.
LANES = 4
#: Of an attempt that waits for a worker that was killed to be started again.
PATIENCE_SECONDS = 5.0
ATTEMPTS_MAX = 10


class Cap(NamedTuple):
    """At most so many of some offers for one contact, counted together."""

    offers: frozenset[str]
    maximum: int
    #: Both ends included; None counts for ever.
    period_ms: int | None


class Quota(NamedTuple):
    """At most so many of some offers over all contacts, for ever."""

    offers: frozenset[str]
    limit: int


class Limits(NamedTuple):
    """What must hold, by name."""

    caps: dict[str, Cap]
    quotas: dict[str, Quota]
    #: The same caps as each revision has them; empty where there was one only.
    caps_of_revision: dict[int, dict[str, Cap]]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of a request, as its client saw it."""

    #: Retries share it.
    request_id: str
    #: Of the machine's monotonic clock, and of the wall's.
    start_ns: int = 0
    start_ms: int = 0
    #: None while nobody knows how it ended.
    end_ns: int | None = None
    end_ms: int | None = None
    #: gRPC's name.
    code: str = ""
    #: The answer's bytes, as hexadecimal digits.
    answer: str = ""


class ProposeCall(Call, frozen=True, kw_only=True, tag="propose"):
    contact: str
    #: Best first; as many propositions were asked for.
    asked: tuple[str, ...]
    #: Ids of the propositions that it was answered with.
    proposed: tuple[str, ...] = ()
    #: That decided, as it was answered.
    revision: int = 0


class UpdateCall(Call, frozen=True, kw_only=True, tag="update"):
    proposition_id: str
    status: str
    #: Differs between the updates of one proposition.
    event_time_ms: int
    #: The status that it was answered with.
    status_after: str = ""


class LogLine(msgspec.Struct, frozen=True):
    """A call, written when it begins and again when it ends."""

    number: int
    call: ProposeCall | UpdateCall


class StatusUpdate(NamedTuple):
    """One update in a stored proposition's log."""

    status: str
    event_time_ms: int | None


class Stored(NamedTuple):
    """A proposition in the store."""

    proposition_id: str
    contact: str
    sequence: int
    #: That made it, as the store has it.
    request_id: str
    interaction: int
    offer: str
    rank: int
    #: Also when the contact saw it: no call says otherwise.
    decided_at_ms: int
    status: str
    #: In the order of arrival.
    updates: tuple[StatusUpdate, ...] = ()


class History(NamedTuple):
    """All that is known after a run."""

    proposes: list[ProposeCall]
    updates: list[UpdateCall]
    stored: list[Stored]
    #: Quota -> what its counter says; None when that is damaged.
    used: dict[str, int | None]


def main(address: str, logs: str, name: str, seed: str, epochs: str) -> None:
    lanes = [
        Lane(f"{name}{number}", seed, address, Path(logs), int(epochs))
        for number in range(LANES)
    ]
    stop = Event()
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(LANES) as threads:
        running = [threads.submit(lane.run, stop) for lane in lanes]
        sys.stdin.read()
        stop.set()
    for one in running:
        one.result()


class _Request(NamedTuple):
    """What is sent, as often as it is retried, and how it is logged."""

    message: bytes
    call: ProposeCall | UpdateCall


class _Sent(NamedTuple):
    number: int
    request: _Request
    call: ProposeCall | UpdateCall
    future: Any


class Connection:
    """One of its own, to whichever worker the kernel gives it."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(
            address,
            options=[
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.min_reconnect_backoff_ms", 50),
                ("grpc.max_reconnect_backoff_ms", 200),
            ],
        )
        self.close = self._channel.close
        # Bytes for bytes: a retry gets the same.
        self.methods = {
            kind: self._channel.unary_unary(f"/propono.v1.DecisionService/{method}")
            for kind, method in (
                (ProposeCall, "Propose"),
                (UpdateCall, "UpdateProposition"),
            )
        }


class Lane:
    """Makes one call after the other, now and then two at once."""

    def __init__(
        self, name: str, seed: str, address: str, logs: Path, epochs: int
    ) -> None:
        self._name = name
        self._random = Random(f"{seed} {name}")
        self._address = address
        self._connections = [Connection(address) for _ in range(2)]
        self._log = (logs / f"{name}.jsonl").open("wb", buffering=0)
        self._epochs = epochs
        self._numbers = count(1)
        self._began_ms = time.time_ns() // 1_000_000
        #: The newest that were answered: to be sent again, and to be updated.
        self._answered: deque[_Request] = deque(maxlen=50)
        self._propositions: deque[str] = deque(maxlen=50)

    def run(self, stop: Event) -> None:
        while not stop.is_set():
            if self._random.random() < 0.05:
                # A worker that was started again has connections of new ones only.
                self._connections.pop(0).close()
                self._connections.append(Connection(self._address))
            self._request()
        for connection in self._connections:
            connection.close()
        self._log.close()

    def _request(self) -> None:
        kind, way = self._random.random(), self._random.random()
        if kind < 0.05 and self._answered:
            request = self._random.choice(self._answered)
        elif kind < 0.15 and self._propositions:
            request = self._update(self._random.choice(self._propositions))
        else:
            request = self._proposal()
        if way < 0.10:
            is_answered = self._send_twice(request)
        elif way < 0.16:
            # Of many no connection knows, of some the server does.
            soon = self._random.uniform(0.001, 0.02)
            is_answered = self._end(self._begin(request, timeout_seconds=soon))
        elif way < 0.22:
            is_answered = self._send_and_cancel(request)
        else:
            is_answered = self._end(self._begin(request))
        # Most clients try again; of what the others gave up, nobody knows.
        attempts = ATTEMPTS_MAX if self._random.random() < 0.6 else 0
        while not is_answered and attempts:
            is_answered = self._end(self._begin(request))
            attempts -= 1

    def _proposal(self) -> _Request:
        epoch = time.monotonic_ns() // EPOCH_NS
        (busy,) = self._random.choices(range(len(_BUSYNESS)), cum_weights=_BUSYNESS)
        wanted = self._random.sample(OFFERS, self._random.choice((1, 1, 2, 5)))
        asked = tuple(
            f"gold{epoch % self._epochs}" if offer == "gold" else offer
            for offer in sorted(wanted, key=OFFERS.index)
        )
        request_id = self._request_id()
        contact = f"{epoch}-{busy}"
        message = pb.ProposeRequest(contact_id=contact, request_id=request_id)
        message.spaces.add(space="home", max_propositions=len(asked), categories=asked)
        message.context["request"] = request_id
        call = ProposeCall(request_id=request_id, contact=contact, asked=asked)
        return _Request(message.SerializeToString(), call)

    def _update(self, proposition_id: str) -> _Request:
        request_id = self._request_id()
        status = self._random.choice(("PRESENTED", "ACCEPTED", "REJECTED"))
        # In any order, and never the same: 7,919 and 60,000 share no factor.
        event_time_ms = self._began_ms - next(self._numbers) * 7_919 % 60_000
        message = pb.UpdatePropositionRequest(
            request_id=request_id,
            proposition_id=proposition_id,
            status=f"PROPOSITION_STATUS_{status}",
        )
        message.event_time.FromMilliseconds(event_time_ms)
        call = UpdateCall(
            request_id=request_id,
            proposition_id=proposition_id,
            status=status,
            event_time_ms=event_time_ms,
        )
        return _Request(message.SerializeToString(), call)

    def _request_id(self) -> str:
        return f"{self._name}-{next(self._numbers)}"

    def _send_twice(self, request: _Request) -> bool:
        """At the same moment, over both connections."""
        both = [self._begin(request, connection) for connection in self._connections]
        return any([self._end(one) for one in both])

    def _send_and_cancel(self, request: _Request) -> bool:
        """At any moment, before or after it was recorded."""
        sent = self._begin(request)
        done = Event()
        sent.future.add_done_callback(lambda _: done.set())
        done.wait(self._random.uniform(0, 0.02))
        sent.future.cancel()
        return self._end(sent)

    def _begin(
        self,
        request: _Request,
        connection: Connection | None = None,
        timeout_seconds: float = PATIENCE_SECONDS,
    ) -> _Sent:
        """Log it and send it, over either connection if none is given."""
        way = connection or self._random.choice(self._connections)
        call = msgspec.structs.replace(
            request.call,
            start_ns=time.monotonic_ns(),
            start_ms=time.time_ns() // 1_000_000,
        )
        number = next(self._numbers)
        self._log.write(_encode(LogLine(number, call)) + b"\n")
        future = way.methods[type(request.call)].future(
            request.message, timeout=timeout_seconds, wait_for_ready=True
        )
        return _Sent(number, request, call, future)

    def _end(self, sent: _Sent) -> bool:
        """Wait for it and log it; whether it was answered."""
        try:
            answer, code = sent.future.result(), "OK"
        except (grpc.RpcError, grpc.FutureCancelledError):
            answer, code = b"", sent.future.code().name
        call = msgspec.structs.replace(
            sent.call,
            end_ns=time.monotonic_ns(),
            end_ms=time.time_ns() // 1_000_000,
            code=code,
            answer=answer.hex(),
            **self._told(sent.call, answer),
        )
        self._log.write(_encode(LogLine(sent.number, call)) + b"\n")
        if code == "OK":
            self._answered.append(sent.request)
            os.write(sys.stdout.fileno(), b".")
        return code == "OK"

    def _told(self, call: ProposeCall | UpdateCall, answer: bytes) -> dict[str, Any]:
        if not answer:
            return {}
        if isinstance(call, UpdateCall):
            status = pb.UpdatePropositionResponse.FromString(answer).status
            name = pb.PropositionStatus.Name(status)
            return {"status_after": name.removeprefix("PROPOSITION_STATUS_")}
        told = pb.ProposeResponse.FromString(answer)
        proposed = [p.proposition_id for one in told.results for p in one.propositions]
        self._propositions.extend(proposed)
        return {"proposed": tuple(proposed), "revision": told.revision}


def read_calls(logs: Path) -> Iterator[ProposeCall | UpdateCall]:
    """Every call, as much as was logged of it."""
    for path in sorted(logs.glob("*.jsonl")):
        lines = map(_decode, path.read_bytes().splitlines())
        yield from {line.number: line.call for line in lines}.values()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LogLine).decode


if __name__ == "__main__":
    main(*sys.argv[1:])
