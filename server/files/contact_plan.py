"""Which columns of a file are read, and what makes contact ids and values of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from catalog_store.records import Attribute
from contact_store.slots import Slot
from server.files.contact_cells import BadCell
from server.files.contact_rejects import Reject
from server.files.contact_table import BadColumn, Cell, ContactFileError, ContactTable

#: As a key: contacts are called by the number of their row, from 1.
ROW_NUMBER_KEY = "#row"
#: Between the parts of a composite key.
KEY_SEPARATOR = "|"


class Plan:
    """Which columns are read, and what makes ids and values of their cells."""

    def __init__(
        self,
        path: Path,
        table: ContactTable,
        attributes: Sequence[Attribute],
        key: Sequence[str],
    ) -> None:
        """Raise ContactFileError with everything that is wrong with the columns."""
        wrong = _header_mistakes(table.header, attributes, key)
        if wrong:
            raise ContactFileError(path, "; ".join(wrong))
        header = set(table.header)
        self.key = () if list(key) == [ROW_NUMBER_KEY] else tuple(key)
        self.attributes = tuple(attributes)
        self.present = tuple(a.name for a in attributes if a.name in header)
        self.missing = tuple(a.name for a in attributes if a.name not in header)
        known = {*self.key, *self.present}
        self.ignored = tuple(c for c in table.header if c not in known)

        self._parsers: list[Callable[[Cell], Slot]] = []
        for column in self.key:
            try:
                table.check_key(column)
            except BadColumn as error:
                wrong.append(str(error))
        for attribute in attributes:
            if attribute.name in header:
                try:
                    self._parsers.append(table.parser_of(attribute))
                except BadColumn as error:
                    wrong.append(str(error))
        if wrong:
            raise ContactFileError(path, "; ".join(wrong))
        #: Of each declared attribute, its place among those present.
        self._places = [
            self.present.index(a.name) if a.name in header else None for a in attributes
        ]

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.key, *self.present)

    def contact_id(self, number: int, cells: Sequence[Cell]) -> str:
        """The row's contact id; raises BadCell."""
        if not self.key:
            return str(number)
        parts = ["" if cell is None else str(cell) for cell in cells[: len(self.key)]]
        if "" in parts:
            raise BadCell("empty: every part of the key is needed")
        if len(parts) > 1 and any(KEY_SEPARATOR in part for part in parts):
            raise BadCell(f"holds {KEY_SEPARATOR!r}, which separates parts of a key")
        return KEY_SEPARATOR.join(parts)

    def values(self, cells: Sequence[Cell]) -> list[Slot]:
        """A value for each declared attribute; raises BadCell at the first mistake."""
        values = [
            None if cell is None else parse(cell)
            for parse, cell in zip(self._parsers, cells[len(self.key) :], strict=True)
        ]
        if not self.missing:
            return values
        # All declared attributes are stored, so that all profiles have one layout.
        return [None if place is None else values[place] for place in self._places]

    def mistakes(self, line: int, number: int, cells: Sequence[Cell]) -> list[Reject]:
        """Everything that is wrong with a row's cells."""
        found: list[Reject] = []
        try:
            self.contact_id(number, cells)
        except BadCell as error:
            found.append(self.key_mistake(line, cells, str(error)))
        for column, parse, cell in zip(
            self.present, self._parsers, cells[len(self.key) :], strict=True
        ):
            try:
                if cell is not None:
                    parse(cell)
            except BadCell as error:
                found.append(Reject(line, column, str(cell), str(error)))
        return found

    def key_mistake(self, line: int, cells: Sequence[Cell], reason: str) -> Reject:
        shown = ["" if cell is None else str(cell) for cell in cells[: len(self.key)]]
        column = KEY_SEPARATOR.join(self.key) or ROW_NUMBER_KEY
        return Reject(line, column, KEY_SEPARATOR.join(shown), reason)


def _header_mistakes(
    header: Sequence[str], attributes: Sequence[Attribute], key: Sequence[str]
) -> list[str]:
    wrong = [
        f"the header has {count} columns named {name!r}: keep one"
        for name, count in Counter(header).items()
        if count > 1
    ]
    if not key:
        wrong.append(f"no key: name the columns, or {ROW_NUMBER_KEY!r}")
    if len(key) != len(set(key)):
        wrong.append("the key names a column twice")
    if ROW_NUMBER_KEY in key and len(key) > 1:
        wrong.append(f"the key {ROW_NUMBER_KEY!r} stands alone")
    shown = ", ".join(map(repr, header[:50]))
    wrong += [
        f"no column {column!r} for the key; the header names {shown}"
        for column in key
        if column != ROW_NUMBER_KEY and column not in header
    ]
    if not any(attribute.name in header for attribute in attributes):
        wrong.append(
            f"no column is a declared attribute; is the header missing?"
            f" It names {shown}"
        )
    return wrong
