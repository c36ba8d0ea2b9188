"""Answers every Propose with the same bytes: what is left of a call is gRPC in Python.

    python -m bench.echo_server aio FILE
    python -m bench.echo_server threads FILE

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
from server.transport import SERVER_OPTIONS, build_server, handlers

ROOT = Path(__file__).parent.parent
#: What it can be run on.
STACKS = ("aio", "threads")
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
    if stack == "aio":
        asyncio.run(_serve_aio(answer))
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


async def _serve_aio(answer: Path) -> None:
    held: list[bytes] = []

    async def propose(data: bytes, context: object) -> bytes:
        return held[0] if held else _read(held, answer)

    handler = grpc.unary_unary_rpc_method_handler(propose)
    server = build_server([handlers(_SERVICE, {"Propose": handler})], reuse_port=False)
    click.echo(server.add_insecure_port("127.0.0.1:0"))
    sys.stdout.flush()
    await server.start()
    await server.wait_for_termination()


def _read(held: list[bytes], answer: Path) -> bytes:
    held.append(answer.read_bytes())
    return held[0]


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
