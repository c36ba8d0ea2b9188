"""Golden decisions of a catalog that is compiled, and not published."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import Manifest
from catalog_store.revision_file import RevisionFile, write_revision
from server.engine.live_catalog import LiveCatalog
from server.golden.running import (
    GoldenOutcome,
    golden_outcomes,
    require_golden_decisions,
)
from server.live_loading import load


def try_golden_decisions(catalog: CompiledCatalog) -> None:
    """Raises GoldenDecisionsFailed, and OSError when there is no room for the file."""
    if any(one.environment.golden_decisions for one in catalog.environments):
        with loaded(catalog) as (revision, live):
            require_golden_decisions(revision, live)


def golden_trial(catalog: CompiledCatalog) -> list[GoldenOutcome]:
    """What comes of each; raises OSError when there is no room for the file."""
    with loaded(catalog) as (revision, live):
        return list(golden_outcomes(revision, live))


@contextmanager
def loaded(catalog: CompiledCatalog) -> Generator[tuple[RevisionFile, LiveCatalog]]:
    """A compiled catalog as a worker would have it, from a file that goes again."""
    with TemporaryDirectory(prefix="propono-") as folder:
        path = Path(folder) / "trial.mdb"
        write_revision(path, catalog)
        revision = RevisionFile(path)
        try:
            yield revision, load(revision, _manifest(catalog))
        finally:
            revision.close()


def _manifest(catalog: CompiledCatalog) -> Manifest:
    """Of what has no number and no file that lasts."""
    return Manifest(
        digest="",
        file_sha256="",
        file_bytes=0,
        code_tag=catalog.code_tag,
        offer_count=0,
        rule_count=0,
    )
