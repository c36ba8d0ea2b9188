"""Records and messages: the same thing in two shapes, and mistakes in either."""

import math
from typing import Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.design_records import RECORD_OF_KIND, Ref, Stored
from catalog_store.records import Environment, Record
from server.design.nouns import NOUN_OF_FIELD, NOUN_OF_KIND, NOUNS
from server.design.translation import field_of, message_of, message_path, record_of
from server.requests import InvalidRequest
from server.wire import catalog_pb2 as pb
from server.wire import limits_pb2
from tests.design_generation import records


@st.composite
def named_records(draw: st.DrawFn) -> tuple[Ref, Record]:
    kind = draw(st.sampled_from(sorted(NOUN_OF_KIND)))
    record: Any = draw(records(RECORD_OF_KIND[kind]))
    return (Ref("bank", kind, record.name) if kind else Ref(record.name)), record


@settings(derandomize=True, deadline=None, max_examples=200)
@given(named_records())
def test_a_record_comes_back_from_its_message(named: tuple[Ref, Record]) -> None:
    """Whatever it holds, through bytes, with its name and etag."""
    ref, record = named
    noun = NOUN_OF_KIND[ref.kind]
    sent = message_of(ref, Stored(record, 7))
    taken = type(sent).FromString(sent.SerializeToString())

    assert record_of(noun, taken, ref, "") == record
    assert noun.ref_of(taken.name) == ref
    assert taken.etag == "7"


def test_every_field_of_every_message_is_translated() -> None:
    """But those that only the server says."""
    given_ = {"name", "etag", "delete_time", "approval"}
    for noun in NOUNS:
        fields = set(noun.message().DESCRIPTOR.fields_by_name) - given_
        assert {field.name for field in noun.form.fields} == fields, noun
        columns = set(RECORD_OF_KIND[noun.kind].__struct_fields__) - {"name"}
        if RECORD_OF_KIND[noun.kind] is Environment:
            columns -= set(RECORD_OF_KIND)
        assert {f.record for f in noun.form.fields} - {""} == columns, noun


def _time(**fields: int) -> timestamp_pb2.Timestamp:
    return timestamp_pb2.Timestamp(**fields)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (pb.Space(channel=0), "channel"),
        (pb.Space(channel=99), "channel"),
        (pb.Space(channel=1, proposition_status=99), "proposition_status"),
        (pb.Offer(weights=[pb.WeightRow()]), "weights[0].weight"),
        (pb.Offer(window=pb.Window(start_time=_time(nanos=1))), "window.start_time"),
        (
            pb.Category(
                multiplier=pb.Multiplier(window=pb.Window(end_time=_time(nanos=-1)))
            ),
            "multiplier.window.end_time",
        ),
        (
            limits_pb2.PresentationRule(period=duration_pb2.Duration(nanos=500)),
            "period",
        ),
        (limits_pb2.Quota(), "period"),
        (pb.Environment(source=7), "source"),
        (
            pb.Environment(contact_attributes=[pb.Attribute(name="a")]),
            "contact_attributes[0].type",
        ),
    ],
)
def test_what_is_no_record_is_told_by_its_field(message: Any, field: str) -> None:
    """With the field's own path in the request."""
    noun = next(n for n in NOUNS if n.message().DESCRIPTOR == message.DESCRIPTOR)
    with pytest.raises(InvalidRequest) as raised:
        record_of(noun, message, Ref("bank", noun.kind, "x"), f"{noun.field}.")

    assert [v.field for v in raised.value.violations] == [f"{noun.field}.{field}"]


def test_a_structure_holds_finite_numbers_only() -> None:
    """JSON knows no other; the place is told."""
    space = pb.Space(channel=1)
    space.rendering.json.update({"a": [{"b": math.nan}]})
    with pytest.raises(InvalidRequest) as raised:
        record_of(NOUN_OF_FIELD["space"], space, Ref("bank", "spaces", "x"), "space.")

    assert raised.value.violations[0].field == "space.rendering.json.a[0].b"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "offers/x",
        "environments/bank",
        "environments/bank/offers/",
        "a" * 9_000,
        "environments//offers/x",
        "environments/bank/offers/x/y",
        "\0",
        "é",
        "environments/Bank/offers/x",
        "environments/bank/spaces/x",
        "environments/bank/offers/x\n",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    """A name has exactly its segments, each of them an id."""
    with pytest.raises(InvalidRequest):
        NOUN_OF_FIELD["offer"].ref_of(name)


def test_fields_are_told_as_the_contract_names_them() -> None:
    """In the request, or of another resource."""
    own = {"environments/bank/offers/gold": "offer."}.get
    rule = "environments/bank/presentation_rules/cap:period_ms"

    assert message_path("weights[2].window.start") == "weights[2].window.start_time"
    assert message_path("content.enabled") == "content.enabled"
    assert field_of("environments/bank/offers/gold:enabled", own) == "offer.disabled"
    assert field_of(rule, own) == "environments/bank/presentationRules/cap: period"
    assert field_of("environments/bank:typology", own) == (
        "environments/bank: typology"
    )
