"""What a worker does with a revision beside deciding on it."""

import gc
from pathlib import Path

from server.worker import CatalogCell, load_current
from tests.bank import environment, offer, publish


def test_a_loaded_catalog_is_out_of_the_collectors_way(tmp_path: Path) -> None:
    """No full collection in the middle of a decision walks through it."""
    revisions, manifest = publish(tmp_path, environment([offer("card")]))
    cell = CatalogCell()
    before = gc.get_freeze_count()
    try:
        load_current(revisions, cell)
        frozen = gc.get_freeze_count() - before
    finally:
        gc.unfreeze()

    assert cell.current is not None
    assert cell.current.revision == manifest.number
    assert frozen > 0
