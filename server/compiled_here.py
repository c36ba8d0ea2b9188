"""Whether this very compiler made the current revision on this machine.

Then what is compiled next takes over every rule that stayed the same.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import Manifest
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from compiler.revision import compiler_fingerprint

#: Offers of a catalog that is kept in memory; larger ones are read from their file.
KEPT_OFFERS_MAX = 20_000


class KeptCompilation:
    """The last catalog that this process compiled and published, if it is small.

    PERF: 110 of the 850 ms of CPU that it takes to publish one change of 10,000 offers
    were reading and hashing what this process had written (bench/approving.py).
    """

    def __init__(self) -> None:
        self._file_sha256 = ""
        self._catalog: CompiledCatalog | None = None

    def keep(self, manifest: Manifest, catalog: CompiledCatalog) -> None:
        is_small = manifest.offer_count <= KEPT_OFFERS_MAX
        self._catalog = catalog if is_small else None
        self._file_sha256 = manifest.file_sha256

    def of(self, manifest: Manifest) -> CompiledCatalog | None:
        """What a revision's file was written from."""
        return self._catalog if manifest.file_sha256 == self._file_sha256 else None


def compiled_here(
    revisions: Revisions, kept: KeptCompilation | None = None
) -> CompiledCatalog | None:
    """The current revision if this very compiler made it on this machine, else None.

    Only what is noted outside of the files says so: nothing that an artifact contains
    can make its rules be taken for our own. The bytes must still be those compiled.
    """
    try:
        current = revisions.current()
        known = kept.of(current) if kept is not None else None
        if known is not None:
            return known
        noted = _note_path(revisions).read_text("ascii")
        file = revisions.folder / "files" / f"{current.file_sha256}.mdb"
        with file.open("rb") as data:
            file_sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    except (NothingPublished, DamagedRevision, OSError, ValueError):
        return None
    if noted != _note(current) or file_sha256 != current.file_sha256:
        return None
    return opened(revisions, current)


def opened(revisions: Revisions, manifest: Manifest) -> CompiledCatalog:
    """What a revision holds; raises DamagedRevision."""
    revision = revisions.open(manifest)
    try:
        return revision.catalog()
    finally:
        revision.close()


def remember(revisions: Revisions, installed: Manifest) -> None:
    """Note that this compiler made a revision's file here."""
    path = _note_path(revisions)
    # Torn by a crash it matches nothing, and everything is compiled: no fsync.
    new_path = path.with_name(path.name + ".new")
    # It is published, whether there is room for a note or not.
    with suppress(OSError):
        new_path.write_text(_note(installed), "ascii")
        new_path.replace(path)


def _note_path(revisions: Revisions) -> Path:
    return revisions.folder / "compiled_here"


def _note(manifest: Manifest) -> str:
    return f"{manifest.file_sha256} {compiler_fingerprint()}\n"
