"""Changes of the design: checked by the compiler, then stored, one at a time.

Whoever changes something holds the store's write lock from reading to writing: what a
change was checked against is what it changes, on any number of processes.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from catalog_store.design_changes import Author
from catalog_store.design_records import Deleted, Design, Ref
from catalog_store.design_store import DesignStore
from catalog_store.records import Record, UnixMs
from compiler.change_check import check_change
from compiler.source import Diagnostic, Severity
from server.design.zones import check_zones

#: What becomes of some records; None deletes one.
Changes = Mapping[Ref, Record | None]
#: What is to be changed in a design; raises what the caller did wrong.
Edit = Callable[[Design], Changes]


class RefusedChange(Exception):
    """What the design would be after a change has errors; holds all of them."""

    def __init__(self, changes: Changes, diagnostics: list[Diagnostic]) -> None:
        self.changes = changes
        self.diagnostics = diagnostics
        super().__init__("\n".join(one.render() for one in diagnostics))


class Edited(NamedTuple):
    """What came of an edit."""

    design: Design
    #: Warnings and notes.
    diagnostics: list[Diagnostic]


class DesignEditor:
    """The design of one store, for one thread; its records are kept in memory."""

    def __init__(self, store: DesignStore, now_ms: Callable[[], UnixMs]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._design: Design | None = None

    def design(self) -> Design:
        """As it stands; raises DesignStoreFailed and DamagedDesign."""
        self._design = self._store.design(self._design)
        return self._design

    def deleted(self) -> dict[Ref, Deleted]:
        """What was deleted lately."""
        return self._store.deleted(self._now_ms())

    def change(
        self, caller: str, method: str, edit: Edit, *, validate_only: bool = False
    ) -> Edited:
        """Change the design as `edit` says, or find that it could be.

        Raises RefusedChange, what `edit` raises, DesignStoreFailed and DamagedDesign;
        nothing is then changed.
        """
        author = Author(caller, self._now_ms(), method)
        with self._store.changing(author, self._design) as changing:
            before, transaction = changing
            self._design = before
            changes = _effective(before, edit(before))
            if not changes:
                return Edited(before, [])
            after = before.changed(changes, transaction.version)
            found = check_change(after.catalog, before.catalog)
            found += check_zones(after, {ref.environment for ref in changes})
            errors = [one for one in found if one.severity is Severity.ERROR]
            if errors:
                raise RefusedChange(changes, errors)
            if not validate_only:
                for ref, record in changes.items():
                    if record is None:
                        transaction.delete(ref)
                    else:
                        transaction.put(ref, record)
        if not validate_only:
            self._design = after
        return Edited(after, found)


def _effective(design: Design, changes: Changes) -> Changes:
    """Those that change something."""
    records = design.records
    return {
        ref: record
        for ref, record in changes.items()
        if (records[ref].record if ref in records else None) != record
    }
