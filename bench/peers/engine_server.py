"""Engines behind the gRPC stack of Propono's workers, with nothing else around them.

    python -m bench.peers.engine_server loop --offers 100 --data DATA

What remains between two of these servers is matching. Each reads the attributes from
the call, and answers with names; nobody asks who calls, and nothing is counted. DATA
holds the work as published with attributes that are sent.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import click
import grpc

from bench.catalogs import SPACE, Caller
from bench.peers import catalog, zen_table
from bench.peers.propose import SERVICE
from bench.peers.work import TOP, Contact, work
from bench.revisions import calls
from bench.row_by_row import all_matching, rows_best_first
from server.engine.decision import decide
from server.rpc.queue_loop import QueueLoop
from server.rpc.queue_server import QueueServer
from server.transport import handlers, server_options
from server.wire import decision_pb2 as pb

Engine = Callable[[Contact], list[str]]


def engine(kind: str, offers: int, data: Path) -> Engine:
    """The best offers of a contact; raises NotInstalled."""
    if kind == "zen":
        return zen_table.engine(work(offers, 0))
    loaded = catalog.loaded(data)
    names = [offer.name for offer in loaded.record.offers]
    rows = rows_best_first(loaded)
    (empty,) = calls(loaded, [Caller((), (), ())], TOP)

    def called(contact: Contact) -> list[str]:
        call = empty._replace(context=(*empty.context, *catalog.slots(contact)))
        if kind == "loop":
            found = all_matching(rows, call.contact, call.context, TOP)
            return [names[number] for number in found]
        chosen = decide(call).spaces[0].chosen
        return [names[one.scored.offer.number] for one in chosen]

    return called


def answer(ask: Engine, data: bytes) -> bytes:
    """The bytes of an answer for those of a request."""
    sent = pb.ProposeRequest.FromString(data).context.fields
    contact = {name: getattr(v, v.WhichOneof("kind")) for name, v in sent.items()}
    answered = pb.ProposeResponse()
    result = answered.results.add(space=SPACE)
    for rank, name in enumerate(ask(contact), 1):
        result.propositions.add(offer=name, rank=rank)
    return answered.SerializeToString()


async def serve(ask: Engine, port: int) -> None:
    """Until SIGTERM."""

    async def propose(data: bytes, context: object) -> bytes:
        return answer(ask, data)

    handler = grpc.unary_unary_rpc_method_handler(propose)
    server = QueueServer(server_options(reuse_port=False))
    server.add_generic_rpc_handlers([handlers(SERVICE, {"Propose": handler})])
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await asyncio.Event().wait()


@click.command()
@click.argument("kind", type=click.Choice(["loop", "zen", "decide"]))
@click.option("--offers", type=int, required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--port", type=int, required=True)
def main(kind: str, offers: int, data: Path, port: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with asyncio.Runner(loop_factory=QueueLoop) as runner:
        runner.run(serve(engine(kind, offers, data), port))


if __name__ == "__main__":
    main()
