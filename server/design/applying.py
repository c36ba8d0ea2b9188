"""A whole catalog made the design: compared with it, checked, and stored as one change.

Zones are of the design alone: a catalog has none, and they go with their environment.
"""

from collections.abc import Mapping
from typing import NamedTuple

from catalog_store.design_records import Design, Ref
from catalog_store.records import Record
from compiler.source import Diagnostic
from server.design.comparing import Difference, differences
from server.design.editing import Changes, DesignEditor
from server.design.nouns import resource_of
from server.requests import DesignChanged, InvalidRequest, Violation


class ApplyOptions(NamedTuple):
    """How a catalog is applied."""

    #: Whether what the catalog does not have is deleted.
    prune: bool = False
    #: Compare and check only.
    validate_only: bool = False
    #: The version that the design must have; None is any.
    design_version: int | None = None


class Applied(NamedTuple):
    """What was changed, or would be."""

    #: The one that this change made, or the one compared with.
    design_version: int
    #: Deletions, then updates, then creations, each in order of name.
    differences: list[Difference]
    #: Records that are in the catalog as they are in the design.
    unchanged_count: int
    #: Warnings and notes.
    diagnostics: list[Diagnostic]


def apply_catalog(
    editor: DesignEditor,
    caller: str,
    records: Mapping[Ref, Record],
    options: ApplyOptions,
) -> Applied:
    """Make the design what these records are, or find what that would change.

    Raises InvalidRequest, DesignChanged, RefusedChange, DesignStoreFailed and
    DamagedDesign; nothing is then changed.
    """
    compared: list[tuple[Design, Changes]] = []

    def edit(design: Design) -> Changes:
        if options.design_version not in (None, design.version):
            raise DesignChanged(design.version)
        _require_environments(records, design)
        changes = _changes(records, design, prune=options.prune)
        compared.append((design, changes))
        return changes

    edited = editor.change(
        caller, "ApplyCatalog", edit, validate_only=options.validate_only
    )
    ((before, changes),) = compared
    kept = sum(1 for ref in records if ref not in changes)
    version = before.version if options.validate_only else edited.design.version
    known = {ref: stored.record for ref, stored in before.records.items()}
    found = differences(known, changes)
    return Applied(version, found, kept, edited.diagnostics)


def _require_environments(records: Mapping[Ref, Record], design: Design) -> None:
    """Nothing stands in an environment that is not there."""
    named = {ref.environment for ref in records}
    missing = {
        name
        for name in named
        if Ref(name) not in records and Ref(name) not in design.records
    }
    if missing:
        text = "is no environment of the catalog or of the design; send it too"
        raise InvalidRequest(
            [Violation(resource_of(Ref(name)), text) for name in sorted(missing)]
        )


def _changes(
    records: Mapping[Ref, Record], design: Design, *, prune: bool
) -> dict[Ref, Record | None]:
    known = design.records
    changes: dict[Ref, Record | None] = {
        ref: record
        for ref, record in records.items()
        if ref not in known or known[ref].record != record
    }
    if prune:
        for ref in known:
            if ref.kind == "approvals":
                # They go with their offers.
                continue
            is_kept = ref.kind == "zones" and Ref(ref.environment) in records
            if ref not in records and not is_kept:
                changes[ref] = None
    return changes
