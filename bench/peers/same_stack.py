"""Engines behind Propono's stack, as targets; see `engine_server`."""

import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.peers import load, propose
from bench.peers.catalog import Attributes
from bench.peers.installation import ROOT
from bench.peers.processes import first_answer, free_port, running
from bench.peers.target import Target
from bench.peers.work import Work
from server.rpc import core

#: What the kinds of engine_server are called in tables.
KINDS = {
    "decide": "our engine, same stack",
    "loop": "plain loop, same stack",
    "zen": "zen, same stack",
}


@contextmanager
def served(work: Work, kind: str, published: Path, folder: Path) -> Generator[Target]:
    """One engine; `published` holds the work, with attributes that are sent."""
    began = time.perf_counter()
    folder.mkdir()
    port = free_port()
    command = (
        *(sys.executable, "-m", "bench.peers.engine_server", kind),
        *("--offers", str(len(work.offers)), "--data", str(published)),
        *("--port", str(port)),
    )
    address = f"127.0.0.1:{port}"
    with ExitStack() as opened:
        process = opened.enter_context(
            running(command, folder, {"PYTHONPATH": str(ROOT), **core.ENVIRONMENT})
        )
        ask = propose.asker(work, Attributes.SENT, address, opened)
        first_answer(process, folder, partial(ask, 0))
        setup = time.perf_counter() - began
        requests = propose.requests(work, Attributes.SENT, address, folder)
        run = partial(load.run, requests)
        yield Target(KINDS[kind], setup, process.pid, ask, False, run)
