"""Rules put together from conditions: the same bytes, the same mistakes."""

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_examples import SCHEMA, SEGMENTS

from compiler.assembly import Assembly
from compiler.rule_parts import rule_parts
from compiler.rules import Kind, compile_rule
from compiler.source import Refused, Source

#: Random rules; PROPONO_ASSEMBLED_RULES makes it longer.
RULES = int(os.environ.get("PROPONO_ASSEMBLED_RULES", "150"))

#: Conditions of every shape that a rule is made of, and texts that are none.
CONDITIONS = (
    "contact.age >= 18",
    "-1 < contact.age",
    "contact.country in ['FR', 'DE', 'IT']",
    "!(contact.country in [\n  'FR', 'é'\n])",
    "(contact.country == 'FR' || contact.country == '&&')",
    "((contact.age > 1 && contact.optin))",
    "(contact.age > 1) == (contact.optin)",
    "contact.optin",
    "!contact.optin",
    "has(contact.age)",
    "contact.tags.exists(t, t == 'a, b' && t != \"||\")",
    "size(contact.tags.filter(t, t != '?')) > 1",
    "contact.country.startsWith('F')",
    "[1, 2][0] == 1",
    "(1 + 2) * 3 == 9",
    "true",
    "contact.age in []",
    "contact.country == 'née Zoë'",
    "(contact.optin ? contact.age > 1 : contact.age < 9)",
)
DOUBTFUL = (
    "segment.young",
    "contact.optin ? true : false",
    "contact.optin || contact.age > 3",
    "contact.agee > 1",
    "contact.age > 'x'",
    "contact.age",
    "1",
    "null",
    "[]",
    "",
    "contact.age >",
    "?contact.optin",
    "contact.optin, contact.optin",
    "contact.optin : contact.optin",
    "(contact.optin",
    "contact.optin)",
    "[contact.optin)",
    "contact.country == r'\\'",
    "contact.country == '''a'''",
    "contact.country == 'it\\'s'",
    "contact.country == 'open",
    "contact.optin // a comment",
    "contact.country == b'x'",
    "{'a': 1}['a'] == 1",
    "contact.`age` > 1",
    "contact.optin\r",
    "'' '' == ''",
    "\0",
    "!" * 40 + "contact.optin",
    "(" * 20 + "contact.optin" + ")" * 20,
    "1" + " + 1" * 31 + " == 1",
    "contact",
    "history",
    ".contact.optin",
)


def outcome(text: str, assembly: Assembly | None) -> object:
    """Tree and code of a rule, or its diagnostics."""
    source = Source("rule", text)
    assembled = None if assembly is None else assembly.rule(source)
    if assembled is not None:
        return assembled.tree_bytes, assembled.code
    try:
        compiled = compile_rule(source, SCHEMA, Kind.CONDITION, SEGMENTS)
    except Refused as refused:
        return [diagnostic.render() for diagnostic in refused.diagnostics]
    return compiled.tree_bytes, compiled.code


@st.composite
def rules(draw: st.DrawFn) -> str:
    random = Random(draw(st.integers(0, 2**32)))
    texts = CONDITIONS if random.random() < 0.7 else CONDITIONS + DOUBTFUL
    parts = random.sample(texts, random.randint(1, 5))
    if random.random() < 0.1:
        parts.append(random.choice(parts))
    space = random.choice(("", " ", "\n", " \n  "))
    return space + f"{space}&&{space}".join(parts) + space


@settings(max_examples=RULES, derandomize=True, deadline=None, database=None)
@given(texts=st.lists(rules(), min_size=1, max_size=8, unique=True))
def test_an_assembled_rule_is_the_whole_one(texts: list[str]) -> None:
    """To the byte, with the same diagnostics, whatever else is in the catalog."""
    assembly = Assembly(texts, SCHEMA)
    for text in texts:
        assert outcome(text, None) == outcome(text, assembly), text


@settings(max_examples=RULES, derandomize=True, deadline=None, database=None)
@given(
    text=st.lists(
        st.sampled_from(
            [*"()[]?:,!'\"&|.-\\/ \n", "&&", "||", "contact.optin", "contact.age", "1"]
        ),
        max_size=12,
    ).map("".join)
)
def test_any_text_gives_what_it_gives_as_a_whole(text: str) -> None:
    """Neighbours in the same list cannot make sense of what makes none alone."""
    neighbours = ("contact.optin", "contact.age > 1 && contact.optin")
    assembly = Assembly(dict.fromkeys((neighbours[0], text, neighbours[1])), SCHEMA)

    assert outcome(text, None) == outcome(text, assembly)
    if text not in neighbours:
        assert all(assembly.rule(Source("rule", one)) for one in neighbours)


@pytest.mark.parametrize("text", CONDITIONS)
def test_plain_conditions_are_assembled(text: str) -> None:
    """Nothing falls back silently: a condition beside another is put together."""
    rule = f"contact.visits != [3] && {text}"

    assert Assembly([rule], SCHEMA).rule(Source("rule", rule)) is not None


@pytest.mark.parametrize("text", DOUBTFUL)
def test_doubtful_texts_give_what_they_give_as_a_whole(text: str) -> None:
    """Alone, first and last, with neighbours that are sound."""
    for rule in (text, f"{text} && contact.optin", f"contact.optin && {text}"):
        texts = ("contact.age > 1", rule, "contact.age > 2")

        assert outcome(rule, None) == outcome(rule, Assembly(texts, SCHEMA))


def test_a_condition_that_stands_twice_is_compiled_as_a_whole() -> None:
    """One syntax tree cannot stand in two places of another."""
    rule = "contact.optin && contact.optin"

    assert Assembly([rule], SCHEMA).rule(Source("rule", rule)) is None


def test_deep_conditions_of_a_long_rule_meet_the_limit_of_the_whole() -> None:
    """What the front end takes alone, and not with so many others, is refused."""
    for levels in range(24, 32):
        deep = "1" + " + 1" * levels + " == 1"
        for others in (1, 40, 300):
            rule = " && ".join([deep, *(f"{n}<{n + 1}" for n in range(others))])

            assert outcome(rule, None) == outcome(rule, assembled_apart(rule))


def assembled_apart(rule: str) -> Assembly:
    """An assembly for a rule and for each of its conditions."""
    return Assembly(dict.fromkeys((rule, *rule.split(" && "))), SCHEMA)


def test_parts_are_cut_at_the_top_level_only() -> None:
    """Brackets and strings keep what they hold; `||` and `?` bind less than `&&`."""
    cut = [(0, "a"), (5, "(b && c)"), (17, "'&&' == d")]

    assert rule_parts("a && (b && c) && '&&' == d") == cut
    assert rule_parts("a && b || c") == [(0, "a && b || c")]
    assert rule_parts("a, b && c") is None
    assert rule_parts("a && ") is None
