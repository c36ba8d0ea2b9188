"""The work that every peer does: offers with rules, and contacts to choose them for.

Made from a seed and of nobody's data. Rules are what all peers can express: one of some
texts, a range of numbers, a flag, and whether something is known at all. What is not
known of a contact is absent.
"""

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from bench.attributes import CONTACT, CONTEXT, KNOWN_SHARE, Choice, Flag, Number
from compiler.runtime.values import MISSING

#: What is known of a contact, and of the page where the contact is.
Contact = Mapping[str, bool | int | float | str]

KINDS = (*CONTACT, *CONTEXT)
#: Offers asked for, the best ones.
TOP = 3
#: Conditions of a rule, at least and at most.
CONDITIONS = (3, 7)


class Among(NamedTuple):
    """Equal to one of some texts; to a single one is equality."""

    name: str
    texts: tuple[str, ...]


class Between(NamedTuple):
    """In [low, high); one of them may be open. Never so when it is not known."""

    name: str
    low: float | None
    high: float | None
    #: Whether some contacts lack it, so that languages without absence must ask.
    optional: bool


class Flagged(NamedTuple):
    """Is so."""

    name: str
    flag: bool


class Known(NamedTuple):
    """Is known, whatever it is."""

    name: str


Condition = Among | Between | Flagged | Known


class Offer(NamedTuple):
    """Eligible for a contact for whom every condition holds."""

    name: str
    #: No other offer has it.
    weight: int
    conditions: tuple[Condition, ...]


class Work(NamedTuple):
    """One size of it."""

    #: In catalog order.
    offers: tuple[Offer, ...]
    contacts: tuple[Contact, ...]

    @property
    def best_first(self) -> list[Offer]:
        return sorted(self.offers, key=lambda offer: -offer.weight)


def work(offers: int, contacts: int, seed: int = 1) -> Work:
    """The same for the same numbers, anywhere."""
    random = Random(seed)
    weights = random.sample(range(1, offers + 1), offers)
    return Work(
        tuple(
            Offer(f"offer_{number:06d}", weights[number], _conditions(random))
            for number in range(offers)
        ),
        tuple(_contact(random) for _ in range(contacts)),
    )


def _conditions(random: Random) -> tuple[Condition, ...]:
    kinds = random.sample(KINDS, random.randint(*CONDITIONS))
    return tuple(_condition(kind, random) for kind in kinds)


def _condition(kind: Choice | Number | Flag, random: Random) -> Condition:
    """True for about 45 % of contacts, as those of bench.attributes are."""
    match kind:
        case Flag():
            return Flagged(kind.name, random.random() < 0.5)
        case Number():
            return _range(kind, random)
        case Choice():
            size = random.choice((1, 3, 4, 5, 6, 7, 8))
            found: dict[str, None] = {}
            while len(found) < min(size, kind.size - 1):
                found[str(kind.value(random))] = None
            return Among(kind.name, tuple(found))


def _range(kind: Number, random: Random) -> Condition:
    if kind.optional and random.random() > KNOWN_SHARE:
        return Known(kind.name)
    share = random.uniform(0.2, 0.6)
    start = random.uniform(0.0, 1.0 - share)
    low, high = {
        "from": (1.0 - share, None),
        "below": (None, share),
        "range": (start, start + share),
    }[random.choice(("from", "below", "range"))]
    return Between(
        kind.name, _threshold(kind, low), _threshold(kind, high), kind.optional
    )


def _threshold(kind: Number, share: float | None) -> float | None:
    if share is None:
        return None
    steps = round(share * kind.stop / kind.step)
    return steps * int(kind.step) if kind.step >= 1 else round(steps * kind.step, 2)


def _contact(random: Random) -> Contact:
    values = {kind.name: kind.value(random) for kind in KINDS}
    return {name: value for name, value in values.items() if value is not MISSING}
