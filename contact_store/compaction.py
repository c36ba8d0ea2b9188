"""Copies of a store without its free pages: for backups, and to give disk space back.

LMDB never shrinks a file. What was purged leaves free pages, which are used again, and
a reader that stayed too long leaves many: a copy has none of them.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import lmdb

from contact_store.errors import StoreFailed
from contact_store.lmdb_env import MAP_BYTES

#: How often a copy says how far it is.
_REPORT_SECONDS = 0.1

#: Learns how many bytes are copied, and of how many at most.
Progress = Callable[[int, int], None]


class StoreInUse(StoreFailed):
    """Some process has the store open."""


class Compacted(NamedTuple):
    """What a compaction came to."""

    store: str
    before_bytes: int
    after_bytes: int


def copy_store(source: Path, target: Path, progress: Progress) -> None:
    """A compact copy of a store as it was when the copy began, on disk at the end.

    `target` is a folder that is not there yet. Others read and write meanwhile; the
    store's file cannot use the pages that they free until the copy ends, and grows by
    as much. Raises StoreFailed and OSError.
    """
    with _opened(source, lock=True) as lmdb_env:
        _copy(lmdb_env, source, target, progress)


def compact_store(store: str, path: Path, progress: Progress) -> Compacted:
    """Replace a store that nobody has open by its compact copy.

    Killed at any moment it leaves the old file or the new one. Raises StoreInUse,
    StoreFailed and OSError.
    """
    data_path = path / "data.mdb"
    before_bytes = data_path.stat().st_size
    new_folder = path / "compact.new"
    with _alone(path) as lock:
        _remove_copy(new_folder)
        # Without LMDB's lock: closing its file would drop ours.
        with _opened(path, lock=False) as lmdb_env:
            _copy(lmdb_env, path, new_folder, progress)
        # Who waits to open the store has the lock file already, and would go by the
        # old file's last transaction: now it is refused, and opens it anew.
        os.pwrite(lock, bytes(os.fstat(lock).st_size), 0)
        os.fsync(lock)
        (new_folder / "data.mdb").replace(data_path)
        _sync_folder(path)
        _remove_copy(new_folder)
    return Compacted(store, before_bytes, data_path.stat().st_size)


def _copy(
    lmdb_env: lmdb.Environment, source: Path, target: Path, progress: Progress
) -> None:
    target.mkdir(mode=0o700)
    total = (source / "data.mdb").stat().st_size
    done = threading.Event()

    def report() -> None:
        while not done.wait(_REPORT_SECONDS):
            with suppress(FileNotFoundError):
                progress((target / "data.mdb").stat().st_size, total)

    # LMDB copies without a word, and lets other threads run.
    reporter = threading.Thread(target=report)
    reporter.start()
    try:
        lmdb_env.copy(str(target), compact=True)
    except lmdb.Error as error:
        raise StoreFailed(f"{source}: cannot be copied: {error}") from error
    finally:
        done.set()
        reporter.join()
    copied = target / "data.mdb"
    copied.chmod(0o600)
    with copied.open("rb") as file:
        os.fsync(file.fileno())
    _sync_folder(target)
    size_bytes = copied.stat().st_size
    progress(size_bytes, size_bytes)


@contextmanager
def _opened(path: Path, *, lock: bool) -> Generator[lmdb.Environment]:
    """For reading only."""
    try:
        lmdb_env = lmdb.open(
            str(path), map_size=MAP_BYTES, readonly=True, lock=lock, create=False
        )
    except lmdb.Error as error:
        raise StoreFailed(f"{path}: cannot be opened: {error}") from error
    try:
        yield lmdb_env
    finally:
        lmdb_env.close()


@contextmanager
def _alone(path: Path) -> Generator[int]:
    """Keep every other process from opening a store; raises StoreInUse."""
    lock = os.open(path / "lock.mdb", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            # What LMDB holds of this file is shared; nobody else may have any.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise StoreInUse(
                f"{path} is open in another process: stop what uses it"
            ) from None
        yield lock
    finally:
        os.close(lock)


def _remove_copy(folder: Path) -> None:
    """What a compaction that was killed left."""
    (folder / "data.mdb").unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
