"""What conditions read of the contact and of the call, by name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from catalog_store.records import Attribute, AttributeType
from compiler.runtime.interpreter import Slots
from compiler.runtime.tree import CONTEXT_CHANNEL, CONTEXT_NOW, CONTEXT_SPACE
from server.engine.live_catalog import LiveEnvironment

#: Slots of the context that every environment has.
BUILT_IN_SLOTS = 3

_BUILT_IN = {
    CONTEXT_NOW: Attribute(name="now", type=AttributeType.TIMESTAMP),
    CONTEXT_CHANNEL: Attribute(name="channel", type=AttributeType.STRING),
    CONTEXT_SPACE: Attribute(name="space", type=AttributeType.STRING),
}


class Place(NamedTuple):
    """Where a condition reads a value."""

    #: `contact` or `context`.
    record: str
    slot: int


class Found(NamedTuple):
    """The value that an attribute has."""

    #: `contact.balance`.
    attribute: str
    #: MISSING when the attribute is absent, None when it is null.
    value: Any
    #: As its attribute declares it.
    type: str


class Records(NamedTuple):
    """The contact and the context of one evaluation."""

    contact: Slots
    context: Slots

    def at(self, place: Place) -> Any:
        return (self.contact if place.record == "contact" else self.context)[place.slot]

    def put(self, place: Place, value: Any) -> "Records":
        """The same with another value of one attribute."""
        slots = self.contact if place.record == "contact" else self.context
        changed = (*slots[: place.slot], value, *slots[place.slot + 1 :])
        if place.record == "contact":
            return self._replace(contact=changed)
        return self._replace(context=changed)


def declared(environment: LiveEnvironment, place: Place) -> Attribute:
    """The attribute at a place."""
    if place.record == "contact":
        return environment.contact_attributes[place.slot]
    if place.slot in _BUILT_IN:
        return _BUILT_IN[place.slot]
    return environment.context_attributes[place.slot - BUILT_IN_SLOTS]


def places(environment: LiveEnvironment) -> Iterator[Place]:
    """Every attribute that people declared."""
    for slot, _ in enumerate(environment.contact_attributes):
        yield Place("contact", slot)
    for slot, _ in enumerate(environment.context_attributes):
        yield Place("context", slot + BUILT_IN_SLOTS)


def is_settable(place: Place) -> bool:
    """Whether a contact or a caller could have sent another value."""
    return place.record == "contact" or place.slot not in _BUILT_IN
