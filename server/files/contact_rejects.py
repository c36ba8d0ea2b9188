"""The file of rejected rows: one line for each bad cell, made when there is one."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TextIO

#: Characters of a bad cell that are shown.
VALUE_MAX = 200


class Reject(NamedTuple):
    """One bad cell; `line` is where its row begins."""

    line: int
    column: str
    value: str
    reason: str


class Rejects:
    """Writes rejected rows beside the import, for `with`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        #: Rejected rows; a row with several bad cells is one.
        self.rows = 0

    @property
    def path(self) -> Path | None:
        """The file; None while nothing was rejected."""
        return None if self._file is None else self._path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, cells: Sequence[Reject]) -> None:
        """All bad cells of one row."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(Reject._fields)
        for cell in cells:
            self._writer.writerow(cell._replace(value=cell.value[:VALUE_MAX]))
        self.rows += 1
