"""Clients that abuse HTTP/2, and a healthy one beside them that notices nothing."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event, Thread

import grpc
import pytest
from grpc_health.v1 import health_pb2

from server.data_folder import DataFolder
from tests import http2_abuse
from tests.bank import environment, offer, publish
from tests.servers import DEADLINE_SECONDS, Server, children_of, serving, wait_until

SEED = int(os.environ.get("PROPONO_ABUSE_SEED", "1"))
PATHS = {
    "decisions": b"/propono.v1.DecisionService/Propose",
    "admin": b"/propono.v1.AdminService/ListRevisions",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    data = tmp_path_factory.mktemp("abused")
    publish(DataFolder(data).catalog, environment([offer("gold")]))
    with serving(data) as server:
        yield server


@contextmanager
def healthy_beside(server: Server, port: str) -> Generator[None]:
    """Calls one after the other, meanwhile, over a connection of their own.

    None may fail; and no process of the server may have ended.
    """
    before, calls = children_of(server.process.pid), [0]
    failures: list[grpc.RpcError] = []
    stop = Event()

    def call() -> None:
        with grpc.insecure_channel(getattr(server, port)) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            while not stop.is_set():
                try:
                    check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_SECONDS)
                    calls[0] += 1
                except grpc.RpcError as error:
                    failures.append(error)

    calling = Thread(target=call)
    calling.start()
    try:
        wait_until(lambda: calls[0] > 0)
        yield
        reached = calls[0]
        wait_until(lambda: calls[0] > reached or bool(failures))
    finally:
        stop.set()
        calling.join()
    assert failures == []
    assert children_of(server.process.pid) == before


@pytest.mark.parametrize("port", PATHS)
@pytest.mark.parametrize("attack", http2_abuse.ATTACKS, ids=lambda one: one.__name__)
def test_a_healthy_client_notices_nothing(
    served: Server, attack: Callable[[bytes], list[bytes]], port: str
) -> None:
    """Whatever the frames of another one."""
    with healthy_beside(served, port):
        http2_abuse.attack(getattr(served, port), attack(PATHS[port]))


@pytest.mark.parametrize("port", PATHS)
def test_the_frames_are_understood(served: Server, port: str) -> None:
    """Else nothing here would be tested: a call made of them is answered.

    Also after some that were cancelled, or lie about their length; after thousands the
    server waits for an acknowledgement that no attacker sends.
    """
    address, path = getattr(served, port), PATHS[port]
    cancelled = http2_abuse.rapid_resets(path)[:10]
    for before in ([], cancelled, http2_abuse.false_lengths(path)[:10]):
        assert http2_abuse.is_answered(address, path, before)


@pytest.mark.parametrize("port", PATHS)
def test_bytes_of_no_protocol_harm_nobody(served: Server, port: str) -> None:
    """Each such connection ends alone."""
    print(f"PROPONO_ABUSE_SEED={SEED}")
    with healthy_beside(served, port):
        http2_abuse.random_bytes(getattr(served, port), SEED)


@pytest.mark.parametrize("port", PATHS)
def test_connections_that_say_nothing_are_ended(served: Server, port: str) -> None:
    """Within the time that a handshake may take; others go on."""
    with healthy_beside(served, port):
        silent = http2_abuse.silent_connections(getattr(served, port))
        try:
            wait_until(lambda: all(map(http2_abuse.is_closed, silent)))
        finally:
            for connection in silent:
                connection.close()
