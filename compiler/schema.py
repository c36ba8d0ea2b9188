"""What a rule may name: attributes of the contact and of the call, and segments.

A rule is a function of two flat tuples and the history. An attribute's slot is its
place among the declared attributes; the context's first slots are BUILT_IN_CONTEXT,
which every environment has.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Self

from catalog_store.records import NAME_PATTERN, Attribute, AttributeType
from compiler.runtime.tree import CONTEXT_CHANNEL, CONTEXT_NOW, CONTEXT_SPACE

#: The time that the decision is made for; `contact_time` of the call, if it has one.
NOW = Attribute(
    name="now", type=AttributeType.TIMESTAMP, description="The time decided for"
)
#: Where the offer would be proposed: filled anew for each space of a call.
CHANNEL = Attribute(
    name="channel",
    type=AttributeType.STRING,
    description="The channel of the space decided for",
)
SPACE = Attribute(
    name="space", type=AttributeType.STRING, description="The space decided for"
)
#: By slot, before those that an environment declares.
BUILT_IN_CONTEXT = (NOW, CHANNEL, SPACE)
#: The list of the contact's propositions; see `compiler.runtime.history`.
HISTORY_NAME = "history"
#: The record that names segments; not an argument of the generated function.
SEGMENT_RECORD = "segment"
#: The proposition that is counted or stored, where a rule is about one: the first, and
#: only, one of the history that such a rule is given.
PROPOSITION_NAME = "proposition"
#: How the records are declared to the front end, which names them so in its errors.
MESSAGE_PACKAGE = "rules"
MESSAGE_OF = {"contact": "Contact", "context": "Context", SEGMENT_RECORD: "Segment"}
PROPOSITION_MESSAGE = "Proposition"
#: Attributes of one record, or segments: a message of protobuf, which they are to the
#: front end, holds some 8,000.
NAMES_MAX = 4_000


class Schema(NamedTuple):
    """Attributes by slot, and the names of segments. Made by `Schema.of`."""

    contact: tuple[Attribute, ...]
    #: Begins with BUILT_IN_CONTEXT.
    context: tuple[Attribute, ...]
    segments: tuple[str, ...]

    @classmethod
    def of(
        cls,
        contact: tuple[Attribute, ...],
        context: tuple[Attribute, ...] = (),
        segments: tuple[str, ...] = (),
    ) -> Self:
        """A schema; raises ValueError naming every name that cannot stand in it."""
        schema = cls(contact, (*BUILT_IN_CONTEXT, *context), segments)
        wrong = [
            f"{record}: {len(names)} names, at most {NAMES_MAX} are allowed"
            for record, names in schema.names().items()
            if len(names) > NAMES_MAX
        ]
        wrong += [
            f"{record}.{name} {reason}"
            for record, names in schema.names().items()
            for name, reason in _wrong_names(names)
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return schema

    def names(self) -> dict[str, list[str]]:
        """What can follow the dot, by record."""
        return {
            "contact": [attribute.name for attribute in self.contact],
            "context": [attribute.name for attribute in self.context],
            SEGMENT_RECORD: list(self.segments),
        }

    def slot(self, record: str, name: str) -> tuple[int, AttributeType]:
        """Place and type of an attribute; raises KeyError when it is not declared."""
        attributes = {"contact": self.contact, "context": self.context}[record]
        for index, attribute in enumerate(attributes):
            if attribute.name == name:
                return index, attribute.type
        raise KeyError(f"{record}.{name}")


def _wrong_names(names: list[str]) -> Iterator[tuple[str, str]]:
    for name, count in sorted(Counter(names).items()):
        if count > 1:
            yield name, "is declared twice"
        if not re.fullmatch(NAME_PATTERN, name):
            yield name, "is not a name of lower-case letters, digits and underscores"


assert BUILT_IN_CONTEXT[CONTEXT_NOW] is NOW
assert BUILT_IN_CONTEXT[CONTEXT_CHANNEL] is CHANNEL
assert BUILT_IN_CONTEXT[CONTEXT_SPACE] is SPACE
