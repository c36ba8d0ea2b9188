"""A Parquet file as rows of cells, by the types that the file declares."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from catalog_store.records import Attribute, AttributeType
from contact_store.slots import Slot, fits, is_list
from server.files.contact_cells import BadCell
from server.files.contact_table import BadColumn, Cell, ContactFileError

#: Rows decoded at a time.
BATCH = 5_000


class ParquetTable:
    """Reads one Parquet file; see ContactTable. Lines are rows, from 1."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its schema; raises ContactFileError and OSError."""
        self._path = path
        try:
            # The stubs leave too much open for a strict checker.
            self._file: Any = pq.ParquetFile(path)
            self._schema: Any = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise ContactFileError(path, f"not a Parquet file: {error}") from error
        self.header = tuple(self._schema.names)
        self._done = 0
        self.total = self._file.metadata.num_rows

    @property
    def done(self) -> int:
        return self._done

    def close(self) -> None:
        self._file.close()

    def parser_of(self, attribute: Attribute) -> Callable[[Cell], Slot]:
        arrow_type = self._type_of(attribute.name)
        if not _holds(arrow_type, attribute.type):
            raise BadColumn(
                f"column {attribute.name!r} is a {arrow_type} and the attribute"
                f" a {attribute.type}: convert the column"
            )

        def parse(cell: Cell) -> Slot:
            value = _as_declared(attribute.type, cell)
            if not fits(attribute.type, value):
                raise BadCell(f"not a {attribute.type} within its bounds")
            return value

        return parse

    def check_key(self, column: str) -> None:
        arrow_type = self._type_of(column)
        if not (types.is_integer(arrow_type) or _is_text(arrow_type)):
            raise BadColumn(
                f"key column {column!r} is a {arrow_type}: use integers or text"
            )

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, Sequence[Cell]]]:
        row = 0
        try:
            if not columns:
                for row in range(1, self.total + 1):
                    self._done = row
                    yield row, ()
                return
            for batch in self._file.iter_batches(BATCH, columns=list(columns)):
                cells = [_cells(batch.column(column)) for column in columns]
                for row, values in enumerate(
                    zip(*cells, strict=True), start=self._done + 1
                ):
                    yield row, values
                self._done += batch.num_rows
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise ContactFileError(
                self._path, f"damaged Parquet: {error}", self._done + 1
            ) from error

    def _type_of(self, column: str) -> Any:
        arrow_type = self._schema.field(column).type
        return arrow_type.value_type if types.is_dictionary(arrow_type) else arrow_type


def _holds(arrow_type: Any, attribute_type: AttributeType) -> bool:
    """Whether values of the Arrow type can be values of the attribute's."""
    if is_list(attribute_type):
        if not (types.is_list(arrow_type) or types.is_large_list(arrow_type)):
            return False
        item = AttributeType(attribute_type.removeprefix("list(").removesuffix(")"))
        return _holds(arrow_type.value_type, item)
    match attribute_type:
        case AttributeType.BOOL:
            return types.is_boolean(arrow_type)
        case AttributeType.INT:
            return types.is_integer(arrow_type)
        case AttributeType.DOUBLE:
            return types.is_floating(arrow_type) or types.is_integer(arrow_type)
        case AttributeType.STRING:
            return _is_text(arrow_type)
        case AttributeType.TIMESTAMP:
            return types.is_timestamp(arrow_type) or types.is_date(arrow_type)
        case AttributeType.DURATION:
            return types.is_duration(arrow_type)
        case _:
            return False


def _is_text(arrow_type: Any) -> bool:
    return types.is_string(arrow_type) or types.is_large_string(arrow_type)


def _cells(array: Any) -> list[Cell]:
    """Python values of a column; times as microseconds."""
    if types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if types.is_timestamp(array.type):
        # Without a zone it is taken as UTC. Only nanoseconds are cut: a timestamp
        # too far away for microseconds raises.
        array = array.cast(pa.timestamp("us"), safe=array.type.unit != "ns")
        array = array.cast(pa.int64())
    elif types.is_duration(array.type):
        array = array.cast(pa.duration("us"), safe=array.type.unit != "ns")
        array = array.cast(pa.int64())
    return array.to_pylist()


def _as_declared(attribute_type: AttributeType, cell: Cell) -> Slot:
    if isinstance(cell, list):
        items = cast(list[Cell], cell)
        as_double = attribute_type is AttributeType.DOUBLE_LIST
        return tuple([_as_double(item) if as_double else item for item in items])
    return _as_double(cell) if attribute_type is AttributeType.DOUBLE else cell


def _as_double(cell: Cell) -> Cell:
    return float(cell) if type(cell) is int else cell
