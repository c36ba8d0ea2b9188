"""Checks of the published revisions: every manifest, its file, CURRENT, and leftovers.

A file that no manifest names is of a publication that never ended, or of a revision
that was removed by hand: nothing reads it, and a repair removes it. A publication that
is under way has such files too, so that young ones are left alone.
"""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from catalog_store.manifest import Manifest
from catalog_store.revisions import (
    DamagedRevision,
    NothingPublished,
    Revisions,
    UnknownRevision,
)
from contact_store.doctor import Finding

#: Younger files may be of a publication that is under way.
LEFTOVER_AGE_MS = 3_600_000

#: Learns what is looked at, how many bytes of it, and of how many.
Progress = Callable[[str, int, int], None]


def examine_revisions(
    folder: Path, now_ms: int, progress: Progress, *, repair: bool = False
) -> Iterator[Finding]:
    """Every finding; nothing published is none."""
    if not folder.is_dir():
        return
    revisions = Revisions(folder)
    manifests: list[Manifest] = []
    is_readable = True
    for path in sorted(folder.glob("revisions/*.json")):
        try:
            manifest = revisions.manifest(int(path.stem))
            manifests.append(manifest)
        except (ValueError, DamagedRevision, UnknownRevision) as error:
            is_readable = False
            yield _seen("revisions", path.name, f"not readable: {error}")
    yield from _current(revisions, manifests)
    yield from _files(folder, manifests, progress)
    # A manifest that cannot be read may name any file.
    yield from _leftovers(folder, manifests, now_ms, repair=repair and is_readable)


def _current(revisions: Revisions, manifests: list[Manifest]) -> Iterator[Finding]:
    try:
        revisions.current()
    except NothingPublished:
        if manifests:
            what = "missing: publish a catalog, or roll back to a revision"
            yield _seen("CURRENT", "", what)
    except DamagedRevision as error:
        what = f"{error}; publish a catalog, or roll back to a revision"
        yield _seen("CURRENT", "", what)


def _files(
    folder: Path, manifests: list[Manifest], progress: Progress
) -> Iterator[Finding]:
    """Whether the bytes of every revision are there."""
    named = {one.file_sha256: one for one in manifests}
    total = sum(one.file_bytes for one in named.values())
    done = 0
    for sha256, manifest in sorted(named.items()):
        path = folder / "files" / f"{sha256}.mdb"
        numbers = [one.number for one in manifests if one.file_sha256 == sha256]
        of = f"the file of revision {', '.join(map(str, numbers))}"
        remedy = "publish the catalog again, or restore a backup"
        if not path.is_file():
            yield _seen("files", path.name, f"{of} is missing: {remedy}")
        elif path.stat().st_size != manifest.file_bytes:
            size = path.stat().st_size
            what = f"{of} has {size} bytes of {manifest.file_bytes}: {remedy}"
            yield _seen("files", path.name, what)
        elif _sha256(path) != sha256:
            yield _seen("files", path.name, f"{of} is damaged: {remedy}")
        done += manifest.file_bytes
        progress("catalog/files", done, total)


def _leftovers(
    folder: Path, manifests: list[Manifest], now_ms: int, *, repair: bool
) -> Iterator[Finding]:
    """Files that nothing names."""
    named = {f"{one.file_sha256}.mdb" for one in manifests}
    found = [path for path in folder.glob("files/*") if path.name not in named]
    found += [*folder.glob("revisions/*.new"), *folder.glob("*.new")]
    old = [path for path in sorted(found) if _age_ms(path, now_ms) > LEFTOVER_AGE_MS]
    if not old:
        return
    with (folder / "lock").open("ab") as lock:
        if repair:
            # Publishing names files under this lock: what it named meanwhile stays.
            fcntl.flock(lock, fcntl.LOCK_EX)
            named |= {f"{m.file_sha256}.mdb" for m in Revisions(folder).history()}
        for path in old:
            if path.name in named:
                continue
            size_bytes = path.stat().st_size
            if repair:
                path.unlink()
            yield Finding(
                "catalog",
                path.parent.name if path.parent != folder else "",
                path.name,
                f"no revision names it; {size_bytes} bytes",
                "remove it",
                repair,
            )


def _age_ms(path: Path, now_ms: int) -> int:
    try:
        return now_ms - path.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seen(table: str, key: str, what: str) -> Finding:
    return Finding("catalog", table, key, what, "")
