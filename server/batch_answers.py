"""Builds the answers to ProposeBatch, as bytes for the wire.

PERF: a decision is encoded already when it comes here, and is framed as it is: 2.3 us
with three propositions; parsing it to encode it again within a message takes 7.1 us
(CPython 3.11, two busy cores).
"""

from collections.abc import Iterable

from server.wire import decision_pb2 as pb

#: The keys on the wire of fields that hold a length and then bytes.
_DECISIONS = bytes(
    [pb.ProposeBatchResponse.DESCRIPTOR.fields_by_name["decisions"].number << 3 | 2]
)
_DECISION = bytes(
    [pb.ContactDecision.DESCRIPTOR.fields_by_name["decision"].number << 3 | 2]
)


def contact_decision(
    contact_id: str,
    outcome: pb.BatchOutcome,
    decision: bytes = b"",
    error: str = "",
) -> bytes:
    """An encoded ContactDecision; `decision` is an encoded ProposeResponse."""
    frame = pb.ContactDecision(
        contact_id=contact_id, outcome=outcome, error=error
    ).SerializeToString()
    if not decision:
        return frame
    return b"".join((frame, _DECISION, _varint(len(decision)), decision))


def batch_answer(decisions: Iterable[bytes]) -> bytes:
    """An encoded ProposeBatchResponse of encoded ContactDecisions."""
    parts: list[bytes] = []
    for one in decisions:
        parts += (_DECISIONS, _varint(len(one)), one)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """A length as the wire has it: seven bits a byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
