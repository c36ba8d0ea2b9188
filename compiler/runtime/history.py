"""A contact's recent propositions, as rules see them: `history`.

`history` is a tuple, newest first, of at most HISTORY_MAX propositions; each is a tuple
of the values of PROPOSITION_FIELDS in their order. No field is ever absent or null, and
a name that the live catalog no longer knows is the empty string.
"""

from typing import Final

#: Propositions that a rule sees; older ones count for presentation rules only. Bounds
#: what one rule can walk: two such lists inside each other are a million steps.
HISTORY_MAX: Final = 1_000
#: Name and type of each field; generated code finds a field by its place.
PROPOSITION_FIELDS: Final = (
    ("offer", "string"),
    ("category", "string"),
    ("space", "string"),
    ("channel", "string"),
    ("status", "string"),
    ("weight", "double"),
    ("rank", "int"),
    ("event_time", "timestamp"),
)
#: The type of one, in trees.
PROPOSITION: Final = "proposition"

#: One proposition, and all that a rule is given.
PastSlots = tuple[str, str, str, str, str, float, int, int]
History = tuple[PastSlots, ...]


def field_slot(name: str) -> tuple[int, str]:
    """Place and type of a field; raises KeyError when there is none of that name."""
    for index, (field, type_) in enumerate(PROPOSITION_FIELDS):
        if field == name:
            return index, type_
    raise KeyError(name)
