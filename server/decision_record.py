"""What a decision came to, in a form that two runs can be compared by.

The canonical encoding is msgpack of the arrays below, deterministic: equal records have
equal bytes, on any machine.
"""

import hashlib

import msgspec

from server.engine.call import Call
from server.engine.decision import Chosen, Decision, SpaceDecision

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class ChosenRecord(msgspec.Struct, frozen=True, array_like=True):
    """One proposition."""

    offer: str
    category: str
    #: The label of the weight row that won.
    row: str
    weight: float
    rank: int
    #: sha256 of what the space shows of the offer, 64 hexadecimal digits.
    content: str


class SpaceRecord(msgspec.Struct, frozen=True, array_like=True):
    """The propositions of one space asked for, best first."""

    space: str
    chosen: tuple[ChosenRecord, ...]
    #: Why there are fewer than were asked for, as `Shortfall` says it.
    shortfall: str


class DecisionRecord(msgspec.Struct, frozen=True, array_like=True):
    """A whole decision."""

    environment: str
    seed: int
    #: The time that was decided for, in UTC milliseconds.
    at_ms: int
    spaces: tuple[SpaceRecord, ...]

    def sha256(self) -> bytes:
        return hashlib.sha256(_encode(self)).digest()


def decision_record(call: Call, decision: Decision) -> DecisionRecord:
    """The record of what was decided for a call."""
    return DecisionRecord(
        environment=call.environment.name,
        seed=call.seed,
        at_ms=call.at_ms,
        spaces=tuple(
            SpaceRecord(
                space=filled.space.name,
                chosen=tuple(
                    ChosenRecord(
                        offer=chosen.scored.offer.name,
                        category=chosen.scored.offer.category,
                        row=chosen.scored.row.label,
                        weight=chosen.scored.weight,
                        rank=chosen.rank,
                        content=_shown_sha256(filled, chosen),
                    )
                    for chosen in filled.chosen
                ),
                shortfall=filled.shortfall.value,
            )
            for filled in decision.spaces
        ),
    )


def _shown_sha256(filled: SpaceDecision, chosen: Chosen) -> str:
    """With the same stand-in for the proposition's id, whatever it became."""
    if chosen.rendered is not None:
        return hashlib.sha256(_encode(chosen.rendered)).hexdigest()
    content = filled.space.contents[chosen.scored.offer.number]
    return hashlib.sha256(_encode(content.fields)).hexdigest()
