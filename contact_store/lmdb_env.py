"""Opens an LMDB environment and begins its write transactions."""

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import lmdb

from contact_store.errors import StoreFailed

#: A transaction whose reads are copies, never views of the map.
Txn: TypeAlias = "lmdb.Transaction[bytes]"

#: Address space, not disk: the file grows as it is used, up to this.
MAP_BYTES = 64 << 30
#: Read transactions open at once, over all processes.
READERS_MAX = 1_024
#: As LMDB lays it out: two cache lines, and one for each reader.
_LOCK_BYTES = 128 + 64 * READERS_MAX
#: Opening can fail while another process opens or closes the same environment.
OPEN_ATTEMPTS_MAX = 20
OPEN_PAUSE_S = 0.05


def open_lmdb_env(
    path: Path, *, map_bytes: int = MAP_BYTES, databases_max: int = 0
) -> lmdb.Environment:
    """Open or create an environment, readable by its owner only.

    One open per process, and never across a fork. Raises StoreFailed.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        _reserve_lock_file(path / "lock.mdb")
    except OSError as error:
        raise StoreFailed(f"{path}: cannot be made: {error.strerror}") from error
    for attempt in range(1, OPEN_ATTEMPTS_MAX + 1):
        try:
            return lmdb.open(
                str(path),
                map_size=map_bytes,
                max_dbs=databases_max,
                max_readers=READERS_MAX,
                max_spare_txns=1,
                mode=0o600,
                # What is visible is durable. writemap would turn a full disk into
                # SIGBUS, sync=False a power cut into an unreadable file.
                sync=True,
                metasync=True,
                writemap=False,
                # The format of files; the library's default may change.
                lib_version=0,
            )
        except (lmdb.LockError, BlockingIOError) as error:
            if attempt == OPEN_ATTEMPTS_MAX:
                raise StoreFailed(f"{path}: cannot be opened: {error}") from error
            time.sleep(OPEN_PAUSE_S)
        except lmdb.Error as error:
            raise StoreFailed(f"{path}: cannot be opened: {error}") from error
    raise AssertionError("the loop above returns or raises")


def _reserve_lock_file(path: Path) -> None:
    """Make LMDB's lock file with its blocks, if there is none.

    LMDB maps it as a hole, and whoever writes to a hole of a full disk is ended by the
    kernel. Only a new one: to open another is to drop the locks that LMDB has on it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    try:
        os.posix_fallocate(descriptor, 0, _LOCK_BYTES)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(descriptor)


def is_usable(lmdb_env: lmdb.Environment) -> bool:
    """Whether transactions can begin.

    After a failed write of the page that makes a commit count LMDB refuses them all,
    reads too, until the environment was closed and opened again.
    """
    try:
        with lmdb_env.begin():
            return True
    except lmdb.Error:
        return False


class ReadTxn:
    """One snapshot, for `with`; readers never wait. Raises StoreFailed when LMDB does.

    PERF: 1.6 us where a generator takes 4.8 and LMDB alone 0.4 (two busy cores,
    CPython 3.11).
    """

    def __init__(
        self,
        lmdb_env: lmdb.Environment,
        recover: "Callable[[], lmdb.Environment] | None" = None,
    ) -> None:
        """`recover` gives an environment to read when this one refuses transactions."""
        self._lmdb_env = lmdb_env
        self._recover = recover

    def __enter__(self) -> Txn:
        try:
            self._txn = self._lmdb_env.begin()
        except lmdb.Error as error:
            self._txn = self._begin_again(error)
        return self._txn

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._txn.abort()
        if isinstance(error, lmdb.Error):
            raise _cannot_be_read(error) from error

    def _begin_again(self, error: lmdb.Error) -> Txn:
        if self._recover is None:
            raise _cannot_be_read(error) from error
        try:
            return self._recover().begin()
        except lmdb.Error as still:
            raise _cannot_be_read(still) from still


def _cannot_be_read(error: lmdb.Error) -> StoreFailed:
    return StoreFailed(f"the store cannot be read: {error}")


def begin_write(lmdb_env: lmdb.Environment) -> Txn:
    """A write transaction that whoever asks for it ends; raises StoreFailed.

    Waits for whoever is writing, in this process or another.
    """
    try:
        return lmdb_env.begin(write=True)
    except lmdb.Error as error:
        raise StoreFailed(f"nothing was stored: {error}") from error


@contextmanager
def write_txn(
    lmdb_env: lmdb.Environment, parent: "Txn | None" = None
) -> Generator[Txn]:
    """One write transaction; what it wrote is durable when the block ends.

    Inside a parent it is durable with that. An exception inside aborts all of it, and
    nothing of the parent. Raises StoreFailed when LMDB does.
    """
    try:
        with lmdb_env.begin(write=True, parent=parent) as txn:
            yield txn
    except lmdb.Error as error:
        raise StoreFailed(f"nothing was stored: {error}") from error
