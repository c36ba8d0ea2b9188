"""The client: request ids of its own, errors in words, a channel that is not real."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import grpc_testing
import pytest

from server.client import CallFailed, Client
from server.requests import InvalidRequest, Violation
from server.status import status_of
from server.wire import decision_pb2 as pb

METHOD = pb.DESCRIPTOR.services_by_name["DecisionService"].methods_by_name["Propose"]


@pytest.fixture
def fake() -> grpc_testing.Channel:
    """grpc's own fake channel: it holds calls until the test answers them."""
    services = pb.DESCRIPTOR.services_by_name.values()
    return grpc_testing.channel(services, grpc_testing.strict_real_time())


def test_every_call_carries_a_request_id(fake: grpc_testing.Channel) -> None:
    """Its own when the caller gave none, so that a retry cannot decide twice."""
    client = Client(fake)
    sent = []
    with ThreadPoolExecutor(1) as pool:
        for given in ("", "", "mine"):
            answer = pool.submit(client.propose, pb.ProposeRequest(request_id=given))
            _, request, call = fake.take_unary_unary(METHOD)
            sent.append(request.request_id)
            done = pb.ProposeResponse(revision=7)
            call.terminate(done, (), grpc.StatusCode.OK, "")
            assert answer.result() == done

    assert len(set(sent)) == 3
    assert all(sent)
    assert sent[2] == "mine"


def test_a_refusal_is_told_field_by_field(fake: grpc_testing.Channel) -> None:
    """The code, our reason, and each violation on its line."""
    client = Client(fake)
    status = status_of(
        InvalidRequest([Violation("spaces", "is empty"), Violation("x", "is wrong")])
    )
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.propose, pb.ProposeRequest())
        _, _, call = fake.take_unary_unary(METHOD)
        call.terminate(None, status.trailing_metadata, status.code, status.details)
        with pytest.raises(CallFailed) as failed:
            answer.result()

    assert (failed.value.code, failed.value.reason) == (
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
    )
    assert str(failed.value) == "spaces: is empty\nx: is wrong"


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Said in words, after the retries."""
    client = Client.connect("127.0.0.1:1", 5.0)
    with pytest.raises(CallFailed) as failed:
        client.propose(pb.ProposeRequest())
    client.close()

    assert failed.value.code == "UNAVAILABLE"
