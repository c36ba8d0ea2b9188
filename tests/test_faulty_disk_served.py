"""A server on a disk of which 2 % of the writes and flushes fail.

A longer run: PROPONO_FAULTY_CALLS=20000 PROPONO_FAULTY_SEED=7 pytest this file.
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import grpc
import pytest

from bench.faulty_disk import CannotBuild, FaultyDisk
from contact_store.history import HistoryStore
from contact_store.records import PropositionStatus
from server.data_folder import DataFolder
from server.doctor import examine
from server.wire import decision_pb2 as pb
from server.wire import decision_pb2_grpc
from tests.servers import DEADLINE_SECONDS, Server, serving
from tests.test_quota_processes import OF_ALL_TIME, publish_limit

CALLS = int(os.environ.get("PROPONO_FAULTY_CALLS", "600"))
SEED = int(os.environ.get("PROPONO_FAULTY_SEED", "1"))
SHARE = 0.02
CLIENTS = 4
#: A third of what is asked for.
LIMIT = CALLS // 6


class Caller:
    """One client: asks, says that it was accepted, and does each again until it is."""

    def __init__(self, address: str, name: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = decision_pb2_grpc.DecisionServiceStub(self._channel)
        self._name = name
        self.codes: Counter[str] = Counter()
        #: Contact -> its proposition's id, empty when it got none.
        self.acknowledged: dict[str, str] = {}

    def run(self, count: int) -> None:
        with self._channel:
            for number in range(count):
                contact = f"{self._name}-{number}"
                request = _request(contact, request_id=contact)
                answer = self._until_done(self._stub.Propose, request)
                made = answer.results[0].propositions
                self.acknowledged[contact] = made[0].proposition_id if made else ""
                if made:
                    update = pb.UpdatePropositionRequest(
                        proposition_id=made[0].proposition_id,
                        status=pb.PROPOSITION_STATUS_ACCEPTED,
                        request_id=f"{contact}-accepted",
                    )
                    self._until_done(self._stub.UpdateProposition, update)

    def dry_run(self, is_over: Event) -> None:
        with self._channel:
            while not is_over.is_set():
                self._once(self._stub.Propose, _request(self._name, dry_run=True))

    def _until_done(self, method, request):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            answer = self._once(method, request)
            if answer is not None:
                return answer
            assert time.monotonic() < deadline, "it never went well"

    def _once(self, method, request):
        try:
            answer = method(request, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            self.codes[error.code().name] += 1
            return None
        self.codes["OK"] += 1
        return answer


def _request(contact: str, **fields: object) -> pb.ProposeRequest:
    request = pb.ProposeRequest(contact_id=contact, **fields)
    request.spaces.add(space="banner", max_propositions=1)
    return request


def hammer(server: Server) -> tuple[list[Caller], Caller]:
    """Everybody asks at once: those who record, and one who does not."""
    callers = [Caller(server.decisions, f"c{n}") for n in range(CLIENTS)]
    looker, is_over = Caller(server.decisions, "looker"), Event()
    looking = Thread(target=looker.dry_run, args=(is_over,))
    looking.start()
    try:
        _at_once([lambda c=c: c.run(CALLS // 2 // CLIENTS) for c in callers])
    finally:
        is_over.set()
        looking.join()
    return callers, looker


def _at_once(work: list[Callable[[], None]]) -> None:
    threads = [Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_acknowledged_is_lost(tmp_path: Path, workers: int) -> None:
    """Recorded calls are done or UNAVAILABLE, dry runs all done, the store is sound."""
    print(f"PROPONO_FAULTY_SEED={SEED}")
    data = tmp_path / "data"
    publish_limit(tmp_path / "catalog", data, LIMIT)
    try:
        disk = FaultyDisk(data, tmp_path, SEED)
    except CannotBuild as reason:
        pytest.skip(f"no disk that fails: {reason}")
    with serving(data, workers, variables=disk.variables) as server:
        disk.fail(SHARE)
        callers, looker = hammer(server)
        failed = (disk.failed_writes, disk.failed_flushes)
        disk.heal()
    codes = sum((caller.codes for caller in callers), Counter[str]())
    acknowledged = {k: v for caller in callers for k, v in caller.acknowledged.items()}
    print(codes, looker.codes, failed)

    assert min(failed) > 0
    assert len(acknowledged) == CALLS // 2 // CLIENTS * CLIENTS
    assert set(codes) == {"OK", "UNAVAILABLE"}
    assert set(looker.codes) == {"OK"}
    _check_store(data, acknowledged)


def _check_store(data: Path, acknowledged: dict[str, str]) -> None:
    """It holds what was acknowledged, once, and nothing else."""
    folder = DataFolder(data)
    with HistoryStore(folder.history) as history:
        for contact, proposition_id in acknowledged.items():
            record = history.read("bank", contact)
            found = () if record is None else record.propositions
            assert len(found) == bool(proposition_id), contact
            if proposition_id:
                assert found[0].status is PropositionStatus.ACCEPTED
                with history.transaction() as txn:
                    assert txn.find(proposition_id).proposition == found[0]
        proposed = sum(map(bool, acknowledged.values()))
        assert history.quota_used(OF_ALL_TIME) == proposed == LIMIT
    now_ms = time.time_ns() // 1_000_000
    assert list(examine(folder, now_ms, lambda *_: None)) == []
