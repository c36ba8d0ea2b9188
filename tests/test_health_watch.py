"""Health that is watched: every change is told, and a server that ends says goodbye."""

import asyncio
import os
import signal
import threading
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from server.standard_services import Health
from server.transport import build_server
from tests.servers import BANK, DEADLINE_SECONDS, run, serving, wait_until

WATCH = "/grpc.health.v1.Health/Watch"


def named(answer: health_pb2.HealthCheckResponse) -> str:
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


@pytest.mark.parametrize("port", ["decisions", "admin"])
def test_who_watches_keeps_no_server_from_ending(tmp_path: Path, port: str) -> None:
    """NOT_SERVING, and the end of the stream; not a stream that is cut off."""
    data = tmp_path / "data"
    run("catalog", "publish", BANK, "--data", data)
    seen: list[str] = []
    ended: list[grpc.StatusCode] = []
    with serving(data) as server:

        def watch() -> None:
            nonlocal seen
            address = server.decisions if port == "decisions" else server.admin
            with grpc.insecure_channel(address) as channel:
                call = channel.unary_stream(
                    WATCH,
                    response_deserializer=health_pb2.HealthCheckResponse.FromString,
                )
                answers = call(b"", timeout=DEADLINE_SECONDS)
                try:
                    for answer in answers:
                        seen += [named(answer)]
                except grpc.RpcError as error:
                    ended.append(error.code())
                else:
                    ended.append(answers.code())

        watching = threading.Thread(target=watch)
        watching.start()
        wait_until(lambda: seen == ["SERVING"])
        os.kill(server.process.pid, signal.SIGTERM)
        watching.join(DEADLINE_SECONDS)

    assert seen == ["SERVING", "NOT_SERVING"]
    assert ended == [grpc.StatusCode.OK]


def test_every_change_is_told_to_everybody_who_watches() -> None:
    """Of the service that was asked about; an unknown one is until it is known."""

    async def use() -> None:
        health = Health(["bank"])
        server = build_server([health.rpc_handlers()], reuse_port=False)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

            async def watch(service: str) -> list[str]:
                call = channel.unary_stream(
                    WATCH,
                    request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                    response_deserializer=health_pb2.HealthCheckResponse.FromString,
                )
                found: list[str] = []
                request = health_pb2.HealthCheckRequest(service=service)
                async for answer in call(request, timeout=DEADLINE_SECONDS):
                    found.append(named(answer))
                    said[service].set()
                    said[service] = asyncio.Event()
                return found

            names = ("", "bank", "bank/part")
            said = {name: asyncio.Event() for name in names}

            async def told(*services: str) -> None:
                waiting = [said[name].wait() for name in services]
                await asyncio.wait_for(asyncio.gather(*waiting), DEADLINE_SECONDS)

            hearing = asyncio.create_task(told(*names))
            watching = [asyncio.create_task(watch(name)) for name in names]
            await hearing
            hearing = asyncio.create_task(told("", "bank"))
            await asyncio.sleep(0)
            await health.set(serving=False)
            await hearing
            hearing = asyncio.create_task(told("bank/part"))
            await asyncio.sleep(0)
            await health.set_part("bank/part", serving=True)
            await hearing
            await health.end()
            found = dict(zip(names, await asyncio.gather(*watching), strict=True))
        await server.stop(DEADLINE_SECONDS)

        assert found == {
            "": ["SERVING", "NOT_SERVING"],
            "bank": ["SERVICE_UNKNOWN", "NOT_SERVING"],
            "bank/part": ["SERVICE_UNKNOWN", "SERVING", "NOT_SERVING"],
        }

    asyncio.run(use())
