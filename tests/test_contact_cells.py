"""Cells of CSV files: strictly typed, and back again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.records import AttributeType
from contact_store.slots import (
    DURATION_MAX_US,
    INT_MAX,
    INT_MIN,
    TIMESTAMP_MAX_US,
    TIMESTAMP_MIN_US,
    fits,
)
from server.files.contact_cells import BadCell, parser_of, text_of

BOOL = AttributeType.BOOL
INT = AttributeType.INT
DOUBLE = AttributeType.DOUBLE
STRING = AttributeType.STRING
TIMESTAMP = AttributeType.TIMESTAMP
DURATION = AttributeType.DURATION
INT_LIST = AttributeType.INT_LIST
STRING_LIST = AttributeType.STRING_LIST
DAY_US = 86_400_000_000

GOOD = [
    (BOOL, "true", True),
    (BOOL, "Yes", True),
    (BOOL, "1", True),
    (BOOL, "FALSE", False),
    (BOOL, "no", False),
    (BOOL, "0", False),
    (INT, "+7", 7),
    (INT, "-007", -7),
    (INT, "9223372036854775807", INT_MAX),
    (INT, "-9223372036854775808", INT_MIN),
    (DOUBLE, "5", 5.0),
    (DOUBLE, "-.5e-3", -0.0005),
    (STRING, " as it is ", " as it is "),
    (STRING, "x" * 4_096, "x" * 4_096),
    (TIMESTAMP, "1970-01-02", DAY_US),
    (TIMESTAMP, "1970-01-02T00:00:00Z", DAY_US),
    (TIMESTAMP, "1970-01-02 01:30:00.25+01:30", DAY_US + 250_000),
    (TIMESTAMP, "1969-12-31T23:59:59.999999999Z", -1),
    (TIMESTAMP, "0001-01-01", TIMESTAMP_MIN_US),
    (TIMESTAMP, "9999-12-31T23:59:59.999999Z", TIMESTAMP_MAX_US),
    (DURATION, "90s", 90_000_000),
    (DURATION, "-1h30m", -5_400_000_000),
    (DURATION, "1.5ms2us", 1_502),
    (INT_LIST, "1;-2;3", (1, -2, 3)),
    (STRING_LIST, "a;;b c", ("a", "", "b c")),
]
BAD = [
    (BOOL, "y"),
    (BOOL, "2"),
    (BOOL, " true"),
    (INT, "1.0"),
    (INT, "1e3"),
    (INT, "1_000"),
    (INT, " 1"),
    (INT, "\u0661"),
    (INT, "0x10"),
    (INT, "9223372036854775808"),
    (INT, "-9223372036854775809"),
    (INT, "1" * 5_000),
    (DOUBLE, "nan"),
    (DOUBLE, "inf"),
    (DOUBLE, "1e999"),
    (DOUBLE, "1,5"),
    (DOUBLE, "1_0.0"),
    (DOUBLE, "1" * 500),
    (STRING, "x" * 4_097),
    (STRING, "\u00e9" * 2_049),
    (TIMESTAMP, "2026-02-30"),
    (TIMESTAMP, "2026-01-31T12:00:00"),
    (TIMESTAMP, "2026-01-31T24:00:00Z"),
    (TIMESTAMP, "2026-01-31T12:00:60Z"),
    (TIMESTAMP, "20260131"),
    (TIMESTAMP, "31/01/2026"),
    (TIMESTAMP, "0001-01-01T00:00:00+01:00"),
    (TIMESTAMP, "1769817600"),
    (DURATION, "90"),
    (DURATION, "1 h"),
    (DURATION, "1d"),
    (DURATION, "999999999999999h"),
    (INT_LIST, "1;;2"),
    (INT_LIST, "1,2"),
    (INT_LIST, ";".join(["1"] * 1_025)),
]


@pytest.mark.parametrize(("kind", "cell", "value"), GOOD)
def test_good_cells(kind, cell, value):
    """Each way of writing a value that is allowed, and the extremes."""
    parsed = parser_of(kind)(cell)

    assert (type(value), value) == (type(parsed), parsed)
    assert fits(kind, parsed)


@pytest.mark.parametrize(("kind", "cell"), BAD)
def test_bad_cells(kind, cell):
    """What looks like a value and is none is refused, with the type it should have."""
    with pytest.raises(BadCell, match=r"^(not an? |too long)"):
        parser_of(kind)(cell)


SCALARS = {
    BOOL: st.booleans(),
    INT: st.integers(INT_MIN, INT_MAX),
    DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    TIMESTAMP: st.integers(TIMESTAMP_MIN_US, TIMESTAMP_MAX_US),
    DURATION: st.integers(-DURATION_MAX_US, DURATION_MAX_US),
    INT_LIST: st.lists(st.integers(INT_MIN, INT_MAX), min_size=1).map(tuple),
    STRING_LIST: st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters=";")), min_size=2
    ).map(tuple),
}


@settings(derandomize=True, deadline=None)
@given(
    st.sampled_from(sorted(SCALARS)).flatmap(
        lambda kind: st.tuples(st.just(kind), SCALARS[kind])
    )
)
def test_a_value_written_is_read_as_itself(pair):
    """Whatever the store may hold and a cell can say."""
    kind, value = pair

    assert value == parser_of(kind)(text_of(kind, value))


@pytest.mark.parametrize("value", [(), ("",), ("a;b",)])
def test_a_list_that_no_cell_can_say_is_refused(value):
    """Rather than written as something else."""
    with pytest.raises(BadCell, match="Parquet"):
        text_of(STRING_LIST, value)
