"""What rules count is the same with and without purging, at every time."""

import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.counting import Counted, CountedFrom, CountedStatus
from catalog_store.records import Category, Channel, PresentationRule
from contact_store.records import (
    EMPTY_RECORD,
    ContactRecord,
    PropositionStatus,
    StatusChange,
    is_mark,
)
from contact_store.retention import DAY_MS, Retention
from contact_store.status_changes import with_change
from server.countings import countings_of
from server.engine.eligibility import Conditions
from server.engine.presentation import Presented
from tests.bank import NOON_MS, call, environment, live, offer, past, space

SPACES = (space("banner"), space("phone", channel=Channel.INBOUND_CALL_CENTER))
ON = ("banner", "phone")
OFFERS = (
    offer("gold", spaces=ON, attributes={"line": "cards"}),
    offer("blue", spaces=ON, attributes={"line": "cards"}),
    offer("loan", spaces=ON, category="loans"),
)
CATEGORY_OF = {"gold": "all", "blue": "all", "loan": "loans", "gone": "all"}
RULE_SETS = 32
RETENTION_MS = 30 * DAY_MS
STATUSES = [status for status in PropositionStatus if status]


def some_rule(draw, number):
    counted = draw.choice(list(Counted))
    period = draw.choice([None, DAY_MS, 29 * DAY_MS, 31 * DAY_MS, 90 * DAY_MS])
    scope = draw.choice([{}, {"offers": ("gold",)}, {"categories": ("loans",)}])
    if counted is Counted.SCOPE and not scope:
        scope = {"offers": ("gold", "loan")}
    return PresentationRule(
        name=f"rule{number}",
        maximum=draw.choice([1, 1, 2]),
        period_ms=period,
        rest_ms=draw.choice([None, None, 5 * DAY_MS]),
        counted=counted,
        attribute="line" if counted is Counted.SAME_ATTRIBUTE else None,
        counted_status=draw.choice(list(CountedStatus)),
        counted_from=draw.choice(list(CountedFrom)),
        same_channel=draw.random() < 0.3,
        counted_rule=draw.choice([None, None, "proposition.weight > 2.0"]),
        **scope,
    )


@cache
def catalogs():
    """Catalogs with one rule or two each, of every kind."""
    draw = random.Random(11)
    made = []
    with TemporaryDirectory() as folder:
        for number in range(RULE_SETS):
            rules = [some_rule(draw, n) for n in range(draw.choice([1, 1, 2]))]
            record = environment(
                OFFERS,
                categories=[Category(name="loans")],
                spaces=SPACES,
                rules=rules,
            )
            made.append(live(Path(folder) / str(number), record))
    return made


def counted(catalog, record, at_ms):
    """What excludes what, where, and until when."""
    decides = catalog.environments["bank"]
    asked = call(decides, *ON, at_ms=at_ms, history=record.propositions)
    conditions = Conditions(asked)
    presented = Presented(asked, conditions)
    found = []
    for name in ON:
        conditions.enter(decides.spaces[name])
        for candidate in decides.offers:
            excluded = presented.exclusions(candidate, decides.spaces[name])
            found += [(name, candidate.name, e.rule.name, *e[1:]) for e in excluded]
    return found


def appended(record, proposition):
    made = replace(proposition, sequence=record.next_sequence)
    return ContactRecord(
        record.version + 1, record.next_sequence + 1, (*record.propositions, made)
    )


def updated(record, sequence, change):
    """None when nobody has the proposition any more."""
    propositions = list(record.propositions)
    for index, proposition in enumerate(propositions):
        if proposition.sequence == sequence:
            propositions[index] = with_change(proposition, change)
            return replace(record, propositions=tuple(propositions))
    return None


proposals = st.tuples(
    st.sampled_from(sorted(CATEGORY_OF)),
    st.sampled_from([Channel.INBOUND_WEB, Channel.INBOUND_CALL_CENTER]),
    st.sampled_from([1.0, 3.0]),
    # Days until it is seen.
    st.sampled_from([0, 0, 0, 1, 40]),
)
updates = st.tuples(
    st.integers(1, 6), st.sampled_from(STATUSES), st.sampled_from([None, 0, 1, 45])
)
#: In days; a rule's period and a few minutes, among others.
waits = st.sampled_from([0, 1, 10, 29.002, 31, 31.002, 61, 90.002, 95, 400])
chapters = st.tuples(
    st.lists(proposals, max_size=3),
    st.lists(updates, max_size=2),
    waits,
    # Whether the purge runs then.
    st.booleans(),
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    number=st.integers(0, RULE_SETS - 1),
    course=st.lists(chapters, min_size=1, max_size=4),
)
def test_rules_count_the_same_whether_there_was_a_purge_or_not(number, course):
    """Any rule, any course of propositions, answers, time and purges."""
    catalog = catalogs()[number]
    countings = countings_of(catalog)
    whole = purged = EMPTY_RECORD
    now_ms = NOON_MS
    for proposed, answered, days, purges in course:
        for name, channel, weight, days_ahead in proposed:
            made = past(name, category=CATEGORY_OF[name], channel=channel, at_ms=now_ms)
            event_time_ms = now_ms + days_ahead * DAY_MS
            made = replace(made, weight=weight, event_time_ms=event_time_ms)
            whole, purged = appended(whole, made), appended(purged, made)
        for sequence, status, days_ago in answered:
            at_ms = None if days_ago is None else now_ms - days_ago * DAY_MS
            change = StatusChange(status, at_ms, now_ms)
            after = updated(purged, sequence, change)
            # What was purged has no id, and is updated in neither.
            if after is not None:
                purged, whole = after, updated(whole, sequence, change)
        now_ms += int(days * DAY_MS)
        if purges:
            retention = Retention(now_ms, RETENTION_MS, countings)
            purged = retention.left_of(purged) or purged
        for at_ms in (now_ms, now_ms - 300_000, now_ms + 60 * DAY_MS):
            assert counted(catalog, whole, at_ms) == counted(catalog, purged, at_ms)


@pytest.mark.parametrize("number", range(RULE_SETS))
def test_what_no_rule_can_count_leaves_no_mark(number):
    """A year after its period, or at once when the rules count other statuses."""
    catalog = catalogs()[number]
    decides = catalog.environments["bank"]
    kept = [replace(past(name), sequence=n) for n, name in enumerate(CATEGORY_OF, 1)]
    record = ContactRecord(1, len(kept) + 1, tuple(kept))
    later = Retention(NOON_MS + 500 * DAY_MS, RETENTION_MS, countings_of(catalog))
    left = later.left_of(record)

    counts_for_ever = any(
        rule.period_ms > 600 * DAY_MS and rule.counted_statuses is None
        for rule in decides.presentation_rules
    )
    assert counts_for_ever == bool(left.propositions)
    assert all(map(is_mark, left.propositions))
