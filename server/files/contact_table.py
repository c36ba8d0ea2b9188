"""What an import needs of a file, whatever its format."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from catalog_store.records import Attribute
from contact_store.slots import Slot

#: A cell as the format gives it; None is absent.
Cell = object


class ContactFileError(Exception):
    """The file as a whole cannot be imported; nothing of it was loaded."""

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        place = str(path) if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {reason}")
        self.line = line


class BadColumn(ValueError):
    """A column whose cells can never be what is wanted of it."""


class ContactTable(Protocol):
    """Rows of named cells."""

    #: Names of the columns, in the file's order, as they stand there.
    header: tuple[str, ...]
    #: What `done` is at the end.
    total: int

    @property
    def done(self) -> int:
        """How far the rows have been read, for progress."""
        ...

    def parser_of(self, attribute: Attribute) -> Callable[[Cell], Slot]:
        """Turns a cell into a value or raises BadCell.

        Raises BadColumn.
        """
        ...

    def check_key(self, column: str) -> None:
        """Raise BadColumn when its cells cannot be parts of a key."""
        ...

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Line where each row begins, and its cells in the order of `columns`.

        Raises ContactFileError at the first row that is none.
        """
        ...

    def close(self) -> None: ...
