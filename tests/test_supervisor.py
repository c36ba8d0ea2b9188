"""The processes: one server per folder and port, restarted, drained, never orphaned."""

import os
import signal
import subprocess
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from server.client import CallFailed, Client
from server.wire import decision_pb2 as pb
from tests.servers import (
    BANK,
    DEADLINE_SECONDS,
    PROPONO,
    ROOT,
    Server,
    children_of,
    is_alive,
    run,
    serving,
    wait_until,
)

REQUEST = pb.ProposeRequest(spaces=[pb.SpaceRequest(space="web_home_side")])


def health(address: str, service: str = "") -> int:
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        request = health_pb2.HealthCheckRequest(service=service)
        return check(request, timeout=DEADLINE_SECONDS).status


def test_nothing_published_is_unavailable_until_something_is(tmp_path: Path) -> None:
    """The server starts empty, says so, and decides once a catalog is published."""
    with serving(tmp_path / "data") as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        with pytest.raises(CallFailed) as failed:
            client.propose(REQUEST)
        assert (failed.value.code, failed.value.reason) == (
            "UNAVAILABLE",
            "NOTHING_PUBLISHED",
        )
        assert health(server.decisions) == health_pb2.HealthCheckResponse.NOT_SERVING

        run("catalog", "publish", BANK, "--data", server.data)
        serving_now = health_pb2.HealthCheckResponse.SERVING
        wait_until(lambda: health(server.decisions) == serving_now)
        assert client.propose(REQUEST).revision == 1
        assert health(server.decisions, "propono.v1.DecisionService") == serving_now
        client.close()


def test_a_second_server_of_the_folder_is_refused(bank: Server) -> None:
    """It says who is in the way."""
    said = run("serve", "--data", bank.data, "--listen", "127.0.0.1:0", status=1)

    assert "is served by another process" in said


def test_a_second_server_on_the_port_is_refused(bank: Server, tmp_path: Path) -> None:
    """It would otherwise get a share of the first one's connections."""
    said = run("serve", "--data", tmp_path, "--listen", bank.decisions, status=1)

    assert f"cannot listen on {bank.decisions}" in said


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("nonsense", "is not HOST:PORT"),
        ("127.0.0.1:99999", "is not HOST:PORT"),
        ("0.0.0.0:0", "or say --insecure-plaintext"),
    ],
)
def test_a_wrong_address_is_refused(tmp_path: Path, address: str, reason: str) -> None:
    """Before anything starts; other machines are kept out on purpose."""
    assert reason in run("serve", "--data", tmp_path, "--listen", address, status=1)


def test_a_killed_worker_is_started_again(tmp_path: Path) -> None:
    """And what it had acknowledged is there."""
    run("catalog", "publish", BANK, "--data", tmp_path)
    with serving(tmp_path) as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        answer = client.propose(
            pb.ProposeRequest(visitor_id="v", spaces=REQUEST.spaces)
        )
        proposed = answer.results[0].propositions[0].proposition_id
        worker = children_of(server.process.pid)["worker0"]
        os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda: children_of(server.process.pid).get("worker0") not in (None, worker)
        )
        update = pb.UpdatePropositionRequest(
            proposition_id=proposed, status="PROPOSITION_STATUS_INTERESTED"
        )

        def updated() -> bool:
            try:
                return bool(client.update_proposition(update).proposition_id)
            except CallFailed as failed:
                # The port is ours, and nobody accepts until the new worker does.
                if failed.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                    raise
                return False

        wait_until(updated)
        client.close()


def test_no_process_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """The lifeline of each child ends with the supervisor."""
    process = subprocess.Popen(
        [
            *(str(PROPONO), "serve", "--data", str(tmp_path), "--workers", "2"),
            *("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"),
            *("--metrics-listen", "127.0.0.1:0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("decisions on")
    children = children_of(process.pid)
    process.kill()
    process.wait(DEADLINE_SECONDS)
    process.stdout.close()

    assert sorted(children) == ["admin0", "keeper0", "worker0", "worker1"]
    wait_until(lambda: not any(map(is_alive, children.values())))
