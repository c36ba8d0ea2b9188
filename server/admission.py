"""Which calls a process takes on: so many at once, and none that nobody waits for.

Calls are counted once their message is there, not when they are announced: whoever
announces calls and sends no message keeps nobody else out. Health and reflection are
not counted: they answer under any load.

A dry run is decided in one step as soon as its message is there, so it never waits
here; what waits is what goes to disk, what is explained, and batches. Calls whose
messages nobody has looked at wait in gRPC, and end there at their deadlines.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from server.refusals import Overloaded, TooLate

#: Calls in flight in one worker unless `propono serve --calls-max` says otherwise.
CALLS_MAX = 256
#: The most that it may say.
CALLS_MAX_LIMIT = 10_000

AnswerT = TypeVar("AnswerT")


class Deadline(Protocol):
    """What gRPC knows of a call's end."""

    def time_remaining(self) -> float | None:
        """Seconds; None when the caller set no deadline."""
        ...

    def cancelled(self) -> bool:
        """Whether the caller has gone."""
        ...


class Admission:
    """Counts the calls in flight; one for all methods of a process."""

    def __init__(
        self, calls_max: int = CALLS_MAX, refused: Callable[[], None] = lambda: None
    ) -> None:
        """`refused` is told of each call that is not taken on."""
        self._calls_max = calls_max
        self._calls = 0
        self._refused = refused

    def __enter__(self) -> None:
        """Raises Overloaded."""
        if self._calls >= self._calls_max:
            self._refused()
            raise Overloaded(self._calls_max)
        self._calls += 1

    def __exit__(self, *_: object) -> None:
        self._calls -= 1


def seconds_left(deadline: Deadline) -> float | None:
    """Until nobody waits for the answer any more; None when somebody always does.

    Raises TooLate, and CancelledError when the caller has gone.
    """
    if deadline.cancelled():
        raise asyncio.CancelledError
    seconds = deadline.time_remaining()
    if seconds is not None and seconds <= 0.0:
        raise TooLate
    return seconds


def is_late(deadline: Deadline) -> bool:
    """Whether the caller's deadline has passed."""
    seconds = deadline.time_remaining()
    return seconds is not None and seconds <= 0.0


async def awaited(pending: Awaitable[AnswerT], seconds: float | None) -> AnswerT:
    """What comes of it; cancels it and raises TooLate once so many seconds are over.

    gRPC says that a deadline has passed when it comes to it, which under load is
    after the work was done in vain.
    """
    if seconds is None:
        return await pending
    future = asyncio.ensure_future(pending)
    is_late = False

    def give_up() -> None:
        nonlocal is_late
        is_late = future.cancel()

    # Not `asyncio.timeout`: the first step of a call has no task of its own.
    # PERF: 12 us, 6 of them the task's; by `asyncio.wait` it was 25 (CPython 3.11, two
    # busy cores).
    timer = asyncio.get_running_loop().call_later(seconds, give_up)
    try:
        return await future
    except asyncio.CancelledError:
        if is_late:
            raise TooLate from None
        raise
    finally:
        timer.cancel()
