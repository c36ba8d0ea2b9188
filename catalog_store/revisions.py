"""The folder of published revisions, and the pointer to the current one.

    CATALOG/CURRENT                  the current revision's number, in text
    CATALOG/revisions/<number>.json  manifests, one per publication
    CATALOG/files/<sha256>.mdb       LMDB files, read-only, shared by rollbacks
    CATALOG/signal                   8 bytes, mapped by workers: changes at each switch
    CATALOG/lock                     held by whoever publishes
    CATALOG/compiled_here            which file was compiled here: `server.publication`

A file gets its name only when all its bytes are verified and on disk, a manifest only
when its file has one, and CURRENT is replaced last: whatever is interrupted, CURRENT
names a whole revision.
"""

import fcntl
import mmap
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from catalog_store.artifact import describe, extract_artifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import (
    Manifest,
    ManifestError,
    decode_manifest,
    encode_manifest,
)
from catalog_store.revision_file import RevisionFile, write_revision

_SIGNAL_BYTES = 8


class NothingPublished(Exception):
    """There is no current revision."""


class UnknownRevision(Exception):
    """No revision has this number."""


class DamagedRevision(Exception):
    """The folder does not hold what its pointer or a manifest promises."""


class PublicationBusy(Exception):
    """Somebody else is publishing."""


class Revisions:
    """One folder of published revisions; any number of processes may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in (folder, folder / "revisions", folder / "files"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)

    def current(self) -> Manifest:
        """The current revision; raises NothingPublished."""
        try:
            text = (self.folder / "CURRENT").read_text("ascii")
        except FileNotFoundError:
            raise NothingPublished("no catalog was published yet") from None
        try:
            return self.manifest(int(text))
        except (ValueError, UnknownRevision) as error:
            raise DamagedRevision(f"CURRENT: {error}") from None

    def manifest(self, number: int) -> Manifest:
        """Raises UnknownRevision, or DamagedRevision."""
        try:
            data = self._manifest_path(number).read_bytes()
        except FileNotFoundError:
            raise UnknownRevision(f"there is no revision {number}") from None
        try:
            return decode_manifest(data)
        except ManifestError as error:
            raise DamagedRevision(f"revision {number}: {error}") from None

    def history(self) -> list[Manifest]:
        """Every published revision, newest first."""
        numbers = [int(path.stem) for path in self.folder.glob("revisions/*.json")]
        return [self.manifest(number) for number in sorted(numbers, reverse=True)]

    def open(self, manifest: Manifest) -> RevisionFile:
        """Map a revision's file; raises DamagedRevision.

        The bytes were verified when they were installed; here only their number is
        compared, since a file that was cut short since then would end the process.
        """
        return RevisionFile(self._check_file(manifest))

    def install_artifact(self, artifact: Path) -> Manifest:
        """Verify an artifact and keep its file; nothing is published yet."""
        with self._new_file() as new_path:
            manifest = extract_artifact(artifact, new_path)
            self._keep_file(new_path, manifest)
        return manifest

    def install_catalog(self, catalog: CompiledCatalog) -> Manifest:
        """Keep a catalog compiled here; nothing is published yet."""
        with self._new_file() as new_path:
            write_revision(new_path, catalog)
            with new_path.open("rb") as data:
                os.fsync(data.fileno())
            manifest = describe(new_path, catalog)
            self._keep_file(new_path, manifest)
        return manifest

    def publish(
        self,
        installed: Manifest,
        *,
        publisher: str,
        now_ms: int,
        rollback_of: int | None = None,
        after: int | None = None,
    ) -> Manifest:
        """Make an installed file the current revision, under the next number.

        With `after`, the current revision must still have that number. Raises
        PublicationBusy when it does not, or another process publishes at this moment.
        """
        with self._publishing():
            history = self.history()
            if after is not None and self.current().number != after:
                raise PublicationBusy(
                    "another revision was published meanwhile; try again"
                )
            manifest = msgspec.structs.replace(
                installed,
                number=history[0].number + 1 if history else 1,
                publisher=publisher,
                published_at_ms=now_ms,
                rollback_of=rollback_of,
            )
            self._check_file(manifest)
            _replace(self._manifest_path(manifest.number), encode_manifest(manifest))
            _replace(self.folder / "CURRENT", f"{manifest.number}\n".encode())
            self.signal().raise_()
        return manifest

    def signal(self) -> "Signal":
        return Signal(self.folder / "signal")

    @contextmanager
    def _publishing(self) -> Generator[None]:
        with (self.folder / "lock").open("ab") as lock:
            deadline = time.monotonic() + 5
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise PublicationBusy(
                            "another publication is under way; try again"
                        ) from None
                    time.sleep(0.01)
            yield

    @contextmanager
    def _new_file(self) -> Generator[Path]:
        new_path = self.folder / "files" / f"new-{os.getpid()}-{time.monotonic_ns()}"
        try:
            yield new_path
        finally:
            new_path.unlink(missing_ok=True)

    def _check_file(self, manifest: Manifest) -> Path:
        path = self._file_path(manifest.file_sha256)
        if not path.exists() or path.stat().st_size != manifest.file_bytes:
            raise DamagedRevision(f"revision {manifest.number}: its file is not whole")
        return path

    def _keep_file(self, new_path: Path, manifest: Manifest) -> None:
        new_path.chmod(0o444)
        new_path.replace(self._file_path(manifest.file_sha256))
        _sync_folder(self.folder / "files")

    def _manifest_path(self, number: int) -> Path:
        return self.folder / "revisions" / f"{number}.json"

    def _file_path(self, sha256: str) -> Path:
        return self.folder / "files" / f"{sha256}.mdb"


class Signal:
    """Eight shared bytes that change when the current revision does.

    Reading them is a memory access: a worker compares them many times a second
    without touching the file system.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _SIGNAL_BYTES:
                os.truncate(descriptor, _SIGNAL_BYTES)
            self._page = mmap.mmap(descriptor, _SIGNAL_BYTES)
        finally:
            os.close(descriptor)

    def value(self) -> bytes:
        return self._page[:]

    def raise_(self) -> None:
        """Change the bytes; whoever calls holds the publication lock."""
        number = int.from_bytes(self._page[:], "little") + 1
        self._page[:] = number.to_bytes(_SIGNAL_BYTES, "little")


def _replace(path: Path, data: bytes) -> None:
    """Give a file new contents so that a crash leaves the old or the new ones."""
    new_path = path.with_name(path.name + ".new")
    with new_path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new_path.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
