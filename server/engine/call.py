"""What is asked of the engine, and what is known of the contact."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from compiler.runtime.interpreter import Slots
from contact_store.records import Proposition
from server.engine.history_slots import KnownNames
from server.engine.live_catalog import LiveEnvironment
from server.engine.live_offers import LiveSpace

#: Spaces in one call: a page has few, and each costs a ranking.
SPACES_MAX = 32
#: Propositions asked of one space.
PROPOSITIONS_MAX = 100


class SpaceCall(NamedTuple):
    """What is asked for one space; an empty list restricts nothing."""

    space: LiveSpace
    #: 1 to PROPOSITIONS_MAX.
    max_propositions: int
    categories: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()


class Call(NamedTuple):
    """One decision to make, for one contact, in one environment.

    `contact` and `context` hold one value per declared attribute, in the order of the
    schema; the slots of the context begin with the time of the decision, and with two
    for the space decided for, which the engine fills.
    """

    environment: LiveEnvironment
    contact: Slots
    context: Slots
    #: The contact's earlier propositions, in any order: all that presentation rules may
    #: count.
    history: Sequence[Proposition]
    #: In order of priority.
    spaces: tuple[SpaceCall, ...]
    #: When the contact sees the offers, in UTC milliseconds.
    at_ms: int
    #: Of the draw among equal weights.
    seed: int
    #: For rules that read the history, or the channel.
    names: KnownNames
    #: Offers not to propose.
    excluded: frozenset[str] = frozenset()
    #: Whether an offer may stand in several spaces of the call.
    allow_duplicates: bool = False
    #: Quota -> what is left of its limit, below 0 if that was lowered; without those
    #: whose counters cannot be read.
    quotas_left: Mapping[int, int] = MappingProxyType({})
    #: The same of the limits that those fall back on, where it is known.
    fallbacks_left: Mapping[int, int] = MappingProxyType({})
    #: When the decision is made: quotas count then, whenever the contact sees it.
    decided_at_ms: int = 0
    #: Gives the same with the newest propositions whatever their age, for rules that
    #: read the history; None when `history` has them.
    newest: Callable[[], Sequence[Proposition]] | None = None

    def newest_history(self) -> Sequence[Proposition]:
        """What rules that read the history see the newest of."""
        return self.history if self.newest is None else self.newest()
