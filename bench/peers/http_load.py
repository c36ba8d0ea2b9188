"""Load over HTTP/1.1, for the peer that speaks no gRPC: a connection a call in flight.

    python -m bench.peers.http_load 127.0.0.1:8181 /path FILE 64 2.0

FILE holds bodies as a JSON list, which are sent in turn. Prints what was measured.
"""

import asyncio
import json
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

from bench.peers.installation import ROOT
from bench.peers.load import Rate
from bench.peers.processes import cores
from bench.processes import on_core


def run(address: str, path: str, file: Path, in_flight: int, seconds: float) -> Rate:
    """Call for so long, from the clients' core."""
    command = [
        *on_core(cores()[1]),
        *(sys.executable, "-m", "bench.peers.http_load", address, path, str(file)),
        *(str(in_flight), str(seconds)),
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return Rate(*json.loads(done.stdout))


async def call(
    address: str, path: str, bodies: list[object], in_flight: int, seconds: float
) -> Rate:
    """Call in this process."""
    requests = cycle([_request(address, path, body) for body in bodies])
    began = time.perf_counter()
    samples: list[float] = []
    errors = 0

    async def connection() -> None:
        nonlocal errors
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < began + seconds:
            sent = time.perf_counter()
            writer.write(next(requests))
            status = await _status(reader)
            if status == 200:
                samples.append((time.perf_counter() - sent) * 1_000)
            else:
                errors += 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(connection() for _ in range(in_flight)))
    took = time.perf_counter() - began
    samples.sort()
    quantiles = (samples[int(len(samples) * share)] for share in (0.5, 0.99))
    return Rate(len(samples), len(samples) / took, *quantiles, errors)


def _request(address: str, path: str, body: object) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def _status(reader: asyncio.StreamReader) -> int:
    """Of one answer, which is read to its end."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    _, found, length = head.partition("content-length:")
    if found:
        await reader.readexactly(int(length.split()[0]))
    else:
        # In chunks, each after its length.
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head.split()[1])


def main(address: str, path: str, file: str, in_flight: str, seconds: str) -> None:
    bodies = json.loads(Path(file).read_text())
    rate = asyncio.run(call(address, path, bodies, int(in_flight), float(seconds)))
    print(json.dumps(rate))


if __name__ == "__main__":
    main(*sys.argv[1:])
