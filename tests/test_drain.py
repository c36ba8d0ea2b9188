"""SIGTERM: health says so first, and who was being answered is answered."""

import signal
import threading
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from bench.faulty_disk import CannotBuild, FaultyDisk
from server.data_folder import DataFolder
from server.shared_page import SLOTS, SharedPage
from server.wire import decision_pb2 as pb
from tests.servers import BANK, DEADLINE_SECONDS, run, serving, wait_until

RECORDED = pb.ProposeRequest(
    visitor_id="v", spaces=[pb.SpaceRequest(space="web_home_side")]
)
WORKER = 2


class Caller:
    """What callers of one server see, in order."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.seen: list[str] = []

    def watch_health(self) -> None:
        with grpc.insecure_channel(self._address) as channel:
            watch = channel.unary_stream(
                "/grpc.health.v1.Health/Watch",
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            with suppress(grpc.RpcError):
                for answer in watch(b"", timeout=DEADLINE_SECONDS):
                    name = health_pb2.HealthCheckResponse.ServingStatus.Name
                    self.seen.append(name(answer.status))

    def propose(self) -> None:
        with grpc.insecure_channel(self._address) as channel:
            propose = channel.unary_unary(
                "/propono.v1.DecisionService/Propose",
                response_deserializer=pb.ProposeResponse.FromString,
            )
            request = RECORDED.SerializeToString()
            while self.seen[-1] == "SERVING":
                # The keeper, on the same slow disk, may have the lock: not for long.
                with suppress(grpc.RpcError):
                    answer = propose(request, timeout=DEADLINE_SECONDS)
                    self.seen.append(f"{len(answer.results)} space answered")

    def is_refused(self) -> bool:
        """Whether a new connection finds nobody."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._address, options) as channel:
            propose = channel.unary_unary("/propono.v1.DecisionService/Propose")
            with pytest.raises(grpc.RpcError) as refused:
                propose(b"", timeout=DEADLINE_SECONDS)
        return refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_server_that_ends_answers_who_waits(tmp_path: Path) -> None:
    """Nobody new is taken on meanwhile; all processes end by themselves."""
    data = tmp_path / "data"
    run("catalog", "publish", BANK, "--data", data)
    try:
        disk = FaultyDisk(data, tmp_path)
    except CannotBuild as reason:
        pytest.skip(f"no disk that is slow: {reason}")
    with serving(data, variables=disk.variables) as server:
        caller = Caller(server.decisions)
        cells = SharedPage.open(DataFolder(data).page).cells
        watching = threading.Thread(target=caller.watch_health)
        watching.start()
        wait_until(lambda: caller.seen == ["SERVING"])
        # A commit has two flushes: longer than it takes to notice the signal, and not
        # as long as calls are given to end.
        disk.slow(flush_ms=1_500)
        proposing = threading.Thread(target=caller.propose)
        proposing.start()
        wait_until(lambda: cells[SLOTS + WORKER] > 0)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: caller.seen[-1] == "NOT_SERVING")
        refused = caller.is_refused()
        proposing.join()
        watching.join()

    assert refused
    assert caller.seen == ["SERVING", "NOT_SERVING", "1 space answered"]
