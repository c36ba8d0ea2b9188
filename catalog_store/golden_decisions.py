"""Golden decisions: what a catalog must decide, or it is not published.

Each is a call with all that it depends on: who is decided for, when, and what they
were proposed before. No store is read, so that it decides the same for ever.
"""

from typing import Any, ClassVar

from catalog_store.record import Record, StatusName, UnixMs

GOLDEN_DECISIONS_MAX = 1_000
#: Bytes of one, encoded.
GOLDEN_BYTES_MAX = 65_536
#: Spaces of one; propositions of one space; offers that one space expects, or does not.
GOLDEN_SPACES_MAX = 32
GOLDEN_PROPOSITIONS_MAX = 100
GOLDEN_OFFERS_MAX = 100
#: Past propositions of one.
GOLDEN_PAST_MAX = 100


class PastProposition(Record, frozen=True):
    """What the contact was proposed before; presentation rules count it."""

    offer: str
    space: str
    at: UnixMs
    status: StatusName = StatusName.PRESENTED


class GoldenSpace(Record, frozen=True):
    """What is asked for one space, and what it must show.

    Without `expected` and `absent` it must show nothing.
    """

    #: The key that may stand for the whole body in files.
    SHORTHAND: ClassVar[str] = "expected"

    name: str
    #: Best first. Offers that stand together have equal weights: the draw may give
    #: them in any order, and where places end, any of them.
    expected: tuple[tuple[str, ...], ...] = ()
    #: Offers that must not be among the propositions.
    absent: tuple[str, ...] = ()
    #: None is as many as are expected, and at least one.
    max_propositions: int | None = None
    #: As in a call; none given is the space's default.
    categories: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()

    @property
    def places(self) -> int:
        """Propositions asked for."""
        if self.max_propositions is not None:
            return self.max_propositions
        return max(1, sum(map(len, self.expected)))


class GoldenDecision(Record, frozen=True):
    """One decision that a catalog must make."""

    name: str
    #: In order of priority, as in a call.
    spaces: tuple[GoldenSpace, ...]
    #: When the decision is made, and the contact sees it.
    decided_at: UnixMs
    label: str = ""
    #: Attribute -> its value as JSON has it; the rest is absent.
    contact: dict[str, Any] = {}
    context: dict[str, Any] = {}
    past: tuple[PastProposition, ...] = ()
