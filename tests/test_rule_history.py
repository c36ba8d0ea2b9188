"""Rules over what the contact was proposed before."""

import pytest
from rule_examples import NO_ANSWER, answer, linked, past

from compiler.runtime.encoding import EncodingError, decode, encode
from compiler.runtime.tree import Node, Op, Tree

DAY_US = 86_400_000_000


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("history.exists(p, p.status == 'accepted' && p.offer == 'gold_card')", True),
        ("history.exists(p, p.status == 'accepted' && p.offer == 'loan')", False),
        ("history.filter(p, p.category == 'cards').size() == 2", True),
        ("history.size() == 3", True),
        ("history[0].offer == 'loan' && history[2].rank == 3", True),
        ("history.all(p, p.weight > 1.0)", False),
        ("history.exists_one(p, p.space == 'side')", True),
        ("history.map(p, p.channel).all(c, c == 'inbound_web')", True),
        ("history.exists(p, p.event_time > context.now - duration('24h'))", True),
        ("history.exists(p, p.event_time > context.now)", False),
        ("history[3].offer == 'loan'", NO_ANSWER),
        ("history.exists(p, p.weight / 0.0 > 1.0)", True),
        ("!(segment.young && history.exists(p, p.offer == 'loan'))", NO_ANSWER),
        ("(history + history).size() == 6", True),
        ("[history[0], history[2]].exists(p, p.offer == 'gold_card')", True),
        ("(history.size() > 2 ? history[2] : history[0]).offer == 'gold_card'", True),
    ],
)
def test_rules_over_the_history(rule: str, expected: object) -> None:
    """Macros walk the propositions, and a dot after one names a field."""
    history = (
        past("loan", category="loans", weight=2.0),
        past("card", category="cards", space="side", event_time=-DAY_US),
        past("gold_card", "accepted", category="cards", rank=3, event_time=-9 * DAY_US),
    )

    assert expected == answer(rule, history=history)


def test_a_rule_knows_what_it_reads() -> None:
    """History is turned into names, and answers kept per space, only where needed."""
    reads = {
        text: (rule.reads_history, rule.reads_space)
        for text in (
            "contact.age > 18 && contact.country == 'history'",
            "contact.tags.exists(history, history == 'x')",
            "contact.age > 18 || history.size() == 0",
            "!(context.channel == 'email') || contact.age > 1",
            "has(context.space)",
            "context.page == 'space' && context.now > contact.joined",
            "segment.young && history[0].space == context.space",
        )
        if (rule := linked(text))
    }

    assert list(reads.values()) == [
        (False, False),
        (False, False),
        (True, False),
        (False, True),
        (False, True),
        (False, False),
        (True, True),
    ]


@pytest.mark.parametrize(
    "node",
    [
        Node(Op.HISTORY, "list(proposition)", (0, 1), value=1),
        Node(Op.FIELD, "string", (0, 1), (), (0, "offer")),
        *(
            Node(
                Op.FIELD,
                type_,
                (0, 1),
                (Node(Op.VARIABLE, "proposition", (0, 1), value=0),),
                value,
            )
            for type_, value in (
                ("string", (8, "offer")),
                ("string", (-1, "offer")),
                ("string", (1, "offer")),
                ("double", (0, "offer")),
                ("string", None),
            )
        ),
    ],
)
def test_bytes_of_a_field_that_is_none_are_refused(node: Node) -> None:
    """A stored tree names a field by place, name and type, and all three agree."""
    with pytest.raises(EncodingError):
        decode(encode(Tree((("rule", ""),), node)))
