"""What two catalogs differ in, record by record and field by field."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from catalog_store.design_records import Ref
from catalog_store.records import Record
from server.design.editing import Changes
from server.design.nouns import NOUN_OF_KIND, resource_of


class Action(Enum):
    """What becomes of a record; in the order in which plans show it."""

    DELETE = "delete"
    UPDATE = "update"
    CREATE = "create"


class Difference(NamedTuple):
    """One record that is not in the catalog as it is in the design."""

    action: Action
    #: Its resource name, as the contract has it.
    name: str
    #: Those that are others, as the contract names them; of an update only.
    fields: tuple[str, ...] = ()


def compare(
    before: Mapping[Ref, Record], after: Mapping[Ref, Record]
) -> list[Difference]:
    """What makes the one the other."""
    changes: dict[Ref, Record | None] = {
        ref: record for ref, record in after.items() if before.get(ref) != record
    }
    changes |= dict.fromkeys(ref for ref in before if ref not in after)
    return differences(before, changes)


def differences(known: Mapping[Ref, Record], changes: Changes) -> list[Difference]:
    """What changes of these records are; None deletes one.

    Deletions, then updates, then creations, each in order of name.
    """
    found: list[Difference] = []
    for ref, record in changes.items():
        before = known.get(ref)
        if record is None:
            found.append(Difference(Action.DELETE, resource_of(ref)))
        elif before is None:
            found.append(Difference(Action.CREATE, resource_of(ref)))
        else:
            fields = _changed_fields(ref, before, record)
            found.append(Difference(Action.UPDATE, resource_of(ref), fields))
    order = list(Action)
    return sorted(found, key=lambda one: (order.index(one.action), one.name))


def _changed_fields(ref: Ref, before: Record, after: Record) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in NOUN_OF_KIND[ref.kind].form.fields
        if field.record
        and getattr(before, field.record) != getattr(after, field.record)
    )
