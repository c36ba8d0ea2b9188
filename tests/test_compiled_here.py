"""What is kept of a compilation: for the next one, as long as it is what decides."""

from pathlib import Path

import pytest

from catalog_store.records import Catalog, UnixMs
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from server import compiled_here
from server.compiled_here import KeptCompilation
from server.data_folder import DataFolder
from server.publication import publish_records
from tests.bank import NOON_MS, environment, offer


def catalog(*names: str) -> Catalog:
    offers = [offer(name, rule=f"contact.age > {len(name)}") for name in names]
    return Catalog(environments=(environment(offers),))


def test_what_somebody_else_published_is_not_taken_for_ours(tmp_path: Path) -> None:
    """Publications of two processes in turn are what each compiled."""
    folder = DataFolder(tmp_path)
    ours, theirs = KeptCompilation(), KeptCompilation()
    turns = [
        (ours, catalog("a")),
        (theirs, catalog("a", "bb")),
        (ours, catalog("a", "ccc")),
        (ours, catalog("a", "ccc", "dddd")),
        (theirs, catalog("bb")),
    ]
    revisions = Revisions(folder.catalog)
    for kept, published in turns:
        now_ms = UnixMs(NOON_MS)
        manifest, compilation = publish_records(
            folder, published, publisher="x", now_ms=now_ms, kept=kept
        )

        assert kept.of(revisions.current()) is compilation.catalog
        others = theirs if kept is ours else ours
        assert others.of(revisions.current()) is None
        assert manifest.digest == compile_catalog(published).catalog.digest()


def test_large_catalogs_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read from their file again."""
    monkeypatch.setattr(compiled_here, "KEPT_OFFERS_MAX", 1)
    kept = KeptCompilation()
    folder, now_ms = DataFolder(tmp_path), UnixMs(NOON_MS)
    for published in (catalog("a"), catalog("a", "b")):
        publish_records(folder, published, publisher="x", now_ms=now_ms, kept=kept)
        is_kept = kept.of(Revisions(folder.catalog).current()) is not None

        assert is_kept == (published == catalog("a"))
