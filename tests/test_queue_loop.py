"""The loop that waits for gRPC does what other loops do."""

import asyncio
import os
import time
from collections.abc import Coroutine
from threading import Event
from typing import Any

import grpc
import pytest

from server.rpc.queue_loop import EVENTS_MAX, QueueLoop
from server.rpc.queue_server import QueueServer
from server.transport import handlers, server_options
from tests.servers import DEADLINE_SECONDS


def run(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=QueueLoop) as runner:
        return runner.run(asyncio.wait_for(main, DEADLINE_SECONDS))


def test_timers_threads_and_files_wake_it() -> None:
    """Before there was any call."""

    async def main() -> list[object]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.001)
        from_thread = await asyncio.to_thread(lambda: "a thread")
        read_end, write_end = os.pipe()
        readable = asyncio.Event()
        loop.add_reader(read_end, readable.set)
        loop.call_later(0.001, os.write, write_end, b"x")
        await readable.wait()
        loop.remove_reader(read_end)
        os.close(read_end)
        os.close(write_end)
        return [from_thread]

    assert run(main()) == ["a thread"]


def test_a_thread_wakes_it_at_once_after_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long it would have waited otherwise."""
    monkeypatch.setattr("server.rpc.queue_loop.IDLE_SECONDS", 10 * DEADLINE_SECONDS)

    async def main() -> str:
        server = QueueServer(server_options(reuse_port=False))

        async def answer(data: bytes, call: Any) -> bytes:
            waiting = Event()
            thread = asyncio.to_thread(waiting.wait, DEADLINE_SECONDS)
            asyncio.get_running_loop().call_later(0.05, waiting.set)
            assert await thread
            return b"woken"

        handler = grpc.unary_unary_rpc_method_handler(answer)
        server.add_generic_rpc_handlers([handlers("a.B", {"C": handler})])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        text = await asyncio.to_thread(_called, port)
        await server.stop(None)
        return text

    began = time.monotonic()
    assert run(main()) == "woken"
    assert time.monotonic() - began < DEADLINE_SECONDS


def _called(port: int) -> str:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return channel.unary_unary("/a.B/C")(b"", timeout=DEADLINE_SECONDS).decode()


class Failing:
    """An event whose handling fails, and one that is counted."""

    completion_type = None

    def __init__(self, fails: bool, seen: list[bool]) -> None:
        self._fails = fails
        self._seen = seen

    def tag(self, event: "Failing") -> None:
        self._seen.append(self._fails)
        if self._fails:
            raise ValueError("a mistake of ours")


class Queue:
    """Has always another event."""

    def __init__(self) -> None:
        self.seen: list[bool] = []

    def poll(self, deadline: float) -> Failing:
        return Failing(len(self.seen) == 0, self.seen)


def test_an_event_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; and those that always come leave a turn to what waits."""
    queue = Queue()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, QueueLoop)
        real, loop._events.queue = loop._events.queue, queue
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        loop._events.queue = real

    run(main())

    assert queue.seen[0]
    assert len(queue.seen) % EVENTS_MAX == 0
    assert "an event of gRPC could not be handled" in caplog.text


def test_it_waits_for_timers_no_longer_than_it_must() -> None:
    """A timer that is due comes before the time in which files are looked at."""

    async def main() -> float:
        began = time.monotonic()
        for _ in range(10):
            await asyncio.sleep(0)
        return time.monotonic() - began

    assert run(main()) < DEADLINE_SECONDS
