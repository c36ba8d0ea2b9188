"""A file on its way into the folder of revisions: whole and verified, or gone.

A new file is called `new-PID-NUMBER` until all its bytes are on disk; then it is named
after its sha256. Whoever prepares a publication holds `CATALOG/preparing` shared, so
that nothing of it is collected meanwhile.
"""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from catalog_store.artifact import (
    Accept,
    ArtifactReader,
    chunks_of,
    describe,
)
from catalog_store.compiled import CompiledCatalog
from catalog_store.durable_files import sync_folder
from catalog_store.manifest import Manifest
from catalog_store.revision_file import write_revision


class Installation:
    """An artifact that arrives in parts; use it in a `with` block.

    What was not finished leaves nothing behind.
    """

    def __init__(self, folder: Path, accept: Accept) -> None:
        self._folder = folder
        self._path = _new_path(folder)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._reader = ArtifactReader(self._file, accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def feed(self, part: bytes) -> None:
        """Take the next bytes; raises ArtifactError and OSError."""
        self._reader.feed(part)

    def finish(self) -> Manifest:
        """Name the file, on disk, after its bytes; raises ArtifactError and OSError."""
        manifest = self._reader.finish()
        self._file.flush()
        os.fsync(self._file.fileno())
        keep(self._folder, self._path, manifest)
        return manifest

    def close(self) -> None:
        # Whoever could not write was told; closing tries once more, and would tell too.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


def install_file(
    folder: Path,
    artifact: Path,
    accept: Accept,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Install an artifact that is a file here; raises ArtifactError and OSError."""
    total = artifact.stat().st_size
    done = 0
    with Installation(folder, accept) as installation, artifact.open("rb") as file:
        for chunk in chunks_of(file):
            installation.feed(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
        return installation.finish()


def install_compiled(folder: Path, catalog: CompiledCatalog) -> Manifest:
    """Install a catalog that was compiled here."""
    new_path = _new_path(folder)
    try:
        write_revision(new_path, catalog)
        with new_path.open("rb") as data:
            os.fsync(data.fileno())
        manifest = describe(new_path, catalog)
        keep(folder, new_path, manifest)
    finally:
        new_path.unlink(missing_ok=True)
    return manifest


def keep(folder: Path, new_path: Path, manifest: Manifest) -> None:
    """Give a verified file its name for good."""
    new_path.chmod(0o444)
    new_path.replace(file_path(folder, manifest.file_sha256))
    sync_folder(folder / "files")


def file_path(folder: Path, sha256: str) -> Path:
    return folder / "files" / f"{sha256}.mdb"


@contextmanager
def preparing(folder: Path) -> Generator[None]:
    """Keep what is installed in this block from being collected until it is named."""
    with (folder / "preparing").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _new_path(folder: Path) -> Path:
    return folder / "files" / f"new-{os.getpid()}-{time.monotonic_ns()}"
