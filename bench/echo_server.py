"""Answers every Propose with the same bytes: what is left of a call is gRPC in Python.

    python -m bench.echo_server aio FILE
    python -m bench.echo_server threads FILE
    python -m bench.echo_server queue FILE

aio and threads are grpcio's own servers; queue is ours (`server.rpc`).

FILE holds the answer, and is read at the first call. It parses nothing, asks nobody who
calls, counts nothing. Prints its port, and serves until SIGTERM.
"""

# grpc's own stubs leave these calls untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
import grpc

from bench.processes import on_core
from server.rpc import core
from server.rpc.queue_loop import QueueLoop
from server.rpc.queue_server import QueueServer
from server.transport import (
    SERVER_OPTIONS,
    UnaryHandler,
    build_server,
    handlers,
    server_options,
)

ROOT = Path(__file__).parent.parent
#: What grpcio has to run it on, and what the decision port is served by.
STACKS = ("aio", "threads")
OURS = "queue"
#: More were not faster.
THREADS = 4
_SERVICE = "propono.v1.DecisionService"


@contextmanager
def echoing(stack: str, answer: Path, cpu: int | None = None) -> Generator[str]:
    """An echo in a process of its own, on one core if it is given; its address."""
    process = subprocess.Popen(
        [
            *on_core(cpu),
            *(sys.executable, "-m", "bench.echo_server", stack, str(answer)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        # The same for all stacks: grpcio's servers are faster so, too.
        env={**core.ENVIRONMENT, **os.environ},
    )
    try:
        assert process.stdout is not None
        yield f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def serve(stack: str, answer: Path) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if stack != "threads":
        loop_factory = QueueLoop if stack == OURS else None
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve_on_loop(stack, answer))
        return
    server = grpc.server(ThreadPoolExecutor(THREADS), options=SERVER_OPTIONS)
    held: list[bytes] = []

    def propose(data: bytes, context: grpc.ServicerContext) -> bytes:
        return held[0] if held else _read(held, answer)

    handler = grpc.unary_unary_rpc_method_handler(propose)
    server.add_generic_rpc_handlers((handlers(_SERVICE, {"Propose": handler}),))
    click.echo(server.add_insecure_port("127.0.0.1:0"))
    sys.stdout.flush()
    server.start()
    server.wait_for_termination()


async def _serve_on_loop(stack: str, answer: Path) -> None:
    held: list[bytes] = []

    def begin(data: bytes, context: object) -> bytes:
        return held[0] if held else _read(held, answer)

    async def propose(data: bytes, context: object) -> bytes:
        return begin(data, context)

    handler = UnaryHandler(propose, begin=begin)
    services = [handlers(_SERVICE, {"Propose": handler})]
    if stack == OURS:
        server = QueueServer(server_options(reuse_port=False))
        server.add_generic_rpc_handlers(services)
    else:
        server = build_server(services, reuse_port=False)
    click.echo(server.add_insecure_port("127.0.0.1:0"))
    sys.stdout.flush()
    await server.start()
    await asyncio.Event().wait()


def _read(held: list[bytes], answer: Path) -> bytes:
    held.append(answer.read_bytes())
    return held[0]


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
