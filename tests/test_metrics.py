"""/metrics: what all processes of a server counted, as Prometheus reads it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.wire import decision_pb2 as pb
from tests.servers import BANK, Server, children_of, run, serving, wait_until

SERVICE = "propono.v1.DecisionService"


def samples(server: Server) -> dict[str, float]:
    """Name and labels, but for process numbers -> value."""
    with urlopen(f"http://{server.metrics}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "pid"}
            key = sample.name + "".join(f" {k}={v}" for k, v in sorted(labels.items()))
            found[key] = found.get(key, 0.0) + sample.value
    return found


def grown(server: Server, before: dict[str, float]) -> dict[str, float]:
    after = samples(server)
    return {
        key: value - before.get(key, 0.0)
        for key, value in after.items()
        if value != before.get(key, 0.0) and "_bucket" not in key and "_sum" not in key
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    data = tmp_path_factory.mktemp("metrics") / "data"
    run("catalog", "publish", BANK, "--data", data)
    with serving(data, 2) as server:
        yield server


@pytest.fixture(scope="module")
def propose(server: Server):
    """Asks over connections of their own, so that both workers are met."""

    def ask(**fields: object) -> pb.ProposeResponse:
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(server.decisions, options=options) as channel:
            method = channel.unary_unary(
                f"/{SERVICE}/Propose",
                request_serializer=pb.ProposeRequest.SerializeToString,
                response_deserializer=pb.ProposeResponse.FromString,
            )
            request = pb.ProposeRequest(**fields)
            request.spaces.add(space="web_home_hero")
            return method(request, timeout=20)

    return ask


def test_calls_are_counted_over_all_workers(
    server: Server, propose: Callable[..., pb.ProposeResponse]
) -> None:
    """By method and code, with how long they took; answers and refusals."""
    before = samples(server)
    for number in range(8):
        propose(contact_id=f"c{number}", dry_run=number < 4)
    with pytest.raises(grpc.RpcError):
        propose(contact_id="c" * 300)
    found = grown(server, before)

    assert found["propono_calls_total code=OK method=Propose"] == 8
    assert found["propono_calls_total code=INVALID_ARGUMENT method=Propose"] == 1
    assert found["propono_call_seconds_count method=Propose"] == 9
    assert found["propono_transaction_seconds_count"] == 4


def test_what_decisions_lacked_is_counted(
    server: Server, propose: Callable[..., pb.ProposeResponse]
) -> None:
    """Without a profile: every attribute once, and the rules without an answer."""
    before = samples(server)
    propose(contact_id="nobody", dry_run=True)
    found = grown(server, before)

    assert found["propono_short_spaces_total reason=not_enough_eligible"] == 1
    assert found["propono_absent_attributes_total"] == 15
    assert found["propono_conditions_raised_total"] >= 1


def test_a_retry_is_counted_as_one(
    server: Server, propose: Callable[..., pb.ProposeResponse]
) -> None:
    """It is a call like any other, and decides nothing."""
    before = samples(server)
    for _ in range(3):
        propose(contact_id="again", request_id="r")
    found = grown(server, before)

    assert found["propono_retries_total"] == 2
    assert found["propono_absent_attributes_total"] == 15


def test_the_machine_and_the_revision_are_there(server: Server) -> None:
    """What is left of the disk, and the revision of each worker that lives."""
    found = samples(server)

    assert found["propono_disk_free_bytes"] > 0
    # Both workers decide with the first revision.
    assert found["propono_revision"] == 2


def test_a_worker_that_ended_keeps_what_it_counted(
    server: Server, propose: Callable[..., pb.ProposeResponse]
) -> None:
    """Counters never go back; what is only true of the living is forgotten."""
    for number in range(6):
        propose(contact_id=f"before{number}")
    before = samples(server)["propono_calls_total code=OK method=Propose"]
    os.kill(children_of(server.process.pid)["worker0"], signal.SIGKILL)

    def both_are_back() -> bool:
        return len(children_of(server.process.pid)) == 4 and (
            samples(server).get("propono_revision") == 2
        )

    wait_until(both_are_back)
    assert samples(server)["propono_calls_total code=OK method=Propose"] == before


def test_a_port_that_is_taken_is_said(server: Server, tmp_path: Path) -> None:
    """As for the other ports: before anything is served."""
    said = run(
        *("serve", "--data", tmp_path / "other", "--listen", "127.0.0.1:0"),
        *("--admin-listen", "127.0.0.1:0", "--metrics-listen", server.metrics),
        status=1,
    )

    assert f"cannot listen on {server.metrics}" in said
