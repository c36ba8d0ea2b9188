"""The audit log on disk: appended, never rewritten, in files of bounded size.

DATA/audit/000000000001.jsonl   lines, oldest first; named by the number of its first
DATA/audit/lock                 held while one is appended

Readable by their owner only. Any process may append: the server's, and commands that
change the data folder themselves.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from server.audit.entries import (
    LINE_BYTES_MAX,
    NO_SHA256,
    AuditFailed,
    Entry,
    entry_of,
    hash_of_line,
    line_of,
)

#: Bytes after which the next line begins a new file.
FILE_BYTES_MAX = 16 << 20


class _End(NamedTuple):
    """Where the next line belongs."""

    number: int
    previous: str
    #: The file that it follows in; None before the first line of all.
    path: Path | None
    size_bytes: int


class AuditLog:
    """Appends to the log of one data folder; for any thread of any process."""

    def __init__(
        self,
        folder: Path,
        now_ms: Callable[[], int],
        file_bytes_max: int = FILE_BYTES_MAX,
    ) -> None:
        self._folder = folder
        self._now_ms = now_ms
        self._file_bytes_max = file_bytes_max

    def now(self) -> datetime:
        """For `Entry.at`."""
        return datetime.fromtimestamp(self._now_ms() / 1_000, UTC)

    def record(self, entry: Entry) -> int:
        """The number that the entry was given; it is on disk then. Waits for the disk,
        and for others who append.

        Raises AuditFailed; nothing was written then.
        """
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                return self._append(entry)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise AuditFailed(f"the audit log cannot be written: {error}") from None

    def _append(self, entry: Entry) -> int:
        end = self._end()
        numbered = msgspec.structs.replace(
            entry, number=end.number, previous=end.previous
        )
        line = line_of(numbered) + b"\n"
        path = end.path
        if path is None or end.size_bytes + len(line) > self._file_bytes_max:
            path = self._folder / file_name(end.number)
            _write(path, line, 0)
            _sync_folder(self._folder)
        else:
            _write(path, line, end.size_bytes)
        return end.number

    def _end(self) -> _End:
        """Behind the last whole line; of a line that was cut short nothing counts.

        It was never answered for: whoever wrote it ended before it was on disk.
        """
        for path in reversed(log_files(self._folder)):
            size_bytes, line = _last_line(path)
            if line is None:
                continue
            try:
                number = entry_of(line).number
            except msgspec.DecodeError as error:
                raise AuditFailed(
                    f"the last line of {path} is damaged ({error}): see `propono audit"
                    f" verify`; moving {self._folder} away begins another log"
                ) from None
            return _End(number + 1, hash_of_line(line), path, size_bytes)
        return _End(1, NO_SHA256, None, 0)


def log_files(folder: Path) -> list[Path]:
    """The files of a log, oldest first."""
    return sorted(folder.glob("[0-9]*.jsonl"))


def file_name(number: int) -> str:
    """Of the file that begins with that line."""
    return f"{number:012}.jsonl"


def _last_line(path: Path) -> tuple[int, bytes | None]:
    """Where the last whole line ends, and the line; None when there is none."""
    with path.open("rb") as file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - 2 * (LINE_BYTES_MAX + 1)))
        *lines, cut_short = file.read().split(b"\n")
    return size_bytes - len(cut_short), lines[-1] if lines else None


def _write(path: Path, data: bytes, at: int) -> None:
    """Bytes at the end of the file, on disk, or as if nothing had happened."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        # What was cut short behind it goes.
        os.ftruncate(descriptor, at)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(descriptor, data[written:], at + written)
            os.fsync(descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, at)
            raise
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
