"""Removes what interrupted publications left: files that no revision names.

A manifest above CURRENT is of a publication that ended before the pointer moved, and
never decided: it goes as well. It stays if it did decide, and CURRENT was put back by
hand.
"""

import fcntl
from collections.abc import Iterator
from pathlib import Path

from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions


def collect(revisions: Revisions) -> list[Path]:
    """Remove leftovers; returns them. Nothing while somebody prepares a publication.

    Raises PublicationBusy.
    """
    folder = revisions.folder
    with (folder / "preparing").open("ab") as lock, revisions.locked():
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return []
        removed: list[Path] = []
        for path in (*_never_current(revisions), *folder.rglob("*.new")):
            path.unlink()
            removed.append(path)
        for path in _unnamed(revisions):
            path.unlink()
            removed.append(path)
        return removed


def _never_current(revisions: Revisions) -> Iterator[Path]:
    """Manifests of publications that did not end, and signatures of none."""
    numbers = revisions.numbers()
    try:
        last = max(revisions.current_number(), revisions.signal().highest())
        numbers = [number for number in numbers if number <= last]
    except (NothingPublished, DamagedRevision):
        # Who knows which decided: a lost CURRENT must not take all revisions with it.
        pass
    folder = revisions.folder / "revisions"
    for path in sorted(folder.glob("*.json")) + sorted(folder.glob("*.sig")):
        if path.stem.isdecimal() and int(path.stem) not in numbers:
            yield path


def _unnamed(revisions: Revisions) -> Iterator[Path]:
    """Files that no manifest names; none while a manifest cannot be read."""
    try:
        named = {f"{one.file_sha256}.mdb" for one in revisions.history()}
    except DamagedRevision:
        return
    for path in sorted((revisions.folder / "files").iterdir()):
        if path.name not in named:
            yield path
