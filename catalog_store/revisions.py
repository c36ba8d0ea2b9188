"""The folder of published revisions, and the pointer to the current one.

    CATALOG/CURRENT                  the current revision's number, in text
    CATALOG/revisions/<number>.json  manifests, one per publication
    CATALOG/revisions/<number>.sig   the signature over the manifest's bytes
    CATALOG/files/<sha256>.mdb       LMDB files, read-only, shared by rollbacks
    CATALOG/keys/                    who is trusted: `catalog_store.trust`
    CATALOG/signal                   mapped by every process: `signal_page`
    CATALOG/lock                     held by whoever publishes
    CATALOG/preparing                held, shared, by whoever installs: `installation`
    CATALOG/compiled_here            which file was compiled here: `server.publication`

A file gets its name only when all its bytes are verified and on disk, a manifest only
when its file and its signature have one, and CURRENT is replaced last: whatever is
interrupted, CURRENT names a whole revision. A manifest is believed only with a
signature of a trusted key, and a file is opened only when its bytes were hashed.
"""

import hashlib
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import msgspec

from catalog_store.acceptance import (
    accepted_manifest,
    check_newer,
    check_origin,
    is_same,
)
from catalog_store.artifact import Accept, UntrustedArtifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.durable_files import replace_durably
from catalog_store.installation import (
    Installation,
    file_path,
    install_compiled,
    install_file,
    preparing,
)
from catalog_store.keys import InvalidKey, PrivateKey
from catalog_store.manifest import (
    Manifest,
    ManifestError,
    Origin,
    decode_manifest,
    encode_manifest,
)
from catalog_store.publication_lock import PublicationBusy as PublicationBusy
from catalog_store.publication_lock import publication_lock
from catalog_store.revision_file import RevisionFile
from catalog_store.signal_page import Signal
from catalog_store.signatures import Purpose, sign, verify
from catalog_store.trust import (
    DamagedTrust,
    TrustedKey,
    TrustStore,
    Untrusted,
)

#: Bytes hashed between two decisions: 0.25 ms.
_HASHED_BYTES = 256 * 1024


class NothingPublished(Exception):
    """There is no current revision."""


class UnknownRevision(Exception):
    """No revision has this number."""


class DamagedRevision(Exception):
    """The folder does not hold what its pointer or a manifest promises."""


class UntrustedRevision(DamagedRevision):
    """A revision's manifest is not signed by a key that counts."""


class CatalogFolderFailed(Exception):
    """The folder cannot be written: the disk is full, or fails."""


