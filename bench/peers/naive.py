"""What is right: every condition of every offer, one after the other, by hand.

Nobody's compiler and nobody's index: all others are compared with it before anything
is timed.
"""

from collections.abc import Sequence

from bench.peers.work import (
    TOP,
    Among,
    Between,
    Condition,
    Contact,
    Flagged,
    Known,
    Offer,
)


def eligible(offers: Sequence[Offer], contact: Contact) -> list[str]:
    """The names of those whose conditions all hold, in the order of the offers."""
    return [
        offer.name
        for offer in offers
        if all(holds(condition, contact) for condition in offer.conditions)
    ]


def best(offers: Sequence[Offer], contact: Contact) -> list[str]:
    """The first of them."""
    return eligible(offers, contact)[:TOP]


def holds(condition: Condition, contact: Contact) -> bool:
    """Whether it does; never so of what is not known."""
    value = contact.get(condition.name)
    if value is None:
        return False
    match condition:
        case Among():
            return value in condition.texts
        case Flagged():
            return value is condition.flag
        case Known():
            return True
        case Between(_, low, high, _):
            assert isinstance(value, int | float)
            return (low is None or value >= low) and (high is None or value < high)
