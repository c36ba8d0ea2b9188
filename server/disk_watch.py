"""Looks at what is left of the disk, so that recording ends before it is full.

One process looks, once a second; all others read what it found. What is left below the
reserve is for purging, erasing and publishing, which make room or cost little.
"""

import asyncio
import logging
import os
from pathlib import Path

from contact_store.lmdb_env import MAP_BYTES
from server.data_folder import DataFolder
from server.recording_state import DISK_LOW, MAP_LOW, POSSIBLE
from server.shared_page import MAP_FREE_BYTES, RECORDING, SharedPage

#: Of the file system with the data folder, unless `propono serve --disk-reserve` says
#: otherwise; the same of the map.
RESERVE_BYTES = 512 << 20
#: Between two looks.
LOOK_SECONDS = 1.0
#: Recording goes on when so many times the reserve is free: not for a moment only.
ENOUGH = 1.1

_STATES = {
    POSSIBLE: "there is room again: recorded calls go on",
    DISK_LOW: "the disk has less than the reserve left: recorded calls are refused",
    MAP_LOW: "the history has grown to the end of its map: recorded calls are refused;"
    " stop the server and give space back with `propono doctor --compact`",
}

_log = logging.getLogger(__name__)


class DiskWatch:
    """Looks at one data folder, and writes what it finds into the page."""

    def __init__(
        self,
        data: DataFolder,
        page: SharedPage,
        reserve_bytes: int = RESERVE_BYTES,
        map_bytes: int = MAP_BYTES,
    ) -> None:
        self._data = data
        self._cells = page.cells
        self._reserve_bytes = reserve_bytes
        self._map_bytes = map_bytes

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look once; what cannot be looked at is left as it was."""
        try:
            disk_free = _free_bytes(self._data.root)
        except OSError:
            _log.exception("the free space of %s cannot be read", self._data.root)
            return
        map_free = self._map_bytes - _size_bytes(self._data.history / "data.mdb")
        before = self._cells[RECORDING]
        wanted = self._reserve_bytes * (1.0 if before == POSSIBLE else ENOUGH)
        state = POSSIBLE
        if disk_free < wanted:
            state = DISK_LOW
        elif map_free < min(wanted, self._map_bytes / 2):
            state = MAP_LOW
        self._cells[MAP_FREE_BYTES] = map_free
        self._cells[RECORDING] = state
        if state != before:
            level = logging.INFO if state == POSSIBLE else logging.ERROR
            _log.log(level, "%s; %d bytes are free", _STATES[state], disk_free)


def _free_bytes(path: Path) -> int:
    """For whoever is not the administrator of the machine."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
