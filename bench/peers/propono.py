"""Propono as it is served: `propono serve`, one worker, dry runs."""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.peers import catalog, load, propose
from bench.peers.catalog import Attributes
from bench.peers.processes import cores
from bench.peers.target import Target
from bench.peers.work import Work
from bench.served_bank import serving

#: What the two ways are called in tables, by where the attributes come from.
PROFILE, CALL = "propono, stored", "propono, sent"


@contextmanager
def served(work: Work, attributes: Attributes, data: Path) -> Generator[Target]:
    """Publish the work into a new data folder, and serve it."""
    began = time.perf_counter()
    data.mkdir()
    catalog.publish(work, attributes, data)
    if attributes is Attributes.STORED:
        catalog.store_contacts(work, data)
    with ExitStack() as opened:
        up = opened.enter_context(serving(data, 1, cpu=cores()[0]))
        ask = propose.asker(work, attributes, up.address, opened)
        ask(0)
        setup = time.perf_counter() - began
        requests = propose.requests(work, attributes, up.address, data)
        yield Target(
            PROFILE if attributes is Attributes.STORED else CALL,
            setup,
            up.pid,
            ask,
            False,
            partial(load.run, requests),
        )
