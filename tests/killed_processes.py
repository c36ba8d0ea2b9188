"""Processes that are killed at a moment: before a name or the disk changes."""

import os
import signal
from collections.abc import Callable

#: What changes names or the disk; somebody may be killed before each of them.
STEPS = ("fsync", "replace", "unlink")


def be_killed_at(last: int) -> None:
    """This process ends at a moment, from 0; it goes on when there are fewer."""
    moments = iter(range(last + 1))

    def moment() -> None:
        if next(moments) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def killed_before(call: Callable[..., object]) -> Callable[..., object]:
        def called(*arguments: object, **named: object) -> object:
            moment()
            return call(*arguments, **named)

        return called

    def killed_after(call: Callable[..., object]) -> Callable[..., object]:
        def called(*arguments: object, **named: object) -> object:
            result = call(*arguments, **named)
            moment()
            return result

        return called

    for name in STEPS:
        setattr(os, name, killed_before(getattr(os, name)))
    # With a file that is there, and empty.
    os.open = killed_after(os.open)
