"""Changes of the design: checked by the compiler, then stored, one at a time.

Whoever changes something holds the store's write lock from reading to writing: what a
change was checked against is what it changes, on any number of processes.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from catalog_store.design_changes import Author, AuthoredState
from catalog_store.design_records import Deleted, Design, Ref
from catalog_store.design_store import DesignStore
from catalog_store.records import Record, UnixMs
from compiler.change_check import check_change
from compiler.source import Diagnostic, Severity
from server.design.approval_upkeep import (
    PublishedOffers,
    check_approved,
    nothing_published,
    upkeep_of,
)
from server.design.audited import tell_before
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

    def __init__(
        self,
        store: DesignStore,
        now_ms: Callable[[], UnixMs],
        published: PublishedOffers = nothing_published,
    ) -> None:
        """`published` reads what decides now, for environments that keep it."""
        self._store = store
        self._now_ms = now_ms
        self._published = published
        self._design: Design | None = None

    def design(self) -> Design:
        """As it stands; raises DesignStoreFailed and DamagedDesign."""
        self._design = self._store.design(self._design)
        return self._design

    def now_ms(self) -> UnixMs:
        """The time of a change that is made now."""
        return self._now_ms()

    def states_of(self, ref: Ref) -> Iterator[AuthoredState]:
        """The states of one record, newest first, and who made it so."""
        return self._store.authored_states(ref)

    def design_at(self, version: int) -> Design:
        """As it stood after a change; raises UnknownChange and DamagedDesign too."""
        return self._store.design_at(version)

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
            changes = {**changes, **upkeep_of(before, changes, self._published)}
            after = before.changed(changes, transaction.version)
            found = _found_in(before, after, changes)
            errors = [one for one in found if one.severity is Severity.ERROR]
            errors = errors or check_approved(before, after, changes)
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
            tell_before(before, changes)
        return Edited(after, found)


def _found_in(before: Design, after: Design, changes: Changes) -> list[Diagnostic]:
    """What is to be said of what the design then has."""
    if all(ref.kind == "approvals" for ref in changes):
        return []
    found = check_change(after.catalog, before.catalog)
    return found + check_zones(after, {ref.environment for ref in changes})


def _effective(design: Design, changes: Changes) -> Changes:
    """Those that change something."""
    records = design.records
    return {
        ref: record
        for ref, record in changes.items()
        if (records[ref].record if ref in records else None) != record
    }
