"""The slots in which a process counts, in memory that the admin process maps as well.

One file for each place of a process, whole before anything is counted: the first count
in a page that is a hole takes a block of the disk, and when there is none the kernel
ends the process (SIGBUS). A folder in memory would have to be large enough as well, and
/dev/shm has 64 MB in most containers. So the blocks are taken when the file is made,
and what cannot be taken is an error that can be handled. A process that is started
again goes on in the file of the one before: nothing is lost, and no block is needed.

A slot is one aligned 64-bit number, which a processor reads and writes whole: nobody
locks, and nobody waits.
"""

import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from catalog_store.durable_files import reserve
from server.metrics_layout import LAYOUT, MARK, PID, REVISION, SLOTS

#: Of one file: whole pages.
FILE_BYTES: Final = -(-SLOTS * 8 // mmap.PAGESIZE) * mmap.PAGESIZE


class Slots:
    """The slots of one process; see `server.metrics_layout` for what is where."""

    def __init__(self, memory: bytearray | mmap.mmap | None = None) -> None:
        """Memory of FILE_BYTES; without, what nobody else sees."""
        self.go_on_in(bytearray(FILE_BYTES) if memory is None else memory)

    def go_on_in(self, memory: bytearray | mmap.mmap) -> None:
        """Count there from now on."""
        view = memoryview(memory)
        #: All slots as whole numbers, and as floats: each is one or the other.
        self.numbers = view.cast("q")
        self.sums = view.cast("d")


def map_slots(folder: Path, place: int) -> mmap.mmap:
    """The slots of a place, with what whoever was there before counted.

    For one process, which is the only one there. Raises OSError; nothing is then made.
    """
    path = _path(folder, place)
    if path.exists() and not _is_ours(_mapped(path)):
        # Half made, or of a version that was replaced meanwhile: nobody can read it.
        path.unlink()
    reserve(path, FILE_BYTES)
    with path.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), FILE_BYTES)
    numbers = memoryview(memory).cast("q")
    numbers[REVISION], numbers[PID] = 0, os.getpid()
    # Last: from now on it is read.
    numbers[MARK] = LAYOUT
    return memory


def process_ended(folder: Path, place: int) -> None:
    """Forget what is only true of a process that lives; for whoever saw it end."""
    path = _path(folder, place)
    with suppress(OSError):
        if _is_ours(_mapped(path)):
            with path.open("r+b") as file:
                os.pwrite(file.fileno(), bytes(8), PID * 8)


def read_all(folder: Path) -> list[Slots]:
    """The slots of all processes, which go on counting in them.

    What is not such a file, or not whole yet, is left out: nothing was counted there.
    """
    found: list[Slots] = []
    for path in sorted(folder.glob("*.slots")):
        with suppress(OSError):
            memory = _mapped(path)
            if memory is not None and _is_ours(memory):
                found.append(Slots(memory))
    return found


def _path(folder: Path, place: int) -> Path:
    return folder / f"{place}.slots"


def _mapped(path: Path) -> mmap.mmap | None:
    """A file to be read; None when it is shorter than all are that are whole."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < FILE_BYTES:
            return None
        return mmap.mmap(file.fileno(), FILE_BYTES, access=mmap.ACCESS_READ)


def _is_ours(memory: mmap.mmap | None) -> bool:
    return memory is not None and Slots(memory).numbers[MARK] == LAYOUT
