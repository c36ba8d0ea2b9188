"""A data folder as a backup, taken while a server serves, and back.

    backup.json          every file with its size and sha256
    history/data.mdb     a compact copy
    profiles/data.mdb    another
    design/data.mdb      another
    catalog/CURRENT, catalog/revisions/<n>.json and .sig, catalog/files/<sha256>.mdb
    catalog/keys/trusted.json    public keys; the server's own stays where it is
    scheduled/<n>.json and .catalog
    access/list.json     who may call: hashes of tokens, never a token
    audit/<n>.jsonl      who changed what

History comes first, so that every revision that it names is in the backup too, and
CURRENT is read before the revisions are listed. Everything acknowledged before the
backup began is in it. What a server makes anew is not: the admin token, locks, metrics,
the note of what was compiled here. A restored audit log goes on from its last line.

A backup gets its name when all of it is on disk; until then it is `.NAME.partial`.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from catalog_store.publication_lock import PublicationBusy
from catalog_store.scheduled_publications import ScheduledPublications
from contact_store.compaction import copy_store
from contact_store.errors import ContactStoreError
from contact_store.history import HistoryStore
from contact_store.id_keys import TooManyIdKeys
from server.data_folder import DataFolder

FORMAT = 1
#: Bytes of backup.json; a larger one is not read. Some 50,000 revisions.
MANIFEST_BYTES_MAX = 16 << 20

_MANIFEST = "backup.json"
_CHUNK_BYTES = 1 << 20
_PATH = re.compile(
    r"(history|profiles|design)/data\.mdb|catalog/CURRENT"
    r"|catalog/revisions/[0-9]{1,12}\.(json|sig)|catalog/files/[0-9a-f]{64}\.mdb"
    r"|catalog/keys/trusted\.json|scheduled/[0-9]{1,12}\.(json|catalog)"
    r"|access/list\.json|audit/[0-9]{12}\.jsonl"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")

#: Learns the stage, how many bytes of it are done, and of how many.
Progress = Callable[[str, int, int], None]


class BackupError(Exception):
    """The backup cannot be made, or is not one, or not whole; says why."""


class BackupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a backup."""

    path: str
    size_bytes: int
    sha256: str


class BackupManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `backup.json` says."""

    #: When the backup began, in UTC milliseconds.
    made_at_ms: int
    files: tuple[BackupFile, ...]
    format: int = FORMAT


_decode = msgspec.json.Decoder(BackupManifest).decode


def back_up(
    folder: DataFolder, target: Path, now_ms: int, progress: Progress
) -> BackupManifest:
    """Write a backup to a path that is not there yet; a server may serve meanwhile.

    What an earlier backup to the same path left half done is replaced. Raises
    BackupError, StoreFailed and OSError.
    """
    stores = {name: folder.root / name for name in ("history", "profiles", "design")}
    if not any(path.exists() for path in (folder.catalog, *stores.values())):
        raise BackupError(f"{folder.root} holds no data: give a server's data folder")
    if target.exists():
        raise BackupError(f"{target} is there already: choose another name")
    partial = target.with_name(f".{target.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700, parents=True)
    for store, source in stores.items():
        if (source / "data.mdb").exists():
            copy_store(
                source,
                partial / store,
                lambda done, total, s=store: progress(s, done, total),
            )
    _copy_catalog(folder.catalog, partial / "catalog", progress)
    _copy_files(partial, folder.access, "list.json")
    if folder.scheduled.exists():
        with _busy_is_an_error(), ScheduledPublications(folder.scheduled).still():
            _copy_files(partial, folder.scheduled, "*.json")
            _copy_files(partial, folder.scheduled, "*.catalog")
    # Last: every change that is in the backup is in the log of it.
    _copy_files(partial, folder.audit, "[0-9]*.jsonl")
    paths = sorted(path for path in partial.rglob("*") if path.is_file())
    files = _described(partial, paths, progress)
    manifest = BackupManifest(now_ms, files)
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    _write(partial / _MANIFEST, encoded)
    _publish_folder(partial, target)
    return manifest


def restore(source: Path, folder: DataFolder, progress: Progress) -> BackupManifest:
    """Make a data folder from a backup, all of which is verified before.

    The folder must be empty or not there. It gets its name when all of it is on disk.
    Ids that were given after the backup are unknown to it for ever. Raises
    BackupError and OSError.
    """
    root = folder.root
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BackupError(f"{root} is not empty: restore into a new folder")
    manifest = read_manifest(source)
    total = sum(one.size_bytes for one in manifest.files)
    done = 0
    wrong: list[str] = []
    for one in manifest.files:
        reason = _reason(source / one.path, one)
        if reason is not None:
            wrong.append(f"{one.path}: {reason}")
        done += one.size_bytes
        progress("verifying", done, total)
    if wrong:
        raise BackupError(f"{source} is damaged: {'; '.join(wrong)}")
    partial = root.with_name(f".{root.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700, parents=True)
    done = 0
    for one in manifest.files:
        target = partial / one.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _copy(source / one.path, target) != one.sha256:
            raise BackupError(f"{source}: {one.path} has changed meanwhile")
        target.chmod(0o444 if one.path.startswith("catalog/files/") else 0o600)
        done += one.size_bytes
        progress("restoring", done, total)
    _begin_again(DataFolder(partial).history)
    _publish_folder(partial, root)
    return manifest


def read_manifest(source: Path) -> BackupManifest:
    """What a backup says it is; raises BackupError."""
    path = source / _MANIFEST
    try:
        if path.stat().st_size > MANIFEST_BYTES_MAX:
            raise BackupError(f"{path} is too large")
        manifest = _decode(path.read_bytes())
    except OSError as error:
        raise BackupError(f"{source} is no backup: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BackupError(f"{path}: {error}") from None
    if manifest.format != FORMAT:
        raise BackupError(
            f"{path}: format {manifest.format}; this version reads {FORMAT}"
        )
    wrong = [
        one.path
        for one in manifest.files
        if not _PATH.fullmatch(one.path) or not _SHA256.fullmatch(one.sha256)
    ]
    if wrong:
        raise BackupError(f"{path}: not files of a backup: {', '.join(wrong[:10])!r}")
    if len({one.path for one in manifest.files}) != len(manifest.files):
        raise BackupError(f"{path}: names a file twice")
    return manifest


def _begin_again(history: Path) -> None:
    """The server that was backed up went on, and gave ids that nobody may get again."""
    if not (history / "data.mdb").exists():
        return
    try:
        with HistoryStore(history) as store:
            store.begin_again()
    except (ContactStoreError, TooManyIdKeys) as error:
        raise BackupError(f"the backup cannot be served: {error}") from error
    # LMDB makes another on the machine that serves.
    (history / "lock.mdb").unlink()


def _copy_catalog(source: Path, target: Path, progress: Progress) -> None:
    """The pointer first: what it names is among the revisions listed later."""
    try:
        current = (source / "CURRENT").read_bytes()
    except FileNotFoundError:
        return
    for part in ("revisions", "files", "keys"):
        (target / part).mkdir(mode=0o700, parents=True)
    if (source / "keys" / "trusted.json").exists():
        _copy(source / "keys" / "trusted.json", target / "keys" / "trusted.json")
    # Manifests before files: a file is there before the manifest that names it.
    for path in sorted(source.glob("revisions/*.json")):
        _copy(path, target / "revisions" / path.name)
        signature = path.with_suffix(".sig")
        if signature.exists():
            _copy(signature, target / "revisions" / signature.name)
    files = [path for path in source.glob("files/*.mdb") if _PATH.fullmatch(_of(path))]
    total = sum(path.stat().st_size for path in files)
    done = 0
    for path in sorted(files):
        _copy(path, target / "files" / path.name)
        done += path.stat().st_size
        progress("catalog", done, total)
    _write(target / "CURRENT", current)


def _copy_files(partial: Path, folder: Path, pattern: str) -> None:
    """What matches, as it is listed now: of a log the last file alone still grows."""
    for path in sorted(folder.glob(pattern)):
        name = f"{folder.name}/{path.name}"
        if not _PATH.fullmatch(name):
            continue
        (partial / folder.name).mkdir(mode=0o700, exist_ok=True)
        _copy(path, partial / name)


@contextmanager
def _busy_is_an_error() -> Generator[None]:
    try:
        yield
    except PublicationBusy as error:
        raise BackupError(f"what is scheduled cannot be copied: {error}") from None


def _of(path: Path) -> str:
    return f"catalog/files/{path.name}"


def _described(
    root: Path, paths: list[Path], progress: Progress
) -> tuple[BackupFile, ...]:
    """Read back what was written: what cannot be read again is no backup."""
    total = sum(path.stat().st_size for path in paths)
    done = 0
    files: list[BackupFile] = []
    for path in paths:
        size_bytes = path.stat().st_size
        name = path.relative_to(root).as_posix()
        files.append(BackupFile(name, size_bytes, _sha256(path)))
        done += size_bytes
        progress("sha256", done, total)
    return tuple(files)


def _reason(path: Path, one: BackupFile) -> str | None:
    """Why a file is not the one that was backed up; None when it is."""
    if path.is_symlink() or not path.is_file():
        return "missing"
    size_bytes = path.stat().st_size
    if size_bytes != one.size_bytes:
        return f"{size_bytes} bytes of {one.size_bytes}"
    return None if _sha256(path) == one.sha256 else "its sha256 is another"


def _copy(source: Path, target: Path) -> str:
    """Copy a file to disk; the sha256 of the bytes that were written."""
    sha256 = hashlib.sha256()
    with source.open("rb") as old, target.open("xb") as new:
        for chunk in _chunks(old.read):
            sha256.update(chunk)
            new.write(chunk)
        new.flush()
        os.fsync(new.fileno())
    return sha256.hexdigest()


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(_CHUNK_BYTES):
        yield chunk


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _publish_folder(partial: Path, target: Path) -> None:
    """Give a folder its name when all that is in it is on disk."""
    for path in (partial, *partial.rglob("*")):
        if path.is_dir():
            _sync_folder(path)
    # Replaces an empty folder, and fails for any other.
    partial.rename(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
