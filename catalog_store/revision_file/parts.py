"""An environment as a short head and long parts, and back.

Every field that grows with the catalog is a part; the head is the same struct with
these fields empty, so that a field added to a record is kept without a change here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from catalog_store.compiled import CompiledEnvironment
from catalog_store.index_tables import (
    AttributeTable,
    EnvironmentIndex,
    FactorGroup,
    RowSetIndex,
)
from catalog_store.records import (
    Category,
    Environment,
    GoldenDecision,
    Offer,
    PresentationRule,
    Quota,
    Segment,
    Space,
    Typology,
)
from catalog_store.revision_file.chunks import CHUNK_BYTES, CHUNK_ITEMS_MAX
from catalog_store.stored_rule import StoredRule

#: Rules of one chunk at most: asking for one later decodes no others.
RULES_PER_CHUNK = 16

#: Fields of the record that are parts of the same name.
RECORD_TYPES: dict[str, Any] = {
    "segments": Segment,
    "categories": Category,
    "offers": Offer,
    "spaces": Space,
    "presentation_rules": PresentationRule,
    "typologies": Typology,
    "quotas": Quota,
    "golden_decisions": GoldenDecision,
}
#: The sets of rows of an index.
ROW_SETS = ("row_index", "offer_index")


class Part(NamedTuple):
    """Items of one kind, in order."""

    name: str
    items: Iterable[object]
    #: Of one chunk.
    items_max: int = CHUNK_ITEMS_MAX


class Use(NamedTuple):
    """Where a rule is used: its field's source name, and its number."""

    source: str
    rule: int


#: Fields of an index that only the compiler reads; they grow with the catalog.
BLOBS = tuple(
    field.name
    for field in msgspec.structs.fields(EnvironmentIndex)
    if field.type is bytes
)

#: How many masks a table has, and the table without them.
TABLE = tuple[int, AttributeTable]

#: Reads all items of a part, given its name and their type.
ReadPart = Callable[[str, Any], Iterable[Any]]


def head_of(compiled: CompiledEnvironment) -> CompiledEnvironment:
    """What is left of an environment without its parts."""
    index = compiled.index
    empty_sets: dict[str, Any] = {}
    for name in ROW_SETS:
        row_set: RowSetIndex | None = getattr(index, name)
        empty_sets[name] = row_set and msgspec.structs.replace(
            row_set, tables=(), predicates=(), shared=(), residual=()
        )
    return msgspec.structs.replace(
        compiled,
        environment=msgspec.structs.replace(
            compiled.environment, **dict.fromkeys(RECORD_TYPES, ())
        ),
        rules=(),
        rule_of={},
        templates={},
        index=msgspec.structs.replace(
            index, rows=(), groups=(), **empty_sets, **dict.fromkeys(BLOBS, b"")
        ),
    )


def parts_of(compiled: CompiledEnvironment) -> Iterator[Part]:
    """What `head_of` leaves out."""
    for name in RECORD_TYPES:
        yield Part(name, getattr(compiled.environment, name))
    # Decisions never look up the uses of an offer's rules by name.
    own = f"environments/{compiled.environment.name}/offers/"
    uses = sorted(compiled.rule_of.items())
    yield Part("uses", (use for use in uses if not use[0].startswith(own)))
    yield Part("offer_uses", (use for use in uses if use[0].startswith(own)))
    yield Part("rules", compiled.rules, RULES_PER_CHUNK)
    yield Part("templates", sorted(compiled.templates.items()))
    index = compiled.index
    yield Part("rows", index.rows, 4 * CHUNK_ITEMS_MAX)
    yield Part("groups", index.groups)
    for name in BLOBS:
        yield Part(name, _pieces(getattr(index, name)))
    for name in ROW_SETS:
        row_set: RowSetIndex | None = getattr(index, name)
        if row_set is not None:
            yield from _row_set_parts(name, row_set)


def whole_record(head: Environment, read: ReadPart) -> Environment:
    """The record that an environment was compiled from."""
    fields: dict[str, Any] = {
        name: tuple(read(name, kind)) for name, kind in RECORD_TYPES.items()
    }
    return msgspec.structs.replace(head, **fields)


def whole_index(head: EnvironmentIndex, read: ReadPart) -> EnvironmentIndex:
    row_sets: dict[str, Any] = {}
    for name in ROW_SETS:
        row_set: RowSetIndex | None = getattr(head, name)
        row_sets[name] = row_set and msgspec.structs.replace(
            row_set,
            tables=tuple(_tables(name, read)),
            predicates=tuple(read(f"{name}.predicates", StoredRule)),
            shared=tuple(read(f"{name}.shared", tuple[int, bytes])),
            residual=tuple(read(f"{name}.residual", tuple[int, tuple[int, ...]])),
        )
    return msgspec.structs.replace(
        head,
        rows=tuple(read("rows", tuple[int, int])),
        groups=tuple(read("groups", FactorGroup)),
        **row_sets,
        **{name: b"".join(read(name, bytes)) for name in BLOBS},
    )


def whole_uses(read: ReadPart) -> dict[str, int]:
    uses = {use.source: use.rule for use in read("uses", Use)}
    uses.update((use.source, use.rule) for use in read("offer_uses", Use))
    return uses


def _pieces(blob: bytes) -> Iterator[bytes]:
    for first in range(0, len(blob), CHUNK_BYTES):
        yield blob[first : first + CHUNK_BYTES]


def _row_set_parts(name: str, row_set: RowSetIndex) -> Iterator[Part]:
    bare = (
        (len(table.masks), msgspec.structs.replace(table, masks=()))
        for table in row_set.tables
    )
    yield Part(f"{name}.tables", bare)
    yield Part(f"{name}.masks", (m for table in row_set.tables for m in table.masks))
    yield Part(f"{name}.predicates", row_set.predicates)
    yield Part(f"{name}.shared", row_set.shared)
    yield Part(f"{name}.residual", row_set.residual, 4 * CHUNK_ITEMS_MAX)


def _tables(name: str, read: ReadPart) -> Iterator[AttributeTable]:
    masks = iter(read(f"{name}.masks", bytes))
    for mask_count, table in read(f"{name}.tables", TABLE):
        own = tuple(next(masks) for _ in range(mask_count))
        yield msgspec.structs.replace(table, masks=own)
