"""Whether anything can be recorded now; asked before each recorded call.

`disk_watch`, in the supervisor, finds out, and writes it into the page that all
processes map. Whoever records calls `check` first: decision service and batches.
"""

from collections.abc import Callable
from typing import TypeAlias

from server.refusals import LowDisk
from server.shared_page import RECORDING, SharedPage

#: Values of the cell.
POSSIBLE = 0
DISK_LOW = 1
MAP_LOW = 2

#: Raises what a caller is to be told while nothing can be recorded.
CheckRecording: TypeAlias = Callable[[], None]


class RecordingState:
    """What the page says; PERF: `check` takes 0.1 us."""

    def __init__(
        self, page: SharedPage, refused: Callable[[], None] = lambda: None
    ) -> None:
        """`refused` is told of each call that finds recording impossible."""
        self._cells = page.cells
        self._refused = refused

    @property
    def is_possible(self) -> bool:
        return self._cells[RECORDING] == POSSIBLE

    def check(self) -> None:
        """Raises LowDisk."""
        state = self._cells[RECORDING]
        if state != POSSIBLE:
            self._refused()
            raise LowDisk(is_map=state == MAP_LOW)


def always_recording() -> None:
    """For where nobody watches the disk."""
