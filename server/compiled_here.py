"""The revision that this very compiler made on this machine: its rules can be reused.

Only what is noted outside of the files says so: nothing that an artifact contains can
make its rules be taken for our own.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import Manifest
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from compiler.revision import compiler_fingerprint


def compiled_here(revisions: Revisions) -> CompiledCatalog | None:
    """The current revision if it was compiled here, else None.

    Its bytes must still be those compiled.
    """
    try:
        current = revisions.current()
        noted = _compiled_here_path(revisions).read_text("ascii")
        file = revisions.folder / "files" / f"{current.file_sha256}.mdb"
        with file.open("rb") as data:
            file_sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    except (NothingPublished, DamagedRevision, OSError, ValueError):
        return None
    if noted != _compiled_here_note(current) or file_sha256 != current.file_sha256:
        return None
    return opened(revisions, current)


def remember_compiled_here(revisions: Revisions, installed: Manifest) -> None:
    """Note that a file was compiled here."""
    path = _compiled_here_path(revisions)
    # Torn by a crash it matches nothing, and everything is compiled: no fsync.
    new_path = path.with_name(path.name + ".new")
    # It is published, whether there is room for a note or not.
    with suppress(OSError):
        new_path.write_text(_compiled_here_note(installed), "ascii")
        new_path.replace(path)


def _compiled_here_path(revisions: Revisions) -> Path:
    return revisions.folder / "compiled_here"


def _compiled_here_note(manifest: Manifest) -> str:
    return f"{manifest.file_sha256} {compiler_fingerprint()}\n"


def opened(revisions: Revisions, manifest: Manifest) -> CompiledCatalog:
    """All of a revision; raises DamagedRevision."""
    revision = revisions.open(manifest)
    try:
        return revision.catalog()
    finally:
        revision.close()
