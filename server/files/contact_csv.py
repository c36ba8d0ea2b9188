"""A CSV file as rows of cells: UTF-8, a header, and every row as long as it."""

import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from catalog_store.records import Attribute
from contact_store.slots import Slot
from server.files.contact_cells import parser_of
from server.files.contact_table import Cell, ContactFileError

#: Tried when none is given.
DELIMITERS = (",", ";", "\t", "|")
#: One row with all its lines; bounds what a missing quote or newline can make us hold.
ROW_CHARACTERS_MAX = 1 << 20


class _RowReader(Protocol):
    """What the standard library's reader is."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...

    def __iter__(self) -> "_RowReader": ...


class CsvTable:
    """Reads one CSV file; see ContactTable."""

    def __init__(self, path: Path, delimiter: str | None, keys: Sequence[str]) -> None:
        """Open the file and read its header.

        Without a delimiter, the one that gives the header all keys and the most
        columns is taken. Raises ContactFileError and OSError.
        """
        self._path = path
        self._file = path.open("rb")
        self._text = io.TextIOWrapper(self._file, encoding="utf-8-sig", newline="")
        try:
            self.total = path.stat().st_size
            self._row_characters = 0
            self._delimiter = delimiter or self._likely_delimiter(keys)
            self._reader = self._read_from_start(self._delimiter)
            self.header = self._read_header()
        except BaseException:
            self.close()
            raise

    @property
    def done(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._text.close()

    def parser_of(self, attribute: Attribute) -> Callable[[Cell], Slot]:
        return cast(Callable[[Cell], Slot], parser_of(attribute.type))

    def check_key(self, column: str) -> None:
        """Any text may be part of a key."""

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
        places = [self.header.index(column) for column in columns]
        width = len(self.header)
        while True:
            line = self._reader.line_num + 1
            row = self._next_row(line)
            if row is None:
                return
            if len(row) == width:
                yield line, [row[place] or None for place in places]
            elif row:
                raise ContactFileError(
                    self._path,
                    f"the row has {len(row)} cells and the header {width}:"
                    " quote cells that hold the delimiter",
                    line,
                )

    def _read_header(self) -> tuple[str, ...]:
        header: list[str] | None = []
        while not header:
            header = self._next_row(1)
            if header is None:
                raise ContactFileError(self._path, "empty: a header is needed")
        return tuple(header)

    def _next_row(self, line: int) -> list[str] | None:
        self._row_characters = 0
        with self._mistakes(line):
            return next(self._reader, None)

    def _likely_delimiter(self, keys: Sequence[str]) -> str:
        with self._mistakes(1):
            first = next((line for line in self._lines() if line.strip()), "\n")

        def columns(delimiter: str) -> tuple[bool, int]:
            try:
                header = next(csv.reader([first], delimiter=delimiter))
            except csv.Error:
                return False, 0
            return set(keys) <= set(header), len(header)

        return max(DELIMITERS, key=columns)

    @contextmanager
    def _mistakes(self, line: int) -> Generator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            raise ContactFileError(
                self._path, "not UTF-8: save the file as UTF-8", line
            ) from error
        except csv.Error as error:
            raise ContactFileError(self._path, f"not CSV: {error}", line) from error

    def _read_from_start(self, delimiter: str) -> "_RowReader":
        try:
            return csv.reader(self._lines(), delimiter=delimiter, strict=True)
        except (TypeError, ValueError) as error:
            raise ContactFileError(
                self._path, "the delimiter must be one character"
            ) from error

    def _lines(self) -> Iterator[str]:
        self._text.seek(0)
        self._row_characters = 0
        while line := self._text.readline(ROW_CHARACTERS_MAX + 1):
            self._row_characters += len(line)
            if self._row_characters > ROW_CHARACTERS_MAX:
                raise csv.Error(
                    f"a row of more than {ROW_CHARACTERS_MAX} characters;"
                    " is a closing quote missing?"
                )
            if "\x00" in line:
                raise csv.Error("it holds NUL characters")
            yield line
