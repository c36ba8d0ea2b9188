"""Contacts of a file, one after the other, without a store."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from catalog_store.records import Attribute
from contact_store.slots import Slot, fits, out_of_range
from server.files.contact_cells import BadCell
from server.files.contact_csv import CsvTable
from server.files.contact_parquet import ParquetTable
from server.files.contact_plan import ROW_NUMBER_KEY, Plan
from server.files.contact_table import ContactFileError

#: Rows between two reports of progress.
_REPORT_ROWS = 1_000


class ContactRows:
    """A CSV or Parquet file, read as an import reads it."""

    def __init__(self, path: Path, key: str, attributes: Sequence[Attribute]) -> None:
        """`key` is the id's column, or `#row`; raises ContactFileError, OSError."""
        if not path.is_file():
            raise ContactFileError(path, "no such file")
        keys = [] if key == ROW_NUMBER_KEY else [key]
        is_parquet = path.suffix.lower() in (".parquet", ".pq")
        self._table = ParquetTable(path) if is_parquet else CsvTable(path, None, keys)
        self._attributes = attributes
        self._plan = Plan(path, self._table, attributes, (key,))
        #: Rows left out, since a cell does not fit.
        self.rejected = 0

    def read(
        self, progress: Callable[[int, int], None]
    ) -> Iterator[tuple[str, dict[str, Slot]]]:
        """Ids, and the values that are there; raises ContactFileError."""
        table, plan = self._table, self._plan
        names = [one.name for one in self._attributes]
        try:
            for number, (_, cells) in enumerate(table.rows(plan.columns), start=1):
                if number % _REPORT_ROWS == 0:
                    progress(table.done, table.total)
                try:
                    contact_id = plan.contact_id(number, cells)
                    values = plan.values(cells)
                except BadCell:
                    self.rejected += 1
                    continue
                if not self._fit(values):
                    self.rejected += 1
                    continue
                found = zip(names, values, strict=True)
                yield contact_id, {n: v for n, v in found if v is not None}
            progress(table.total, table.total)
        finally:
            table.close()

    def _fit(self, values: Sequence[Slot]) -> bool:
        return all(
            value is None or (fits(one.type, value) and not out_of_range(one, value))
            for one, value in zip(self._attributes, values, strict=True)
        )
