"""Timestamps and durations as constants: what is read, and what is refused."""

import pytest

from compiler.runtime.times import parse_duration, parse_timestamp, time_zone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.000001z", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.5Z", -500_000),
        ("2026-01-31T09:00:00.123456000Z", 1_769_850_000_123_456),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ],
)
def test_a_timestamp_is_rfc_3339(text: str, expected: int) -> None:
    """A time always has a zone, and at most microseconds."""
    assert expected == parse_timestamp(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-01-31", "write it as"),
        ("2026-01-31T09:00:00", "write it as"),
        ("2026-02-30T09:00:00Z", "day is out of range"),
        ("2026-01-31T24:00:00Z", "hour must be"),
        ("2026-01-31T09:00:00.1234567Z", "microseconds"),
        ("0001-01-01T00:00:00+01:00", "years 1 to 9999"),
        ("9999-12-31T23:59:59-01:00", "years 1 to 9999"),
        ("2026-01-31T09:00:00+99:00", "offset"),
    ],
)
def test_a_bad_timestamp_is_refused_with_its_reason(text: str, reason: str) -> None:
    """Nothing is rounded, wrapped or guessed."""
    with pytest.raises(ValueError, match=reason):
        parse_timestamp(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1h30m", 5_400_000_000),
        ("-2.5s", -2_500_000),
        ("+1s", 1_000_000),
        (".5s", 500_000),
        ("1.s", 1_000_000),
        ("250ms1us", 250_001),
        ("1000ns", 1),
        ("2562047h47m16.854775s", 9_223_372_036_854_775),
    ],
)
def test_a_duration_is_a_sum_of_units(text: str, expected: int) -> None:
    """Each term is a decimal number and a unit."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "write it as"),
        ("1", "write it as"),
        ("1d", "write it as"),
        ("1h 30m", "write it as"),
        (".s", "write it as"),
        ("1ns", "microsecond"),
        ("2562047h47m16.854776s", "292 years"),
        ("9" * 40 + "s", "digits"),
    ],
)
def test_a_bad_duration_is_refused_with_its_reason(text: str, reason: str) -> None:
    """A duration fits what CEL's implementations count."""
    with pytest.raises(ValueError, match=reason):
        parse_duration(text)


@pytest.mark.parametrize(
    "name", ["Nowhere/Atall", "../../etc/passwd", "/etc", "+99:00"]
)
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    """A zone's name comes from a rule, and never leads to another file."""
    with pytest.raises(ValueError, match="unknown time zone"):
        time_zone(name)
