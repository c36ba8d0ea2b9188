"""What was read from a catalog's files, kept: a file that did not change is not parsed.

    CACHE/<sha256>.records   the sections of one file, and a sha256 over them

The name is a hash of the file's bytes, of the zone in which its times are read, and of
the modules that read it: what was read by another version is never found. Kept is only
what was read without a mistake, and environment.yaml, which says how the others are
read, is always parsed. Where anything is wrong, now or later, all files are read again
as they are: positions are found then, and not kept.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

from catalog_store import records
from catalog_store.records import Catalog, Environment, Record
from compiler.source import Diagnostic, Source
from server.files.catalog_files import (
    SECTIONS,
    CatalogFiles,
    read_catalog,
    read_environment,
)
from server.files.catalog_folder import (
    ENVIRONMENT_FILE,
    EnvironmentFiles,
    environment_files,
)

#: Files that are kept; those used longest ago go.
KEPT_MAX = 500

_SHA256_BYTES = 32


def read_catalog_again(path: Path, kept: Path) -> CatalogFiles:
    """The same as `read_catalog`, with what is kept in a folder; raises Refused."""
    catalog = _Files(kept).catalog(path)
    if catalog is None:
        return read_catalog(path)
    full: list[CatalogFiles] = []

    def relocate(diagnostic: Diagnostic) -> Diagnostic:
        if not full:
            full.append(read_catalog(path))
        return full[0].relocate(diagnostic)

    return CatalogFiles(catalog, relocate)


def cache_folder() -> Path:
    """Where this user's commands keep what they have read."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "propono" / "files"


class _Mistake(Exception):
    """Something is wrong; `read_catalog` says what, and where."""


class _Files:
    """Reads one catalog."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        self._has_written = False

    def catalog(self, path: Path) -> Catalog | None:
        """None when anything is wrong with the files."""
        try:
            found = environment_files(path, _refuse)
            environments = tuple(self._environment(files) for files in found)
        except _Mistake:
            return None
        if self._has_written:
            with suppress(OSError):
                self._forget()
        return Catalog(environments=environments)

    def _environment(self, files: EnvironmentFiles) -> Environment:
        own, *others = files.sources
        if not own.name.endswith(f"/{ENVIRONMENT_FILE}"):
            raise _Mistake
        environment = read_environment(EnvironmentFiles(files.name, (own,)), _refuse)
        parts = [environment]
        parts += [self._sections(environment, own, other) for other in others]
        merged: dict[str, tuple[Record, ...]] = {}
        for section in SECTIONS:
            found = [each for part in parts for each in getattr(part, section)]
            if len({each.name for each in found}) != len(found):
                raise _Mistake
            merged[section] = tuple(found)
        return msgspec.structs.replace(environment, **merged)

    def _sections(self, known: Environment, own: Source, other: Source) -> Environment:
        """Of one file, beside environment.yaml, which is known."""
        key = hashlib.sha256(
            b"\0".join((_fingerprint(), known.time_zone.encode(), other.text.encode()))
        ).hexdigest()
        kept = self._known(key)
        if kept is not None:
            return kept
        both = read_environment(EnvironmentFiles(known.name, (own, other)), _refuse)
        # environment.yaml comes first.
        sections = msgspec.structs.replace(
            Environment(name=known.name),
            **{
                section: getattr(both, section)[len(getattr(known, section)) :]
                for section in SECTIONS
            },
        )
        # A disk that is full makes it slower, nothing else.
        with suppress(OSError):
            self._keep(key, sections)
        return sections

    def _known(self, key: str) -> Environment | None:
        path = self._kept / f"{key}.records"
        try:
            data = path.read_bytes()
            if hashlib.sha256(data[_SHA256_BYTES:]).digest() != data[:_SHA256_BYTES]:
                return None
            found = _decode(data[_SHA256_BYTES:])
            os.utime(path)
        except (OSError, msgspec.MsgspecError):
            return None
        return found

    def _keep(self, key: str, sections: Environment) -> None:
        self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = _encode(sections)
        path = self._kept / f"{key}.records"
        # Torn by a crash it has another sha256: no fsync.
        new_path = path.with_name(f"{key}.{os.getpid()}.new")
        new_path.write_bytes(hashlib.sha256(data).digest() + data)
        new_path.replace(path)
        self._has_written = True

    def _forget(self) -> None:
        """What was used longest ago, and what was never finished."""
        paths = [(path.stat().st_mtime, path) for path in self._kept.iterdir()]
        for _, path in sorted(paths, reverse=True)[KEPT_MAX:]:
            path.unlink(missing_ok=True)


def _refuse(_: Diagnostic) -> None:
    raise _Mistake


@cache
def _fingerprint() -> bytes:
    """Of the modules that make records of text, and of what reads YAML."""
    import yaml

    import server.files

    folder = Path(server.files.__file__).parent
    sources = sorted([*folder.glob("yaml_*.py"), *folder.glob("catalog_*.py")])
    sources += sorted(Path(records.__file__).parent.glob("*.py"))
    versions = f"{yaml.__version__} {msgspec.__version__}".encode()
    hashes = [hashlib.sha256(path.read_bytes()).digest() for path in sources]
    return hashlib.sha256(b"".join([versions, *hashes])).digest()


_encode: Callable[[Environment], bytes] = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Environment).decode
