"""Reads a revision's file: as a whole, or one chunk at a time."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from catalog_store.compiled import CompiledCatalog, CompiledEnvironment, StoredRule
from catalog_store.index_tables import EnvironmentIndex
from catalog_store.records import Environment
from catalog_store.revision_file.chunks import FORMAT, damaged, unsealed
from catalog_store.revision_file.parts import whole_index, whole_record, whole_uses
from catalog_store.revision_file.writer import (
    HEADER_KEY,
    Head,
    Header,
    chunk_key,
    head_key,
)

#: What was read stays in this process's memory until the map is closed, and closing it
#: takes 30 us a megabyte: it is opened anew after so much.
MAPPED_BYTES_MAX = 16 << 20

_decode_header = msgspec.msgpack.Decoder(Header).decode
_decode_head = msgspec.msgpack.Decoder(Head).decode


class RevisionFile:
    """A mapped revision; close it once what is needed of it was read.

    Everything raises DamagedRevision, with the remedy, when a chunk is missing or is
    not what was written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lmdb_env = _mapped(path)
        self._read_bytes = 0
        try:
            header = self._header()
        except BaseException:
            self._lmdb_env.close()
            raise
        self.environment_names = header.environments
        self.code_tag = header.code_tag
        self._heads: dict[str, Head] = {}

    def close(self) -> None:
        self._lmdb_env.close()

    def environment(self, name: str) -> Environment:
        return whole_record(self.head(name).environment, partial(self.items, name))

    def rule_of(self, name: str) -> dict[str, int]:
        """Where each rule of an environment is used: field source name -> number."""
        return whole_uses(partial(self.items, name))

    def index(self, name: str) -> EnvironmentIndex:
        """What finds an environment's best rows."""
        return whole_index(self.head(name).index, partial(self.items, name))

    def rules(self, name: str) -> Iterator[StoredRule]:
        """The rules of an environment, in order of their numbers."""
        return self.items(name, "rules", StoredRule)

    def catalog(self) -> CompiledCatalog:
        """Everything, to compare, export or rebuild it."""
        return CompiledCatalog(
            environments=tuple(
                msgspec.structs.replace(
                    self.head(name),
                    environment=self.environment(name),
                    rules=tuple(self.rules(name)),
                    rule_of=self.rule_of(name),
                    index=self.index(name),
                    templates=dict(self.items(name, "templates", tuple[str, bytes])),
                )
                for name in self.environment_names
            ),
            code_tag=self.code_tag,
        )

    def head(self, name: str) -> CompiledEnvironment:
        """An environment without what grows with its catalog; see `parts`."""
        return self._head(name).compiled

    def chunks(self, name: str, part: str) -> Iterator[bytes]:
        """The encoded items of a part, chunk by chunk; each is a msgpack array."""
        for number in range(self._head(name).chunk_counts.get(part, 0)):
            yield self._get(chunk_key(part, name, number))

    def lists(self, name: str, part: str, kind: Any) -> Iterator[list[Any]]:
        """The items of a part, chunk by chunk."""
        decoder = msgspec.msgpack.Decoder(list[kind])
        for number, data in enumerate(self.chunks(name, part)):
            try:
                yield decoder.decode(data)
            except msgspec.MsgspecError as error:
                key = chunk_key(part, name, number)
                raise damaged(f"{key!r} of the revision file: {error}") from None

    def items(self, name: str, part: str, kind: Any) -> Iterator[Any]:
        """All items of a part."""
        for items in self.lists(name, part, kind):
            yield from items

    def _head(self, name: str) -> Head:
        head = self._heads.get(name)
        if head is None:
            try:
                head = _decode_head(self._get(head_key(name)))
            except msgspec.MsgspecError as error:
                raise damaged(f"{head_key(name)!r} of the file: {error}") from None
            self._heads[name] = head
        return head

    def _header(self) -> Header:
        try:
            with self._lmdb_env.begin() as txn:
                value = txn.get(HEADER_KEY.encode())
        except lmdb.Error as error:
            raise damaged(f"the header of the revision file: {error}") from None
        if value is None:
            raise damaged("the revision file is of an earlier version of Propono")
        try:
            header = _decode_header(unsealed(value, HEADER_KEY))
        except msgspec.MsgspecError as error:
            raise damaged(f"the header of the revision file: {error}") from None
        if header.format != FORMAT:
            raise damaged(
                f"the revision file has format {header.format}, and this version of"
                f" Propono reads format {FORMAT}"
            )
        return header

    def _get(self, key: str) -> bytes:
        try:
            if self._read_bytes > MAPPED_BYTES_MAX:
                self._lmdb_env.close()
                self._lmdb_env = _mapped(self._path)
                self._read_bytes = 0
            with self._lmdb_env.begin(buffers=True) as txn:
                data = unsealed(txn.get(key.encode()), key)
        except lmdb.Error as error:
            raise damaged(f"{key!r} of the revision file: {error}") from None
        self._read_bytes += len(data)
        return data


def _mapped(path: Path) -> lmdb.Environment:
    return lmdb.open(str(path), subdir=False, readonly=True, lock=False, lib_version=0)
