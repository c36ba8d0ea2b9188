"""Stored trees: one encoding each, and nothing believed that is not one."""

import random

import pytest
from rule_examples import SCHEMA, SEGMENTS
from rule_generation import SCHEMA as RANDOM_SCHEMA
from rule_generation import RuleGenerator

from compiler.rules import CompiledRule, Kind, compile_rule, rebuild_code
from compiler.runtime.encoding import EncodingError, decode, digest, encode, meaning
from compiler.runtime.tree import TREE_DEPTH_MAX, Node, Op, Tree, conjuncts
from compiler.source import Source

SEED = 5


def compiled(text: str, name: str = "rule") -> CompiledRule:
    return compile_rule(Source(name, text), SCHEMA, Kind.CONDITION, SEGMENTS)


def test_every_tree_survives_its_encoding() -> None:
    """Decoding gives the tree, and the code is a function of the bytes alone."""
    generator = RuleGenerator(random.Random(SEED))
    for number in range(150):
        text = generator.rule("bool", 1 + number % 5)
        rule = compile_rule(Source("r", text), RANDOM_SCHEMA, Kind.CONDITION)

        assert rule.tree == decode(rule.tree_bytes), text
        assert rule.code == rebuild_code(rule.tree_bytes), text


def test_damaged_bytes_are_refused_or_are_another_tree() -> None:
    """No damage makes the decoder fail in another way, or accept two spellings."""
    stream = random.Random(SEED)
    data = compiled(
        "segment.young && contact.tags.exists(t, t in ['é', 'b'])"
    ).tree_bytes
    refused = 0
    for _ in range(4_000):
        damaged = bytearray(data)
        for _ in range(stream.randrange(1, 4)):
            damaged[stream.randrange(len(damaged))] = stream.randrange(256)
        damaged = damaged[: stream.choice([len(damaged), stream.randrange(len(data))])]
        try:
            tree = decode(bytes(damaged))
        except EncodingError:
            refused += 1
            continue

        assert bytes(damaged) == encode(tree)

    assert refused > 2_000


@pytest.mark.parametrize("data", [b"", b"rule\x01", b"rule\x02\x00", b"\xff" * 40])
def test_bytes_that_are_not_a_rule_are_refused(data: bytes) -> None:
    """The error says that it is an encoded rule that is wrong."""
    with pytest.raises(EncodingError, match="encoded rule"):
        decode(data)


def test_a_tree_that_is_too_deep_is_refused_before_it_is_walked() -> None:
    """Bytes cannot make the decoder recurse without a bound."""
    node = Node(Op.CONSTANT, "bool", (0, 1), value=True)
    for _ in range(TREE_DEPTH_MAX + 1):
        node = Node(Op.NOT, "bool", (0, 1), (node,))
    with pytest.raises(EncodingError, match="deeper"):
        decode(encode(Tree((("r", "x"),), node)))


def test_a_second_spelling_of_the_same_tree_is_refused() -> None:
    """A count written in two bytes instead of one would give a second digest."""
    data = compiled("true").tree_bytes
    overlong = data[:5] + b"\x81\x00" + data[6:]
    with pytest.raises(EncodingError, match="canonical"):
        decode(overlong)


def test_meaning_is_shared_where_text_is_not() -> None:
    """Spaces, parentheses, variable names and segments do not change a meaning."""
    one = compiled("contact.tags.exists(t, t == 'a') && segment.young")
    other = compiled("((contact.tags.exists(x,  x == 'a')) && (contact.age < 30))")

    assert meaning(one.tree.root) == meaning(other.tree.root)
    assert digest(one.tree_bytes) != digest(other.tree_bytes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("contact.age == 1", "contact.class == 1"),
        ("contact.age == 1", "contact.age == 2"),
        ("contact.age < 1", "contact.age <= 1"),
        ("contact.balance == 0.0", "contact.balance == -0.0"),
        ("has(contact.age)", "has(contact.class)"),
        ("'a'.matches('a')", "'a'.matches('b')"),
        ("context.now.getHours() == 1", "context.now.getHours('+01:00') == 1"),
        # The segment asks that the attribute be true or false, the other compares it.
        ("segment.opted_in == true", "contact.optin == true"),
    ],
)
def test_another_meaning_has_another_digest(one: str, other: str) -> None:
    """Whatever a rule computes is part of its meaning."""
    assert meaning(compiled(one).tree.root) != meaning(compiled(other).tree.root)


def test_conjuncts_look_through_segments() -> None:
    """A rule is the conjunction of all that its segments demand, in order."""
    tree = compiled("segment.young_french && contact.optin").tree
    parts = list(conjuncts(tree.root))
    inline = ["contact.age < 30", "contact.country == 'FR'"]

    assert len(parts) == 3
    assert [meaning(part) for part in parts[:2]] == [
        meaning(compiled(text).tree.root) for text in inline
    ]
