"""What another catalog would propose to one contact: decided with both, and compared.

Among offers of equal weight the draw chooses, and it may choose otherwise whenever the
catalog is another one. So an offer counts as shown where fewer offers than there are
places are heavier, and its rank is one more than those: what differs by the draw alone
is no difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from compiler.runtime.values import MISSING
from server.context_values import context_slots
from server.engine.call import PROPOSITIONS_MAX, Call, SpaceCall
from server.engine.decision import decide
from server.engine.live_catalog import LiveEnvironment
from server.resource_names import known_names

#: Offer -> the best rank that it can have.
Ranks = dict[str, int]


class Asked(NamedTuple):
    """What is asked for every contact alike."""

    space: str
    #: 1 to PROPOSITIONS_MAX.
    max_propositions: int
    context: Mapping[str, object]
    at_ms: int


class Side:
    """One of the two catalogs; without a history, and with all of its quotas left."""

    def __init__(self, environment: LiveEnvironment, asked: Asked) -> None:
        """Raises KeyError when it does not have the space."""
        self._space = environment.spaces[asked.space]
        self._places = asked.max_propositions
        self._names = tuple(one.name for one in environment.contact_attributes)
        self._call = Call(
            environment=environment,
            contact=(),
            context=context_slots(
                asked.context, environment.context_attributes, asked.at_ms
            ),
            history=(),
            spaces=(),
            at_ms=asked.at_ms,
            decided_at_ms=asked.at_ms,
            seed=0,
            names=known_names(environment),
            quotas_left={one.number: one.limit for one in environment.quotas.live},
        )

    def shown(self, contact: Mapping[str, object]) -> Ranks:
        """The offers that a contact may be shown; attributes left out are absent."""
        slots = tuple([contact.get(name, MISSING) for name in self._names])
        count = self._places + 1
        while True:
            ranks, is_whole = self._ranked(slots, min(count, PROPOSITIONS_MAX))
            if is_whole or count >= PROPOSITIONS_MAX:
                return ranks
            count *= 2

    def _ranked(self, slots: tuple[object, ...], count: int) -> tuple[Ranks, bool]:
        """Whether these are all: what comes next is lighter, or nothing."""
        asked = (SpaceCall(self._space, count),)
        decision = decide(self._call._replace(contact=slots, spaces=asked))
        ranks: Ranks = {}
        rank, weight = 0, -1.0
        chosen = decision.spaces[0].chosen
        for number, one in enumerate(chosen, start=1):
            if one.scored.weight != weight:
                rank, weight = number, one.scored.weight
                if rank > self._places:
                    return ranks, True
            ranks[one.scored.offer.name] = rank
        return ranks, len(chosen) < count


class Difference(NamedTuple):
    """What changes for one contact; names of offers."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    up: tuple[str, ...]
    down: tuple[str, ...]


def difference(before: Ranks, after: Ranks) -> Difference | None:
    """None when nothing changes."""
    if before == after:
        return None
    kept = [name for name in after if name in before]
    return Difference(
        gained=tuple(name for name in after if name not in before),
        lost=tuple(name for name in before if name not in after),
        up=tuple(name for name in kept if after[name] < before[name]),
        down=tuple(name for name in kept if after[name] > before[name]),
    )


@dataclass(slots=True)
class OfferCounts:
    """Contacts, for one offer."""

    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    up: int = 0
    down: int = 0

    @property
    def unchanged(self) -> int:
        """Those who may be shown it as before."""
        return self.before - self.lost - self.up - self.down


class Tally:
    """All contacts, added up."""

    def __init__(self) -> None:
        self.contacts = 0
        self.changed = 0
        self.offers: dict[str, OfferCounts] = {}

    def add(self, before: Ranks, after: Ranks, found: Difference | None) -> None:
        self.contacts += 1
        self._count(before, "before")
        self._count(after, "after")
        if found is not None:
            self.changed += 1
            for kind in Difference._fields:
                self._count(getattr(found, kind), kind)

    def _count(self, names: Iterable[str], kind: str) -> None:
        offers = self.offers
        for name in names:
            counts = offers.get(name)
            if counts is None:
                counts = offers[name] = OfferCounts()
            setattr(counts, kind, getattr(counts, kind) + 1)

    def by_change(self) -> list[tuple[str, OfferCounts]]:
        """The offers of which most changes, first."""
        return sorted(
            self.offers.items(),
            key=lambda one: (-one[1].gained - one[1].lost, -one[1].up, one[0]),
        )
