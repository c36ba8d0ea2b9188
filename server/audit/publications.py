"""What is told of a publication: which revision decided before it."""

from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from server.audit.changes import current_change


def tell_current(revisions: Revisions) -> None:
    """Unless what was before is known already, as of a review that publishes."""
    change = current_change()
    if change.before is None:
        try:
            current = revisions.current()
        except (NothingPublished, DamagedRevision):
            return
        change.before = {"revision": current.number, "digest": current.digest}
