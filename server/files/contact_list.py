"""The contacts that a table names, each once."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from server.files.contact_csv import CsvTable
from server.files.contact_parquet import ParquetTable
from server.files.contact_table import BadColumn, ContactFileError, ContactTable

#: Contacts of one table: all are held, some 150 bytes each.
CONTACTS_MAX = 10_000_000
#: Taken when no column is named.
CONTACT_COLUMN = "contact_id"
#: Bad rows that a refusal lists.
_LISTED_MAX = 10
#: Rows between two reports of progress.
_PROGRESS_ROWS = 5_000


class ContactList(NamedTuple):
    """Contacts in the order of their rows."""

    contact_ids: list[str]
    #: Of the ids and their order: 32 hexadecimal digits.
    digest: str


def read_contact_list(
    path: Path, column: str | None, progress: Callable[[int, int], None]
) -> ContactList:
    """Read a CSV or Parquet file; `progress` is told how far of how much it is.

    Raises ContactFileError, with every row that is empty or names somebody again, and
    OSError.
    """
    table = _open_table(path, column)
    try:
        column = _key_column(path, table, column)
        digest = blake2b(digest_size=16)
        line_of: dict[str, int] = {}
        bad: list[str] = []
        for count, (line, cells) in enumerate(table.rows([column]), start=1):
            cell = cells[0]
            contact_id = "" if cell is None else str(cell)
            first = line_of.setdefault(contact_id, line)
            if not contact_id:
                bad.append(f"line {line} has no contact")
            elif first != line:
                bad.append(f"line {line} repeats {contact_id!r} of line {first}")
            if len(bad) == _LISTED_MAX or count > CONTACTS_MAX:
                break
            digest.update(contact_id.encode() + b"\0")
            if count % _PROGRESS_ROWS == 0:
                progress(table.done, table.total)
        if bad:
            raise ContactFileError(path, "; ".join(bad))
        if len(line_of) > CONTACTS_MAX:
            raise ContactFileError(path, f"more than {CONTACTS_MAX} contacts: split it")
        progress(table.total, table.total)
        return ContactList(list(line_of), digest.hexdigest())
    finally:
        table.close()


def _open_table(path: Path, column: str | None) -> ContactTable:
    if not path.is_file():
        raise ContactFileError(path, "no such file")
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetTable(path)
    return CsvTable(path, None, [column or CONTACT_COLUMN])


def _key_column(path: Path, table: ContactTable, column: str | None) -> str:
    header = table.header
    if column is None:
        column = header[0] if len(header) == 1 else CONTACT_COLUMN
    if header.count(column) != 1:
        text = "several columns" if column in header else "no column"
        raise ContactFileError(
            path,
            f"{text} {column!r}: name the contacts' column; there are"
            f" {', '.join(header[:20])}",
        )
    try:
        table.check_key(column)
    except BadColumn as error:
        raise ContactFileError(path, str(error)) from error
    return column
