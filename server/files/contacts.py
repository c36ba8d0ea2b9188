"""Imports a file of contacts: rows in, profiles stored, and a summary of both."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from catalog_store.records import Attribute
from contact_store.errors import InvalidContactId, InvalidProfile
from contact_store.profile_import import ProfileImport
from contact_store.profiles import ProfileStore
from server.files.contact_cells import BadCell
from server.files.contact_csv import CsvTable
from server.files.contact_parquet import ParquetTable
from server.files.contact_plan import ROW_NUMBER_KEY, Plan
from server.files.contact_rejects import Rejects
from server.files.contact_table import ContactFileError, ContactTable

#: Rows between two reports of progress.
REPORT_ROWS = 5_000

#: Learns the stage ("reading" or "folding"), how much is done, and of how much.
Progress = Callable[[str, int, int], None]


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did."""

    file: str
    environment: str
    rows: int
    #: Contacts whose profile is now the file's; 0 when nothing was loaded.
    contacts: int
    #: Rows that a later row with the same key replaced.
    duplicates: int
    rejected_rows: int
    #: Where the bad cells are listed; None when there are none.
    rejects: str | None
    #: False when strict and a row was bad.
    loaded: bool
    #: Columns that are no declared attribute and no key.
    ignored_columns: tuple[str, ...]
    #: Declared attributes without a column: absent in every profile.
    missing_attributes: tuple[str, ...]


def import_contacts(
    path: Path,
    *,
    environment: str,
    attributes: Sequence[Attribute],
    key: Sequence[str],
    store: ProfileStore,
    rejects: Path,
    progress: Progress,
    delimiter: str | None = None,
    strict: bool = False,
) -> ImportSummary:
    """Load a CSV or Parquet file's rows as profiles, all at once.

    Rows with bad cells are listed in the file `rejects` and left out; when `strict`,
    one is enough to load nothing. Of rows with the same key the last counts. Raises
    ContactFileError, ImportInProgress, StoreFailed and OSError, and passes on what
    `progress` raises; the store is then as it was.
    """
    if rejects.resolve() == path.resolve():
        raise ContactFileError(path, "the rejects would overwrite it: name another")
    table = _open_table(path, delimiter, key)
    try:
        plan = Plan(path, table, attributes, key)
        with (
            Rejects(rejects) as bad,
            store.importing(environment, plan.attributes) as into,
        ):
            rows = _read_rows(table, plan, into, bad, progress)
            loaded = not (strict and bad.rows)
            if loaded:
                _publish(into, progress)
    finally:
        table.close()
    return ImportSummary(
        file=str(path),
        environment=environment,
        rows=rows,
        contacts=into.contacts if loaded else 0,
        duplicates=into.duplicates,
        rejected_rows=bad.rows,
        rejects=None if bad.path is None else str(bad.path),
        loaded=loaded,
        ignored_columns=plan.ignored,
        missing_attributes=plan.missing,
    )


def _open_table(path: Path, delimiter: str | None, key: Sequence[str]) -> ContactTable:
    if not path.is_file():
        raise ContactFileError(path, "no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetTable(path)
    return CsvTable(path, delimiter, [k for k in key if k != ROW_NUMBER_KEY])


def _read_rows(
    table: ContactTable,
    plan: Plan,
    into: ProfileImport,
    bad: Rejects,
    progress: Progress,
) -> int:
    """Put every good row and list every bad one; how many rows there were."""
    progress("reading", 0, table.total)
    number = 0
    for number, (line, cells) in enumerate(table.rows(plan.columns), start=1):
        try:
            into.put(plan.contact_id(number, cells), plan.values(cells))
        except BadCell:
            bad.add(plan.mistakes(line, number, cells))
        except (InvalidContactId, InvalidProfile) as error:
            bad.add([plan.key_mistake(line, cells, str(error))])
        if number % REPORT_ROWS == 0:
            progress("reading", table.done, table.total)
    progress("reading", table.total, table.total)
    return number


def _publish(into: ProfileImport, progress: Progress) -> None:
    moved = 0

    def on_moved(count: int) -> None:
        nonlocal moved
        moved += count
        progress("folding", moved, into.contacts)

    into.publish(on_moved)
