"""Calls of a server next to those of an echo on the same stack.

    python -m bench.echo
    python -m bench.echo --seconds 10 --repeats 3

The echo answers every Propose with the bytes of one real answer, parses nothing and
decides nothing: what is left is gRPC in Python. It is run on grpc.aio and on threads;
the faster of the two is what the ratios are to. All in turn, as often as is asked for.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
import grpc

from bench import ghz
from bench.served_bank import ROOT, published, request, serving
from bench.timing import report
from server.client import Client
from server.transport import SERVER_OPTIONS, build_server, handlers
from server.wire import decision_pb2 as pb

IN_FLIGHT, CONNECTIONS = 64, 8
#: Of the echo on threads: more were not faster.
THREADS = 4
STACKS = ("aio", "threads")
_SERVICE = "propono.v1.DecisionService"


@click.command()
@click.option("--seconds", type=float, default=5.0, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(seconds: float, repeats: int, output: str) -> None:
    ghz.find()
    with TemporaryDirectory() as scratch:
        data, answer = Path(scratch) / "data", Path(scratch) / "answer"
        data.mkdir()
        published(data)
        with (
            serving(data, 1) as served,
            _echoing("aio", answer) as aio,
            _echoing("threads", answer) as threads,
        ):
            answer.write_bytes(_one_answer(served.address))
            targets = {
                "echo, aio": (aio, True),
                "echo, threads": (threads, True),
                "dry run": (served.address, True),
                "recorded": (served.address, False),
            }
            runs = {
                name: [
                    ghz.run(_load(address, dry_run, seconds)) for _ in range(repeats)
                ]
                for name, (address, dry_run) in targets.items()
            }
    fastest = max(
        median(one.rate for one in runs[f"echo, {stack}"]) for stack in STACKS
    )
    rows: list[dict[str, object]] = []
    for name, ended in runs.items():
        rates = sorted(one.rate for one in ended)
        rows.append(
            {
                "what": name,
                "calls/s": round(median(rates)),
                "range": f"{rates[0]:.0f} to {rates[-1]:.0f}",
                "p50_ms": round(median(one.p50_ms for one in ended), 1),
                "p99_ms": round(median(one.p99_ms for one in ended), 1),
                "to echo": round(median(rates) / fastest, 2),
                "errors": sum(sum(one.errors.values()) for one in ended),
            }
        )
    report(f"{IN_FLIGHT} in flight, {CONNECTIONS} connections", rows, output)


def _load(address: str, dry_run: bool, seconds: float) -> ghz.Load:
    return ghz.Load(address, request(dry_run=dry_run), IN_FLIGHT, CONNECTIONS, seconds)


def _one_answer(address: str) -> bytes:
    client = Client.connect(address)
    asked = pb.ProposeRequest(contact_id="C000001", dry_run=True)
    asked.spaces.add(space="web_home_side", max_propositions=3)
    asked.context.update({"page": "home"})
    try:
        return client.propose(asked).SerializeToString()
    finally:
        client.close()


@contextmanager
def _echoing(stack: str, answer: Path) -> Generator[str]:
    """An echo in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.echo", "serve", stack, str(answer)],
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
    """Answer with what the file holds, from the first call on, until SIGTERM."""
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
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
