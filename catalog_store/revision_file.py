"""One compiled catalog as one LMDB file.

    catalog              the names of the environments, and the code's tag
    environment/<name>   the environment's record
    uses/<name>          field source name -> rule number
    index/<name>         the index of the environment's rows
    rule/<name>/<8 hex>  one rule: text, kind, tree, code

A file is written once and then only mapped, read-only and without a lock file. What
is read is decoded and copied; no LMDB buffer leaves this module.
"""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import msgspec

from catalog_store.compiled import CompiledCatalog, CompiledEnvironment, StoredRule
from catalog_store.index_tables import EnvironmentIndex
from catalog_store.records import Environment

#: Address space reserved while writing; the file is only as long as its contents.
WRITE_MAP_BYTES = 16 << 30

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode_environment = msgspec.msgpack.Decoder(Environment).decode
_decode_rule = msgspec.msgpack.Decoder(StoredRule).decode
_decode_index = msgspec.msgpack.Decoder(EnvironmentIndex).decode
_decode_uses = msgspec.msgpack.Decoder(dict[str, int]).decode


class _Header(msgspec.Struct, frozen=True):
    environments: tuple[str, ...]
    code_tag: str


_decode_header = msgspec.msgpack.Decoder(_Header).decode


def write_revision(path: Path, catalog: CompiledCatalog) -> None:
    """Write a compiled catalog into a new file; the path must not exist."""
    if path.exists():
        raise FileExistsError(path)
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
            txn.put(b"catalog", _encode(_Header(names, catalog.code_tag)))
            for compiled in catalog.environments:
                name = compiled.environment.name
                txn.put(f"environment/{name}".encode(), _encode(compiled.environment))
                txn.put(f"uses/{name}".encode(), _encode(compiled.rule_of))
                txn.put(f"index/{name}".encode(), _encode(compiled.index))
                for number, rule in enumerate(compiled.rules):
                    txn.put(_rule_key(name, number), _encode(rule))
    finally:
        lmdb_env.close()


class RevisionFile:
    """A mapped revision; close it when nothing needs its rules any more."""

    def __init__(self, path: Path) -> None:
        self._lmdb_env = lmdb.open(
            str(path), subdir=False, readonly=True, lock=False, lib_version=0
        )
        with self._lmdb_env.begin() as txn:
            header = _decode_header(_get(txn, b"catalog"))
        self.environment_names = header.environments
        self.code_tag = header.code_tag

    def close(self) -> None:
        self._lmdb_env.close()

    def environment(self, name: str) -> Environment:
        with self._lmdb_env.begin() as txn:
            return _decode_environment(_get(txn, f"environment/{name}".encode()))

    def rule_of(self, name: str) -> dict[str, int]:
        """Where each rule of an environment is used: field source name -> number."""
        with self._lmdb_env.begin() as txn:
            return _decode_uses(_get(txn, f"uses/{name}".encode()))

    def index(self, name: str) -> EnvironmentIndex:
        """What finds an environment's best rows."""
        with self._lmdb_env.begin() as txn:
            return _decode_index(_get(txn, f"index/{name}".encode()))

    def rules(self, name: str) -> Iterator[StoredRule]:
        """The rules of an environment, in order of their numbers."""
        prefix = f"rule/{name}/".encode()
        with self._lmdb_env.begin() as txn, txn.cursor() as cursor:
            found = cursor.set_range(prefix)
            while found and cursor.key().startswith(prefix):
                yield _decode_rule(cursor.value())
                found = cursor.next()

    def catalog(self) -> CompiledCatalog:
        """Everything, to compare, export or rebuild it."""
        return CompiledCatalog(
            environments=tuple(
                CompiledEnvironment(
                    environment=self.environment(name),
                    rules=tuple(self.rules(name)),
                    rule_of=self.rule_of(name),
                    index=self.index(name),
                )
                for name in self.environment_names
            ),
            code_tag=self.code_tag,
        )


def _get(txn: lmdb.Transaction, key: bytes) -> bytes:
    value = txn.get(key)
    if value is None:
        raise LookupError(f"the revision file has no {key.decode()!r}")
    return bytes(value)


def _rule_key(environment: str, number: int) -> bytes:
    return f"rule/{environment}/{number:08x}".encode()
