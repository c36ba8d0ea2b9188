"""A thread for what takes long: the admin port goes on answering meanwhile.

The design is read and changed on one, since LMDB's write transactions stay on theirs.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Made = TypeVar("Made")


class DesignThread:
    """Work waits its turn on it; asked from an event loop."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def run(self, work: Callable[[], Made]) -> "asyncio.Future[Made]":
        """What the work returns or raises."""
        # Who calls is known there as well.
        run = copy_context().run
        return asyncio.get_running_loop().run_in_executor(self._pool, run, work)

    def close(self) -> None:
        """Wait for the work that has begun."""
        self._pool.shutdown(cancel_futures=True)