class Revisions:
    """One folder of published revisions; any number of processes may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in (folder, folder / "revisions", folder / "files", folder / "keys"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.trust = TrustStore(folder / "keys")

    def current(self) -> Manifest:
        """The current revision, verified.

        Raises NothingPublished, DamagedRevision and UntrustedRevision.
        """
        number = self.current_number()
        highest = self._page.highest()
        if number < highest:
            raise DamagedRevision(
                f"CURRENT names revision {number}, but {highest} decided already:"
                " publish, or roll back to a revision"
            )
        try:
            return self.manifest(number)
        except UnknownRevision as error:
            raise DamagedRevision(f"CURRENT: {error}") from None

    def current_number(self) -> int:
        """What CURRENT says; raises NothingPublished and DamagedRevision."""
        try:
            return int((self.folder / "CURRENT").read_text("ascii"))
        except FileNotFoundError:
            raise NothingPublished("no catalog was published yet") from None
        except ValueError as error:
            raise DamagedRevision(f"CURRENT: {error}") from None

    def manifest(self, number: int) -> Manifest:
        """A revision whose signature counts.

        Raises UnknownRevision, DamagedRevision and UntrustedRevision.
        """
        data = self._manifest_bytes(number)
        try:
            signature = self._signature_path(number).read_bytes()
        except FileNotFoundError:
            signature = b""
        try:
            trusted = self.trust.keys()
            key = verify(signature, Purpose.REVISION, data, trusted)
            manifest = _decoded(number, data)
            key.check_valid(manifest.published_at_ms)
            if manifest.origin is not None:
                check_origin(manifest.origin, trusted)
        except (Untrusted, DamagedTrust) as error:
            raise UntrustedRevision(f"revision {number}: {error}") from None
        return manifest

    def numbers(self) -> list[int]:
        """Of every published revision, newest first."""
        found = [path.stem for path in self.folder.glob("revisions/*.json")]
        return sorted(map(int, filter(str.isdecimal, found)), reverse=True)

    def history(self) -> list[Manifest]:
        """Every published revision, newest first, for whoever reads about them.

        Signatures are not asked for: nothing may be opened on the word of these.
        """
        return [
            _decoded(number, self._manifest_bytes(number)) for number in self.numbers()
        ]

    def refusal(self, number: int) -> str | None:
        """Why a revision does not count; None when it does."""
        try:
            self.manifest(number)
        except (DamagedRevision, UnknownRevision) as error:
            return str(error)
        return None

    def open(self, manifest: Manifest) -> RevisionFile:
        """Map a revision's file; raises DamagedRevision.

        Its bytes are hashed, unless somebody did since the server's start.
        """
        for _ in self.verify_in_steps(manifest):
            pass
        return self.open_installed(manifest)

    def open_installed(self, manifest: Manifest) -> RevisionFile:
        """Map a file whose bytes were just hashed; raises DamagedRevision."""
        return RevisionFile(self._check_size(manifest))

    def verify_in_steps(
        self, manifest: Manifest, *, again: bool = False
    ) -> Generator[None, None, None]:
        """Hash a revision's file, in steps of 0.25 ms; raises DamagedRevision.

        With `again`, also when somebody did.
        """
        path = self._check_size(manifest)
        if not again and 0 < manifest.number == self._page.verified():
            return
        sha256 = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_HASHED_BYTES):
                sha256.update(chunk)
                yield
        if sha256.hexdigest() != manifest.file_sha256:
            raise DamagedRevision(
                f"revision {manifest.number}: its file is damaged; publish the"
                " catalog again, or restore a backup"
            )

    def verify_current(self) -> Manifest:
        """Hash the current revision's bytes, so that no worker needs to.

        Raises NothingPublished, DamagedRevision and UntrustedRevision.
        """
        self._page.set_verified(0)
        manifest = self.current()
        for _ in self.verify_in_steps(manifest, again=True):
            pass
        self._page.set_verified(manifest.number)
        return manifest

    def begin_artifact(self, now_ms: int) -> Installation:
        """Take an artifact in parts; `feed` and `finish` raise ArtifactError."""
        return Installation(self.folder, self._accept(now_ms))

    def install_artifact(self, artifact: Path, now_ms: int) -> Manifest:
        """Verify an artifact and keep its file; nothing is published yet."""
        return install_file(self.folder, artifact, self._accept(now_ms))

    def install_catalog(self, catalog: CompiledCatalog) -> Manifest:
        """Keep a catalog compiled here; nothing is published yet."""
        return install_compiled(self.folder, catalog)

    def preparing(self) -> AbstractContextManager[None]:
        """Install and publish in this block; see `installation.preparing`."""
        return preparing(self.folder)

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

        The caller has just had its bytes hashed. The artifact that is current already
        changes nothing. With `after`, the current revision must still have that number.
        Raises PublicationBusy when it does not, or another process publishes now,
        OldArtifact when a newer one was published, DamagedRevision, and
        UntrustedArtifact or UntrustedRevision when its key was revoked meanwhile.
        """
        with self.locked():
            newest = self._newest()
            if after is not None and self.current_number() != after:
                raise PublicationBusy(
                    "another revision was published meanwhile; try again"
                )
            accepted = dict(newest.accepted) if newest is not None else {}
            origin = installed.origin
            if origin is not None:
                trusted = self._trusted(origin, rollback_of)
                if rollback_of is None:
                    if newest is not None and self._is_current(newest, origin):
                        # Whoever published it may have ended before it said so.
                        if self._page.highest() < newest.number:
                            self._page.raise_(newest.number)
                        return newest
                    check_newer(origin, accepted, trusted)
                    accepted[origin.key_id] = origin.sequence
            manifest = msgspec.structs.replace(
                installed,
                number=next(iter(self.numbers()), 0) + 1,
                publisher=publisher,
                published_at_ms=now_ms,
                rollback_of=rollback_of,
                accepted=accepted,
            )
            self._check_size(manifest)
            encoded = encode_manifest(manifest)
            number = manifest.number
            signature = sign(self._own_key(), Purpose.REVISION, encoded)
            # Before the pointer moves: what is made first may find the disk full.
            page = self._page
            try:
                replace_durably(self._signature_path(number), signature)
                replace_durably(self._manifest_path(number), encoded)
                replace_durably(self.folder / "CURRENT", f"{number}\n".encode())
            except OSError:
                is_first = not (self.folder / "CURRENT").exists()
                if is_first or self.current_number() != number:
                    self._signature_path(number).unlink(missing_ok=True)
                    self._manifest_path(number).unlink(missing_ok=True)
                raise
            page.set_verified(number)
            page.raise_(number)
        return manifest

    def signal(self) -> Signal:
        return Signal(self.folder / "signal")

    def locked(self) -> AbstractContextManager[None]:
        """Publish, or change who is trusted; raises PublicationBusy."""
        return publication_lock(self.folder / "lock")

    @cached_property
    def _page(self) -> Signal:
        return self.signal()

    def _accept(self, now_ms: int) -> Accept:
        def accept(encoded: bytes, signature: bytes) -> Manifest:
            try:
                trusted = self.trust.keys()
            except DamagedTrust as error:
                raise UntrustedArtifact(str(error)) from None
            manifest = accepted_manifest(encoded, signature, trusted, now_ms)
            newest = self._newest()
            origin = manifest.origin
            assert origin is not None
            if newest is not None and not self._is_current(newest, origin):
                check_newer(origin, newest.accepted, trusted)
            return manifest

        return accept

    def _newest(self) -> Manifest | None:
        """The newest revision that was ever current, of those that count."""
        try:
            current = self.current_number()
        except (NothingPublished, DamagedRevision):
            current = 0
        for number in self.numbers():
            # A higher one is of a publication that was interrupted.
            if number <= max(current, self._page.highest()):
                try:
                    return self.manifest(number)
                except (DamagedRevision, UnknownRevision):
                    continue
        return None

    def _is_current(self, newest: Manifest, origin: Origin) -> bool:
        """Whether this very artifact decides now: then it was sent again."""
        return is_same(newest.origin, origin) and newest.number == self.current_number()

    def _trusted(
        self, origin: Origin, rollback_of: int | None
    ) -> Mapping[str, TrustedKey]:
        """The keys; raises when that of the artifact was revoked meanwhile."""
        try:
            trusted = self.trust.keys()
            check_origin(origin, trusted)
        except (Untrusted, DamagedTrust) as error:
            if rollback_of is None:
                raise UntrustedArtifact(str(error)) from None
            raise UntrustedRevision(f"revision {rollback_of}: {error}") from None
        return trusted

    def _own_key(self) -> PrivateKey:
        try:
            return self.trust.own_key()
        except (InvalidKey, DamagedTrust) as error:
            raise DamagedRevision(f"the key that signs revisions: {error}") from None

    def _manifest_bytes(self, number: int) -> bytes:
        try:
            return self._manifest_path(number).read_bytes()
        except FileNotFoundError:
            raise UnknownRevision(f"there is no revision {number}") from None

    def _check_size(self, manifest: Manifest) -> Path:
        path = file_path(self.folder, manifest.file_sha256)
        # One that was cut short since would end the process that reads it.
        if not path.exists() or path.stat().st_size != manifest.file_bytes:
            raise DamagedRevision(f"revision {manifest.number}: its file is not whole")
        return path

    def _manifest_path(self, number: int) -> Path:
        return self.folder / "revisions" / f"{number}.json"

    def _signature_path(self, number: int) -> Path:
        return self.folder / "revisions" / f"{number}.sig"


def _decoded(number: int, data: bytes) -> Manifest:
    try:
        manifest = decode_manifest(data)
    except ManifestError as error:
        raise DamagedRevision(f"revision {number}: {error}") from None
    if manifest.number != number:
        raise DamagedRevision(
            f"revision {number}: it is the manifest of {manifest.number}"
        )
    return manifest
