"""What a template may name: records, their fields, and where the values are."""

from collections.abc import Iterable
from typing import NamedTuple, Self

from compiler.runtime.template_values import (
    OFFER_FIELDS,
    PROPOSITION_FIELDS,
    RECORDS,
    SPACE_FIELDS,
)
from compiler.schema import Schema


class Field(NamedTuple):
    """A name's type, as attributes have it, and its place in the record's tuple."""

    slot: int
    type: str


class TemplateScope(NamedTuple):
    """The records that one kind of template may name.

    `for_content` is what an offer's own texts may name; `with_content` adds what is
    known once those are personalised, for renderings and acceptance URLs.
    """

    #: By record, then by what follows the dot: `attributes.colour` in an offer.
    records: dict[str, dict[str, Field]]
    #: Dates are shown in it unless their filter says another.
    time_zone: str

    @classmethod
    def for_content(
        cls,
        schema: Schema,
        offer_attributes: tuple[str, ...] = (),
        time_zone: str = "UTC",
    ) -> Self:
        """Slots of the offer: OFFER_FIELDS, then its attributes, as they are given."""
        attributes = [f"attributes.{name}" for name in offer_attributes]
        return cls(
            {
                "contact": _fields((a.name, a.type.value) for a in schema.contact),
                "context": _fields((a.name, a.type.value) for a in schema.context),
                "offer": _strings(*OFFER_FIELDS, *attributes),
                "space": _strings(*SPACE_FIELDS),
            },
            time_zone,
        )

    def with_content(self, content_fields: tuple[str, ...]) -> Self:
        """Slots of the content: its fields, as they are given."""
        more = {
            "content": _strings(*content_fields),
            "proposition": _fields(PROPOSITION_FIELDS),
        }
        return self._replace(records={**self.records, **more})


def _fields(names: Iterable[tuple[str, str]]) -> dict[str, Field]:
    return {name: Field(slot, type_) for slot, (name, type_) in enumerate(names)}


def _strings(*names: str) -> dict[str, Field]:
    return _fields((name, "string") for name in names)


#: Where a record's tuple is among the values.
RECORD_NUMBER = {name: number for number, name in enumerate(RECORDS)}
