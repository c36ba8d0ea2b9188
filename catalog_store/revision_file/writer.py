"""Writes a compiled catalog into a new file."""

import errno
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import lmdb
import msgspec

from catalog_store.compiled import CompiledCatalog, CompiledEnvironment
from catalog_store.revision_file.chunks import FORMAT, encode, sealed, sealed_chunks
from catalog_store.revision_file.parts import head_of, parts_of
from catalog_store.revision_file.prepared import prepared_parts

HEADER_KEY = "header"

#: Address space reserved while writing; the file is only as long as its contents.
WRITE_MAP_BYTES = 16 << 30


class Header(msgspec.Struct, frozen=True):
    """What the file holds."""

    environments: tuple[str, ...]
    code_tag: str
    #: As in `chunks`.
    format: int


class Head(msgspec.Struct, frozen=True):
    """An environment without its parts, and how many chunks each of them has."""

    compiled: CompiledEnvironment
    chunk_counts: dict[str, int]


def write_revision(path: Path, catalog: CompiledCatalog) -> None:
    """Write a compiled catalog into a new file; the path must not exist.

    Raises OSError; what was written of the file is then there, and not whole.
    """
    if path.exists():
        raise FileExistsError(path)
    try:
        _write(path, catalog)
    except lmdb.Error as error:
        # LMDB's errors for a full disk differ by the moment at which it is full.
        raise OSError(errno.EIO, str(error), str(path)) from error


def _write(path: Path, catalog: CompiledCatalog) -> None:
    # sync=False: the file is not used before its bytes have been hashed, copied and
    # fsynced by whoever installs it.
    lmdb_env = lmdb.open(
        str(path),
        subdir=False,
        lock=False,
        sync=False,
        map_size=WRITE_MAP_BYTES,
        lib_version=0,
    )
    try:
        with lmdb_env.begin(write=True) as txn:
            names = tuple(c.environment.name for c in catalog.environments)
            header = Header(names, catalog.code_tag, FORMAT)
            txn.put(HEADER_KEY.encode(), sealed(encode(header)))
            for compiled in catalog.environments:
                for key, value in _chunks(compiled):
                    txn.put(key.encode(), value)
    finally:
        lmdb_env.close()


def chunk_key(part: str, environment: str, number: int) -> str:
    return f"{part}/{environment}/{number:08x}"


def head_key(environment: str) -> str:
    return f"head/{environment}"


def _chunks(compiled: CompiledEnvironment) -> Iterator[tuple[str, bytes]]:
    """Keys and values of one environment, in an order that is always the same."""
    name = compiled.environment.name
    counts: dict[str, int] = {}
    for part in chain(parts_of(compiled), prepared_parts(compiled)):
        count = 0
        for value in sealed_chunks(part.items, part.items_max):
            yield chunk_key(part.name, name, count), value
            count += 1
        counts[part.name] = count
    yield head_key(name), sealed(encode(Head(head_of(compiled), counts)))
