"""Attributes there and back: whatever a profile may hold survives the wire."""

from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.records import Attribute, AttributeType
from contact_store.slots import (
    DURATION_MAX_US,
    INT_MAX,
    INT_MIN,
    TIMESTAMP_MAX_US,
    TIMESTAMP_MIN_US,
    check_slots,
)
from server.contact_values import ProfileForm, duration_text, timestamp_text

ATTRIBUTES = tuple(Attribute(name=f"a_{one.name}", type=one) for one in AttributeType)

ints = st.integers(INT_MIN, INT_MAX)
doubles = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=20)
VALUES = {
    AttributeType.BOOL: st.booleans(),
    AttributeType.INT: ints,
    AttributeType.DOUBLE: doubles,
    AttributeType.STRING: texts,
    AttributeType.TIMESTAMP: st.integers(TIMESTAMP_MIN_US, TIMESTAMP_MAX_US),
    AttributeType.DURATION: st.integers(-DURATION_MAX_US, DURATION_MAX_US),
    AttributeType.BOOL_LIST: st.lists(st.booleans(), max_size=3).map(tuple),
    AttributeType.INT_LIST: st.lists(ints, max_size=3).map(tuple),
    AttributeType.DOUBLE_LIST: st.lists(doubles, max_size=3).map(tuple),
    AttributeType.STRING_LIST: st.lists(texts, max_size=3).map(tuple),
}
profiles = st.tuples(*[st.none() | VALUES[a.type] for a in ATTRIBUTES])
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(profiles)
def test_every_profile_survives_the_wire(values: tuple[object, ...]) -> None:
    """Encoded, sent, decoded and parsed again, with the same types."""
    form = ProfileForm(ATTRIBUTES)
    sent = form.attributes_of(values).SerializeToString()

    slots, wrong = form.slots(struct_pb2.Struct.FromString(sent))

    assert (list(values), []) == (slots, wrong)
    assert [type(value) for value in values] == [type(slot) for slot in slots]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.dictionaries(st.sampled_from([a.name for a in ATTRIBUTES]), json_values))
def test_whatever_is_not_refused_fits(values: dict[str, object]) -> None:
    """The store takes it; what is refused is told of by its name."""
    attributes = struct_pb2.Struct()
    attributes.update(values)

    slots, wrong = ProfileForm(ATTRIBUTES).slots(attributes)

    refused = {violation.field.removeprefix("attributes.") for violation in wrong}
    kept = [None if a.name in refused else slots[n] for n, a in enumerate(ATTRIBUTES)]
    check_slots(ATTRIBUTES, kept)
    assert refused <= values.keys()
    for attribute, slot in zip(ATTRIBUTES, kept, strict=True):
        given_value = values.get(attribute.name)
        assert (slot is None) == (given_value is None or attribute.name in refused)


def test_times_are_written_for_people() -> None:
    """To the microsecond, without zeros."""
    assert timestamp_text(0) == "1970-01-01T00:00:00Z"
    assert timestamp_text(TIMESTAMP_MIN_US) == "0001-01-01T00:00:00Z"
    assert [duration_text(us) for us in (0, 90_000_000, -1, 10_500_000)] == [
        "0s",
        "90s",
        "-0.000001s",
        "10.5s",
    ]
