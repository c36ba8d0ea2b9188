"""Connections end in time: every worker gets its share of clients that stay."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import grpc
import pytest

from server.client import CallFailed, Client
from server.data_folder import DataFolder
from server.metrics_files import read_all
from server.metrics_layout import PID
from server.wire import decision_pb2 as pb
from tests.bank import environment, offer, publish
from tests.counting import numbers_of
from tests.servers import Server, children_of, serving, wait_until

#: Of a batch whose answer does not fit into what is sent ahead of its reader.
CONTACTS = 10_000


class Caller(Thread):
    """Proposes over one channel, one call after the other."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.client = Client.connect(server.decisions, 20.0)
        self.stop = Event()
        self.answered = 0
        self.failures: list[str] = []
        #: How often it was connected.
        self.connections = 0
        self.client.channel.subscribe(self._changed)

    def _changed(self, connectivity: grpc.ChannelConnectivity) -> None:
        self.connections += connectivity is grpc.ChannelConnectivity.READY

    def run(self) -> None:
        while not self.stop.is_set():
            asked = pb.ProposeRequest(contact_id="a", dry_run=True)
            asked.spaces.add(space="banner")
            try:
                self.client.propose(asked)
                self.answered += 1
            except CallFailed as failed:
                self.failures.append(f"{failed.code}: {failed}")


@contextmanager
def calling(server: Server) -> Generator[Caller]:
    caller = Caller(server)
    caller.start()
    try:
        yield caller
    finally:
        caller.stop.set()
        caller.join()
        caller.client.close()


def calls_of(server: Server, pid: int) -> float:
    """What a worker has answered."""
    found = read_all(DataFolder(server.data).metrics)
    numbers = numbers_of([slots for slots in found if slots.numbers[PID] == pid])
    return numbers.get("propono_calls_total code=OK method=Propose", 0.0)


def workers(server: Server) -> set[int]:
    found = children_of(server.process.pid)
    return {pid for kind, pid in found.items() if kind.startswith("worker")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    publish(DataFolder(tmp_path).catalog, environment([offer("gold")]))
    return tmp_path


def test_a_worker_that_was_started_again_gets_its_share(data: Path) -> None:
    """One busy client of one channel meets both again, and no call of it fails."""
    with serving(data, 2, "--connection-age", "1") as server:
        with calling(server) as caller:
            wait_until(lambda: caller.answered > 100)
            ended = max(workers(server), key=lambda pid: calls_of(server, pid))
            os.kill(ended, signal.SIGKILL)
            wait_until(lambda: len(workers(server) - {ended}) == 2)
            now = {pid: calls_of(server, pid) for pid in workers(server)}
            wait_until(
                lambda: all(calls_of(server, pid) > calls for pid, calls in now.items())
            )
        assert caller.failures == []


def test_a_call_outlives_its_connection(data: Path) -> None:
    """A batch that is read slowly is answered whole, long after the age."""
    asked = pb.ProposeBatchRequest(dry_run=True, request_id="b")
    asked.spaces.add(space="banner")
    asked.contact_ids.extend(f"c{number}" for number in range(CONTACTS))
    with serving(data, 1, "--connection-age", "1") as server:
        slow = Client.connect(server.decisions, 20.0)
        answers = slow.propose_batch(asked, timeout_seconds=60.0)
        decided = [next(answers)]
        # Over the same connection, as long as that is there.
        with calling(server) as caller:
            wait_until(lambda: caller.connections > 3)
        decided += answers
        slow.close()

    assert len(decided) == CONTACTS
    assert caller.failures == []
