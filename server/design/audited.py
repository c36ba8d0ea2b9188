"""What the audit log is told of an edit: what was there before it."""

from collections.abc import Iterable

from catalog_store.design_records import Design, Ref
from server.audit.changes import current_change
from server.audit.content import content_of
from server.design.approval_messages import designed_message


def tell_before(before: Design, changed: Iterable[Ref]) -> None:
    """One record as it was, with its approvals; of several, the design's version.

    What was made new was not there. `propono catalog show --at` has the version.
    """
    refs = {
        Ref(ref.environment, "offers", ref.name) if ref.kind == "approvals" else ref
        for ref in changed
    }
    if len(refs) > 1:
        current_change().before = {"design_version": before.version}
        return
    for ref in refs & before.records.keys():
        current_change().before = content_of(designed_message(before, ref))
