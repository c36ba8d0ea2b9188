"""Answers put together from bytes are the messages that they stand for."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server import answer_bytes
from server.answer_bytes import (
    OfferParts,
    answer_part,
    event_time_part,
    proposition,
    result,
    space_part,
)
from server.translation import timestamp
from server.wire import decision_pb2 as pb

#: Lengths and numbers around which an encoding has another byte.
EDGES = (0, 1, 127, 128, 16_383, 16_384, 70_000)
texts = st.text(max_size=20) | st.sampled_from([n * "x" for n in EDGES])


def chosen(number: int, weight: float, rank: int) -> Any:
    offer = SimpleNamespace(number=number, name=f"offer_{number}", category="cards")
    return SimpleNamespace(
        scored=SimpleNamespace(offer=offer, weight=weight), rank=rank
    )


def showing(fields: dict[str, str]) -> Any:
    """A space that shows the same of every offer."""

    class Contents:
        def __getitem__(self, offer: int) -> Any:
            return SimpleNamespace(fields=fields)

    return SimpleNamespace(contents=Contents())


@settings(deadline=None, derandomize=True)
@given(
    fields=st.dictionaries(texts, texts, max_size=3),
    weight=st.floats(min_value=5e-324, allow_infinity=False),
    rank=st.sampled_from(EDGES[1:]) | st.integers(1, 2**32 - 1),
    proposition_id=texts,
    at_ms=st.integers(0, 253_402_300_799_999),
    count=st.integers(0, 3),
    revision=st.sampled_from(EDGES) | st.integers(0, 2**64 - 1),
    mode=st.sampled_from(pb.IdentificationMode.values()),
    shortfall_reason=st.sampled_from(pb.ShortfallReason.values()),
    warnings=st.lists(texts, max_size=2),
)
def test_parts_are_the_message(
    fields: dict[str, str],
    weight: float,
    rank: int,
    proposition_id: str,
    at_ms: int,
    count: int,
    revision: int,
    mode: Any,
    shortfall_reason: Any,
    warnings: list[str],
) -> None:
    """Whatever is in it, and however long."""
    space, parts = showing(fields), OfferParts()
    # Of the same kind, and as long as ids and texts of spaces can be.
    visitor_id = default_content = proposition_id
    expected = pb.ProposeResponse(
        interaction_id="1",
        revision=revision,
        identification_mode=mode,
        visitor_id=visitor_id,
        warnings=warnings,
    )
    wanted = expected.results.add(
        space="page", shortfall_reason=shortfall_reason, default_content=default_content
    )
    encoded = [space_part("page", shortfall_reason, default_content)]
    time_part = event_time_part(at_ms)
    for number in range(count):
        one = chosen(number, weight, rank)
        wanted.propositions.add(
            proposition_id=proposition_id,
            offer=f"offer_{number}",
            category="cards",
            weight=weight,
            rank=rank,
            content=fields,
            event_time=timestamp(at_ms),
        )
        part = parts.part(space, one)
        encoded.append(proposition(part, one, proposition_id, time_part))
    head = answer_part("1", revision, mode, visitor_id, warnings)

    answer = pb.ProposeResponse.FromString(head + result(b"".join(encoded)))
    assert answer == expected
    if not count:
        # As short as protobuf makes it.
        assert len(head + result(b"".join(encoded))) == expected.ByteSize()


def test_an_offer_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when so many were that all are forgotten."""
    monkeypatch.setattr(answer_bytes, "PARTS_MAX", 2)
    parts = OfferParts()
    fields = {"title": "Gold"}
    space = showing(fields)
    first = [parts.part(space, chosen(n, 1.0, 1)) for n in (0, 1)]
    fields["title"] = "Silver"

    assert [parts.part(space, chosen(n, 1.0, 1)) for n in (0, 1)] == first
    parts.part(space, chosen(2, 1.0, 1))
    again = pb.Proposition.FromString(parts.part(space, chosen(0, 1.0, 1)))
    assert dict(again.content) == {"title": "Silver"}
