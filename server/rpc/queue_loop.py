"""An event loop that waits on gRPC's completion queue.

The loop's own files (signals, pipes, wake-ups of other threads) are looked at in each
turn, and at least every 20 ms; between them it waits where gRPC's events come. What an
event is about runs at once, in the loop's thread, before the callbacks of that turn: no
other thread, no pipe and no future is between a call's message and its handler.

Whoever wakes the loop from another thread rings a bell: an empty batch on any call,
which gRPC answers through the queue. Before the first call there is none, and the loop
notices within those 20 ms.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from selectors import DefaultSelector, SelectorKey
from typing import Any

from server.rpc import core

#: The longest time in which nobody looks at the loop's own files.
IDLE_SECONDS = 0.02
#: Events of gRPC in one turn: what waits in the loop has its turn after so many.
EVENTS_MAX = 16

_log = logging.getLogger(__name__)


class QueueLoop(asyncio.SelectorEventLoop):
    """Runs callbacks and tasks as any loop, and what is told to its queue's tags."""

    def __init__(self) -> None:
        self._events = _QueueSelector()
        super().__init__(self._events)

    @property
    def queue(self) -> Any:
        """Tags of what is asked for are called with their event."""
        return self._events.queue

    def use_as_bell(self, call: Any) -> None:
        """Wake up by this call from now on; the one before is let go."""
        self._events.bell = call

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self._events.wake()
        return handle

    def close(self) -> None:
        """Servers on this loop must have stopped."""
        self._events.bell = None
        super().close()


class _QueueSelector(DefaultSelector):
    """Selects files, and waits for gRPC meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: Any = core.CompletionQueue()
        self.bell: Any = None

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        ready = super().select(0)
        seconds = IDLE_SECONDS if timeout is None else min(timeout, IDLE_SECONDS)
        self._handle_events(0 if ready or seconds <= 0 else time.time() + seconds)
        return ready

    def wake(self) -> None:
        bell = self.bell
        if bell is not None:
            core.ring(bell, _woken)

    def _handle_events(self, deadline: float) -> None:
        poll, timeout = self.queue.poll, core.TIMEOUT
        for _ in range(EVENTS_MAX):
            event = poll(deadline)
            if event.completion_type == timeout:
                return
            try:
                event.tag(event)
            except Exception:
                # A mistake of ours in one call must not end the others.
                _log.exception("an event of gRPC could not be handled")
            # It may hold the last reference to a call, and gRPC waits for that.
            del event
            deadline = 0


def _woken(event: Any) -> None:
    """Nothing is to be done: whoever rang has told the loop what to call."""
