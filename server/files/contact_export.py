"""Exports profiles to a file that import_contacts reads again."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog_store.records import Attribute, AttributeType
from contact_store.profiles import ProfileStore
from contact_store.slots import Slot
from server.files.contact_cells import BadCell, text_of
from server.files.contact_table import ContactFileError

#: Contacts written at a time.
BATCH = 5_000

_Contact = tuple[str, tuple[Slot, ...]]
#: Learns how many contacts are written, and of how many.
Progress = Callable[[int, int], None]


def export_contacts(
    path: Path,
    *,
    environment: str,
    attributes: Sequence[Attribute],
    key: str,
    store: ProfileStore,
    progress: Progress,
) -> int:
    """Write every profile, CSV or Parquet by the file's extension; how many there are.

    The file appears when it is complete. CSV cannot tell an empty string from an
    absent one; Parquet can. Raises ContactFileError, CorruptRecord and OSError.
    """
    if key in {attribute.name for attribute in attributes}:
        raise ContactFileError(path, f"{key!r} is an attribute: name another key")
    write = _WRITER.get(path.suffix.lower())
    if write is None:
        raise ContactFileError(path, f"name it {' or '.join(sorted(_WRITER))}")
    contacts = _reported(
        store.scan(environment, attributes, None), store.count(environment), progress
    )
    partial = path.with_name(f".{path.name}.partial")
    try:
        count = write(partial, key, attributes, contacts)
        os.replace(partial, path)
    except BadCell as error:
        raise ContactFileError(path, str(error)) from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _reported(
    contacts: Iterator[_Contact], total: int, progress: Progress
) -> Iterator[_Contact]:
    done = 0
    for done, contact in enumerate(contacts, start=1):
        yield contact
        if done % BATCH == 0:
            progress(done, total)
    progress(done, total)


def _write_csv(
    path: Path, key: str, attributes: Sequence[Attribute], contacts: Iterator[_Contact]
) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([key, *(attribute.name for attribute in attributes)])
        for contact_id, slots in contacts:
            writer.writerow(
                [
                    contact_id,
                    *(
                        "" if slot is None else _cell(contact_id, attribute, slot)
                        for attribute, slot in zip(attributes, slots, strict=True)
                    ),
                ]
            )
            count += 1
    return count


def _cell(contact_id: str, attribute: Attribute, slot: Slot) -> str:
    try:
        return text_of(attribute.type, slot)
    except BadCell as error:
        raise BadCell(f"contact {contact_id!r}, {attribute.name}: {error}") from error


def _write_parquet(
    path: Path, key: str, attributes: Sequence[Attribute], contacts: Iterator[_Contact]
) -> int:
    # The stubs leave too much open for a strict checker.
    arrow: Any = pa
    types: list[Any] = [pa.string(), *(_arrow_type(a.type) for a in attributes)]
    names = [key, *(attribute.name for attribute in attributes)]
    schema: Any = arrow.schema(list(zip(names, types, strict=True)))
    writer: Any = pq.ParquetWriter(path, schema)
    count = 0
    with writer:
        while batch := list(islice(contacts, BATCH)):
            rows = [(contact_id, *slots) for contact_id, slots in batch]
            columns: list[Any] = [
                arrow.array(list(column), type=kind)
                for column, kind in zip(zip(*rows, strict=True), types, strict=True)
            ]
            writer.write_table(arrow.table(columns, schema=schema))
            count += len(batch)
    return count


def _arrow_type(attribute_type: AttributeType) -> Any:
    match attribute_type:
        case AttributeType.BOOL:
            return pa.bool_()
        case AttributeType.INT:
            return pa.int64()
        case AttributeType.DOUBLE:
            return pa.float64()
        case AttributeType.STRING:
            return pa.string()
        case AttributeType.TIMESTAMP:
            return pa.timestamp("us", tz="UTC")
        case AttributeType.DURATION:
            return pa.duration("us")
        case AttributeType.BOOL_LIST:
            return pa.list_(pa.bool_())
        case AttributeType.INT_LIST:
            return pa.list_(pa.int64())
        case AttributeType.DOUBLE_LIST:
            return pa.list_(pa.float64())
        case AttributeType.STRING_LIST:
            return pa.list_(pa.string())


_WRITER = {".csv": _write_csv, ".parquet": _write_parquet}
