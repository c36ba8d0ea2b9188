"""What is relied on of grpcio's inside is there, in the version that is pinned."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import grpc

from server.rpc import core
from tests.servers import DEADLINE_SECONDS, children_of, serving


def test_grpcio_is_the_version_that_this_was_written_for() -> None:
    """Another one may do as well, once everything below was seen to hold with it."""
    assert grpc.__version__ == core.GRPCIO, (
        "grpcio was replaced: run tests/test_rpc_core.py, test_queue_loop.py,"
        " test_queue_server.py, test_admission.py, test_drain.py, test_http2_abuse.py"
        " and test_hammer.py, then say so in server/rpc/core.py"
    )


class NotHere:
    """A status."""

    code = grpc.StatusCode.NOT_FOUND
    details = "not here"
    trailing_metadata = (("grpc-status-details-bin", b"\x00"),)


class Server:
    """A server of a queue that nobody but the test asks."""

    def __init__(self) -> None:
        self.queue = core.CompletionQueue()
        self.server = core.new_server((), self.queue)
        self.port = self.server.add_http2_port(b"127.0.0.1:0")
        self.server.start()

    def next(self, seconds: float = DEADLINE_SECONDS) -> Any:
        return self.queue.poll(time.time() + seconds)

    def announced(self) -> Any:
        self.server.request_call(self.queue, self.queue, "announced")
        event = self.next()
        assert (event.tag, event.success) == ("announced", True)
        return event


@contextmanager
def served() -> Generator[tuple[Server, grpc.Channel]]:
    server = Server()
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield server, channel
    server.server.shutdown(server.queue, "stopped")
    assert server.next().tag == "stopped"
    server.server.destroy()


def test_a_call_is_events_and_batches() -> None:
    """Announced, its message, its answer and its end, each with the tag given."""
    with served() as (server, channel):
        called = channel.unary_unary("/a.B/C").future(b"hello", metadata=(("k", "v"),))
        event = server.announced()
        assert event.call_details.method == b"/a.B/C"
        assert ("k", "v") in event.invocation_metadata
        assert core.deadline_of(event) is None
        assert event.call.peer().startswith(b"ipv4:127.0.0.1:")
        assert core.peer_identities(event.call) is None
        core.receive_close(event.call, "closed")
        core.receive_message(event.call, "message")
        message = server.next()
        assert (message.tag, core.message_of(message)) == ("message", b"hello")
        core.send_answer(event.call, b"answer", "sent", is_last=False)
        ended = {one.tag: one for one in (server.next(), server.next())}

        assert called.result(DEADLINE_SECONDS) == b"answer"
        assert ended["sent"].success
        assert not core.was_cancelled(ended["closed"])


def test_an_answer_can_be_all_that_is_told_of() -> None:
    """One event when the call is over, also where its caller went before."""
    with served() as (server, channel):
        for is_gone in (False, True):
            called = channel.unary_unary("/a.B/C").future(b"hello")
            event = server.announced()
            core.receive_message(event.call, "message")
            assert server.next().tag == "message"
            if is_gone:
                called.cancel()
            core.send_answer(event.call, b"answer", "over", is_last=True)

            assert server.next().tag == "over"
            assert called.cancelled() or called.result() == b"answer"
        assert server.next(0.0).completion_type == core.TIMEOUT


def test_a_caller_who_goes_is_told_of() -> None:
    """While its message is waited for, which then never comes."""
    with served() as (server, channel):
        called = channel.unary_unary("/a.B/C").future(b"", timeout=0.2)
        event = server.announced()
        deadline = core.deadline_of(event)
        assert deadline is not None
        assert abs(deadline - time.time()) < 1
        core.receive_close(event.call, "closed")
        closed = server.next()

        assert closed.tag == "closed"
        assert core.was_cancelled(closed)
        assert called.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        core.send_end(event.call, "late", is_first=True)
        assert server.next().tag == "late"


def test_a_stream_ends_with_no_message() -> None:
    """Answers go out one by one, and then the status."""
    with served() as (server, channel):
        called = channel.stream_stream("/a.B/C")(iter([b"one"]))
        event = server.announced()
        core.receive_close(event.call, "closed")
        received = []
        for _ in range(2):
            core.receive_message(event.call, "message")
            received.append(core.message_of(server.next()))
        for is_first in (True, False):
            core.send_message(event.call, b"part", "part", is_first=is_first)
            assert server.next().success
        core.send_status(event.call, NotHere, "end", is_first=False)
        assert {server.next().tag, server.next().tag} == {"end", "closed"}

        assert received == [b"one", None]
        assert [next(called), next(called)] == [b"part", b"part"]
        assert called.code() is grpc.StatusCode.NOT_FOUND
        assert called.details() == "not here"
        assert ("grpc-status-details-bin", b"\x00") in called.trailing_metadata()


def test_a_bell_is_heard_though_its_call_is_over() -> None:
    """From another thread, in a queue that somebody waits for."""
    with served() as (server, channel):
        called = channel.unary_unary("/a.B/C").future(b"")
        event = server.announced()
        core.receive_close(event.call, "closed")
        core.send_answer(event.call, b"", "sent", is_last=False)
        assert {server.next().tag, server.next().tag} == {"sent", "closed"}
        called.result(DEADLINE_SECONDS)
        ringing = Thread(target=core.ring, args=(event.call, "bell"))
        ringing.start()

        assert server.next().tag == "bell"
        ringing.join()


def test_an_empty_queue_gives_nothing() -> None:
    """At once with 0, and after the time that was given."""
    with served() as (server, _):
        assert server.queue.poll(0).completion_type == core.TIMEOUT
        assert server.next(0.01).completion_type == core.TIMEOUT


def test_what_was_asked_for_ends_with_the_server() -> None:
    """A call that never came is told of as one that failed."""
    server = Server()
    server.server.request_call(server.queue, server.queue, "announced")
    server.server.shutdown(server.queue, "stopped")
    events = {event.tag: event for event in (server.next(), server.next())}
    server.server.destroy()

    assert not events["announced"].success
    assert events["stopped"].success


def test_who_answers_calls_also_reads_them(tmp_path: Path) -> None:
    """No thread of gRPC's is woken for a call of a worker, unlike by default."""
    calls = 200
    with serving(tmp_path / "data") as server:
        worker = children_of(server.process.pid)["worker0"]
        with grpc.insecure_channel(server.decisions) as channel:
            ask = channel.unary_unary("/grpc.health.v1.Health/Check")
            ask(b"", timeout=DEADLINE_SECONDS)
            before = wakes_of_grpc(worker)
            for _ in range(calls):
                ask(b"", timeout=DEADLINE_SECONDS)
            woken = wakes_of_grpc(worker) - before

    assert woken < calls / 2


def wakes_of_grpc(pid: int) -> int:
    """How often threads that gRPC makes for files had something to do."""
    woken = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        if (thread / "comm").read_text().startswith("event_engine"):
            status = (thread / "status").read_text()
            woken += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return woken
