"""A disk that fails now and then, or is slow to flush, under one folder's files.

    with TemporaryDirectory() as scratch:
        disk = FaultyDisk(data_folder, Path(scratch))
        server = subprocess.Popen(command, env={**os.environ, **disk.variables})
        disk.slow(flush_ms=10)
        ...
        disk.heal()

What is asked of it holds at once, in every process that has the variables and in
those that they start. Nothing else on the machine is slower or fails: the C library's
functions are replaced in these processes only (bench/faulty_disk.c).
"""

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("faulty_disk.c")
#: The fields of the C file's `struct control`, in its order.
_FIELDS = (
    "failures_ppm",
    "flush_delay_us",
    "seed",
    "draws",
    "failed_writes",
    "failed_flushes",
    "delayed_flushes",
)
_WORD = struct.Struct("=Q")


class CannotBuild(Exception):
    """This machine cannot build the disk; says what is missing."""


class FaultyDisk:
    """What the files below a folder are told to be on; healthy to begin with."""

    def __init__(self, folder: Path, scratch: Path, seed: int = 1) -> None:
        """Build it in `scratch`, for the files below `folder`; raises CannotBuild.

        With one seed the same calls fail, as far as processes make them in the same
        order.
        """
        gcc = shutil.which("gcc")
        if gcc is None:
            raise CannotBuild("gcc is not installed")
        library, control = scratch / "faulty_disk.so", scratch / "faulty_disk.control"
        subprocess.run(
            [
                *(gcc, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra"),
                *(str(SOURCE), "-o", str(library), "-ldl"),
            ],
            check=True,
        )
        control.write_bytes(bytes(_WORD.size * len(_FIELDS)))
        with control.open("r+b") as file:
            self._words = mmap.mmap(file.fileno(), 0)
        self._set("seed", seed)
        #: For the environment of the processes that are to run on this disk.
        self.variables = {
            "LD_PRELOAD": str(library),
            "FAULTY_DISK_CONTROL": str(control),
            "FAULTY_DISK_FOLDER": str(folder.resolve()),
        }

    def fail(self, share: float) -> None:
        """From now on that share of writes and flushes ends with EIO or ENOSPC.

        Half of those reach the disk all the same, as it can happen.
        """
        self._set("failures_ppm", round(share * 1_000_000))

    def slow(self, flush_ms: float) -> None:
        """From now on every flush takes so much longer. A commit of LMDB has two."""
        self._set("flush_delay_us", round(flush_ms * 1_000))

    def heal(self) -> None:
        self.fail(0)
        self.slow(0)

    @property
    def failed_writes(self) -> int:
        return self._get("failed_writes")

    @property
    def failed_flushes(self) -> int:
        return self._get("failed_flushes")

    @property
    def delayed_flushes(self) -> int:
        return self._get("delayed_flushes")

    def _get(self, field: str) -> int:
        return _WORD.unpack_from(self._words, _FIELDS.index(field) * _WORD.size)[0]

    def _set(self, field: str, value: int) -> None:
        _WORD.pack_into(self._words, _FIELDS.index(field) * _WORD.size, value)
