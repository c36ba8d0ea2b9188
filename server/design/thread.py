"""The one thread on which the design is read and changed.

LMDB's write transactions stay on one, and what the admin process does besides goes on
while a change is checked.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


class DesignThread:
    """Work waits its turn on it; asked from an event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="design")

    def run(self, work: Callable[[], Made]) -> "asyncio.Future[Made]":
        """What the work returns or raises."""
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for the work that has begun."""
        self._pool.shutdown(cancel_futures=True)
