"""The page about rules says what is so."""

import re
from pathlib import Path

import pytest
from rule_examples import SCHEMA, SEGMENTS, answer, past

from compiler.calls import FUNCTION_NAMES
from compiler.check import Kind, check
from compiler.runtime.history import HISTORY_MAX, PROPOSITION_FIELDS
from compiler.source import Refused, Source

PAGE = (Path(__file__).parents[1] / "docs" / "rules.md").read_text()
EXAMPLES = [
    rule
    for block in re.findall(r"```cel\n(.*?)```", PAGE, re.DOTALL)
    for rule in block.splitlines()
]


@pytest.mark.parametrize("rule", EXAMPLES)
def test_every_example_compiles(rule: str) -> None:
    """What the page shows can be copied into a catalog."""
    kind = Kind.FORMULA if " ? " in rule else Kind.CONDITION

    assert check(Source("rules.md", rule), SCHEMA, kind)


def test_every_function_is_on_the_page() -> None:
    """The page is the list that diagnostics send people to."""
    missing = [name for name in FUNCTION_NAMES if f"{name}(" not in PAGE]

    assert missing == []
    assert len(EXAMPLES) >= 8


def test_the_page_is_right_about_absent_and_null() -> None:
    """The three rules of its section answer as it says."""
    plain, negated, guarded, balance = EXAMPLES[1:5]

    assert [answer(rule) for rule in (plain, negated, guarded)] == [
        "no answer",
        "no answer",
        True,
    ]
    assert answer(balance, balance=None) is False
    assert answer(balance, balance=101.0) is True


def test_the_page_is_right_about_guards() -> None:
    """Where the guard fails, the condition does not matter."""
    by_page, by_channel, by_space = EXAMPLES[5:8]
    phone = {"channel": "inbound_call_center"}

    assert answer(by_page) is True
    assert answer(by_page, call={"page": "loans"}) is False
    assert answer(by_channel, call=phone) is True
    assert answer(by_channel, call={"page": "savings"}) is True
    assert answer(by_channel, call={"page": "loans"}) is False
    assert answer(by_channel) == "no answer"
    assert answer(by_space) is True
    assert answer(by_space, call={"space": "home_side"}, age=17) is False


def test_the_page_is_right_about_history() -> None:
    """Its fields and its length are those that rules see."""
    accepted, few, newest = EXAMPLES[8:11]
    gold, loan = past("gold_card", "accepted"), past("loan", category="loans")

    for name, type_ in PROPOSITION_FIELDS:
        assert re.search(rf"\|.*`{name}`.*\| {type_} \|", PAGE), name
    assert f"newest {HISTORY_MAX:,} propositions" in PAGE
    assert answer(accepted, history=(loan, gold)) is True
    assert answer(accepted, history=(loan,)) is False
    assert answer(few, history=(loan, loan)) is True
    assert answer(few, history=(loan, loan, loan)) is False
    assert answer(newest) is True
    assert answer(newest, history=(past(status="rejected"), gold)) is False


@pytest.mark.parametrize(("size", "allowed"), [(4_096, True), (4_097, False)])
def test_the_page_is_right_about_length(size: int, allowed: bool) -> None:
    """A rule has at most 4,096 bytes, of UTF-8 and not characters."""
    text = "'é' != '" + "x" * (size - len("'é' != ''".encode())) + "'"
    source = Source("rule", text)

    assert len(text.encode()) == size
    if allowed:
        assert check(source, SCHEMA, Kind.CONDITION)
    else:
        with pytest.raises(Refused, match="4097 bytes"):
            check(source, SCHEMA, Kind.CONDITION)


def test_the_examples_have_the_segments_that_the_schema_names() -> None:
    """Rules in these tests can use what they declare."""
    assert set(SEGMENTS) == set(SCHEMA.segments)
