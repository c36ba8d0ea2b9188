"""Periods of quotas: when they begin and end by the clocks of a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.counting import QuotaPeriod
from server.engine.quota_periods import FOREVER, bounds

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
#: 2015-01-01 to 2040-01-01.
MOMENTS = st.integers(1_420_070_400_000, 2_208_988_800_000)
#: All that are in use now, with half hours, skipped midnights and fourteen hours ahead.
ZONES = sorted(
    zone
    for zone in available_timezones()
    if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))
)
SOME_ZONES = (
    *("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"),
    *("America/Havana", "America/Santiago", "Africa/Cairo", "Asia/Beirut"),
    *("Pacific/Kiritimati", "America/Scoresbysund", "America/Nuuk", "Asia/Tehran"),
    "Antarctica/Troll",
)
CALENDAR = [period for period in QuotaPeriod if period is not QuotaPeriod.TOTAL]


def local(at_ms: int, zone: str) -> datetime:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return at.astimezone(ZoneInfo(zone))


def label(period: QuotaPeriod, at_ms: int, zone: str) -> object:
    """What a calendar calls the period that a moment is in."""
    at = local(at_ms, zone)
    match period:
        case QuotaPeriod.HOUR:
            # The hour that comes twice is two, where a whole one comes twice.
            first = at.replace(minute=0, second=0, microsecond=0, fold=0)
            twice = first.utcoffset() != first.replace(fold=1).utcoffset()
            return at.date(), at.hour, at.fold if twice else 0
        case QuotaPeriod.DAY:
            return at.date()
        case QuotaPeriod.WEEK:
            return at.isocalendar()[:2]
        case _:
            return at.year, at.month


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000)


@settings(derandomize=True, max_examples=1_500, deadline=None)
@given(MOMENTS, st.sampled_from(CALENDAR), st.sampled_from((*SOME_ZONES, *ZONES)))
def test_a_period_is_what_a_calendar_calls_one(
    at_ms: int, period: QuotaPeriod, zone: str
) -> None:
    """Its first and last millisecond have the name of the moment; the next have not."""
    start_ms, end_ms = bounds(period, zone, at_ms)
    assert start_ms is not None
    assert end_ms is not None

    assert start_ms <= at_ms < end_ms
    names = [label(period, m, zone) for m in (start_ms, at_ms, end_ms - 1)]
    assert names == [label(period, at_ms, zone)] * 3
    assert label(period, start_ms - 1, zone) != names[0]
    assert label(period, end_ms, zone) != names[0]


@settings(derandomize=True, max_examples=300, deadline=None)
@given(MOMENTS, st.sampled_from(CALENDAR), st.sampled_from(SOME_ZONES))
def test_periods_follow_each_other(at_ms: int, period: QuotaPeriod, zone: str) -> None:
    """Where one ends the next begins, and every moment of one finds the same."""
    found = bounds(period, zone, at_ms)
    assert found.start_ms is not None
    assert found.end_ms is not None

    assert bounds(period, zone, found.end_ms).start_ms == found.end_ms
    assert bounds(period, zone, found.start_ms - 1).end_ms == found.start_ms
    assert bounds(period, zone, found.end_ms - 1) == found
    assert bounds(period, zone, found.start_ms) == found


@pytest.mark.parametrize("zone", SOME_ZONES)
def test_every_change_of_clocks_in_ten_years(zone: str) -> None:
    """Hours and days around each change: no gap, no overlap, none is empty."""
    at_ms, end_ms = ms("2024-01-01T00:00Z"), ms("2034-01-01T00:00Z")
    changes = 0
    offset = local(at_ms, zone).utcoffset()
    while at_ms < end_ms:
        at_ms += 6 * HOUR_MS
        if local(at_ms, zone).utcoffset() == offset:
            continue
        offset = local(at_ms, zone).utcoffset()
        changes += 1
        for period in (QuotaPeriod.HOUR, QuotaPeriod.DAY):
            _, next_ms = bounds(period, zone, at_ms - 30 * HOUR_MS)
            while next_ms < at_ms + 30 * HOUR_MS:
                start_ms, after_ms = bounds(period, zone, next_ms)
                assert start_ms == next_ms
                assert label(period, after_ms - 1, zone) == label(
                    period, start_ms, zone
                )
                assert 30 * MINUTE_MS <= after_ms - start_ms <= 26 * HOUR_MS
                next_ms = after_ms
    assert (changes > 15) == (
        zone not in {"Asia/Kathmandu", "Pacific/Kiritimati", "Asia/Tehran"}
    )


@pytest.mark.parametrize(
    ("period", "zone", "at", "start", "end"),
    [
        ("day", "UTC", "2026-05-01T12:00Z", "2026-05-01T00:00Z", "2026-05-02T00:00Z"),
        # 23 and 25 hours.
        (
            *("day", "Europe/Lisbon", "2026-03-29T12:00Z"),
            *("2026-03-29T00:00Z", "2026-03-29T23:00Z"),
        ),
        (
            *("day", "Europe/Lisbon", "2026-10-25T12:00Z"),
            *("2026-10-24T23:00Z", "2026-10-26T00:00Z"),
        ),
        # 01:30 comes twice, and each time it is another hour.
        (
            *("hour", "Europe/Lisbon", "2026-10-25T00:30Z"),
            *("2026-10-25T00:00Z", "2026-10-25T01:00Z"),
        ),
        (
            *("hour", "Europe/Lisbon", "2026-10-25T01:30Z"),
            *("2026-10-25T01:00Z", "2026-10-25T02:00Z"),
        ),
        # 02:30 does not come.
        (
            *("hour", "Europe/Berlin", "2026-03-29T00:59Z"),
            *("2026-03-29T00:00Z", "2026-03-29T01:00Z"),
        ),
        (
            *("hour", "Asia/Kathmandu", "2026-05-01T12:00Z"),
            *("2026-05-01T11:15Z", "2026-05-01T12:15Z"),
        ),
        # Half an hour is repeated: 01:00 to 02:00 lasts 90 minutes.
        (
            *("hour", "Australia/Lord_Howe", "2026-04-04T14:45Z"),
            *("2026-04-04T14:00Z", "2026-04-04T15:30Z"),
        ),
        # From Monday, across the change of clocks and of years.
        (
            *("week", "Europe/Berlin", "2026-10-25T22:59Z"),
            *("2026-10-18T22:00Z", "2026-10-25T23:00Z"),
        ),
        ("week", "UTC", "2027-01-01T00:00Z", "2026-12-28T00:00Z", "2027-01-04T00:00Z"),
        ("month", "UTC", "2028-02-29T23:59Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        (
            *("month", "Europe/Lisbon", "2026-03-31T23:30Z"),
            *("2026-03-31T23:00Z", "2026-04-30T23:00Z"),
        ),
        (
            *("month", "UTC", "2026-12-31T23:59Z"),
            *("2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ),
        # Midnight is skipped: the day begins at one.
        (
            *("day", "America/Santiago", "2026-09-06T12:00Z"),
            *("2026-09-06T04:00Z", "2026-09-07T03:00Z"),
        ),
    ],
)
def test_known_periods(period: str, zone: str, at: str, start: str, end: str) -> None:
    """Looked up in a calendar."""
    assert (ms(start), ms(end)) == bounds(QuotaPeriod(period), zone, ms(at))


def test_a_total_has_no_bounds() -> None:
    """It is one period for ever."""
    assert bounds(QuotaPeriod.TOTAL, "UTC", 0) == FOREVER
    assert FOREVER.includes(2**62)


def test_the_first_and_the_last_moment_have_periods() -> None:
    """Nobody decides then, and nothing breaks."""
    for at_ms in (0, 253_402_300_799_999):
        for period in CALENDAR:
            assert bounds(period, "America/New_York", at_ms).start_ms is not None
