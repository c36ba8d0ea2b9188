"""The audit log, read again: every line, and whether it is the one that was written."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from server.audit.entries import LINE_BYTES_MAX, Entry, entry_of, hash_of_line
from server.audit.log import file_name, log_files


class Broken(Exception):
    """A line is not the one that was written there, or lines are gone; says which."""

    def __init__(self, path: Path, line_number: int, why: str) -> None:
        super().__init__(f"{path}:{line_number}: {why}")


class Line(NamedTuple):
    """An entry, and the hash that the next one holds of it."""

    entry: Entry
    sha256: str


def read_log(folder: Path) -> Iterator[Line]:
    """Every line, oldest first; raises Broken at the first that is wrong, and OSError.

    Files at the beginning may have been moved away: it begins with what is there. A
    last line that was cut short is not one.
    """
    before: Line | None = None
    paths = log_files(folder)
    for path in paths:
        for number, line in _lines(path, is_last=path == paths[-1]):
            entry = _entry(path, number, line)
            if before is None:
                before = Line(entry, entry.previous)
                begins_at = entry.number
            else:
                begins_at = before.entry.number + 1
            why = _wrong(entry, begins_at, before.sha256)
            if why is None and number == 1 and path.name != file_name(entry.number):
                why = f"begins with line {entry.number} of the log, not as it is named"
            if why is not None:
                raise Broken(path, number, why)
            before = Line(entry, hash_of_line(line))
            yield before


def _lines(path: Path, *, is_last: bool) -> Iterator[tuple[int, bytes]]:
    number = 0
    with path.open("rb") as file:
        while line := file.readline(LINE_BYTES_MAX + 2):
            number += 1
            if line.endswith(b"\n"):
                yield number, line[:-1]
            elif len(line) > LINE_BYTES_MAX + 1:
                raise Broken(path, number, "is longer than any line")
            elif not is_last:
                raise Broken(path, number, "is cut short")


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        return entry_of(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(path, number, f"is no entry: {error}") from None


def _wrong(entry: Entry, number: int, previous: str) -> str | None:
    if entry.number != number:
        return f"is number {entry.number} where {number} belongs: lines are gone"
    if entry.previous != previous:
        return (
            "does not follow the line before: one of the two was altered"
            f" (it holds {entry.previous[:16]}, that line has {previous[:16]})"
        )
    return None
