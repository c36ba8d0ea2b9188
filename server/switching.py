"""Whether every worker decides with a revision: what a publisher waits for."""

import asyncio

from catalog_store.signal_page import Signal, WorkersBehind

#: How long workers may take; 100,000 offers load in less than a second.
SWITCH_SECONDS = 30.0

_LOOK_SECONDS = 0.002


async def all_switched(
    signal: Signal, number: int, seconds: float = SWITCH_SECONDS
) -> int:
    """Wait until every worker that is alive serves the revision, or a later one.

    Returns how many they are. A worker that is being started is waited for, one that
    is dead is not: the next one reads CURRENT before it listens. Raises WorkersBehind
    when some refused it, or the time is over.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        workers = signal.workers()
        behind = [worker for worker in workers if worker.serving < number]
        if not behind:
            return len(workers)
        refusing = [worker for worker in behind if worker.refused >= number]
        if len(refusing) == len(behind) or loop.time() > deadline:
            raise WorkersBehind(
                f"revision {number} is published, but {len(behind)} of {len(workers)}"
                " workers decide with an earlier one: see the server's log"
            )
        await asyncio.sleep(_LOOK_SECONDS)
