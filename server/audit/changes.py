"""The change that is being made, for whoever knows what was before."""

from contextvars import ContextVar
from typing import Any


class Change:
    """What will be said of a change once it is made; anything here may stay None."""

    def __init__(self, resource: str = "") -> None:
        #: Its name: that in the request, until somebody knows better.
        self.resource = resource
        #: The resource as JSON values.
        self.before: Any = None
        self.after: Any = None


_current: ContextVar[Change | None] = ContextVar("current_change", default=None)


def begin_change(change: Change) -> None:
    """For the task of one call."""
    _current.set(change)


def current_change() -> Change:
    """Of the call that is being answered; what is said to it of another is lost."""
    return _current.get() or Change()
