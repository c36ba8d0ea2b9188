"""What a space keeps with propositions and answers; conditions on those counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import struct_pb2

from catalog_store.records import (
    Catalog,
    Channel,
    PresentationRule,
    StatusName,
    StoredExpression,
)
from compiler.revision import compile_catalog
from compiler.source import Refused
from contact_store.records import Proposition
from server.requests import InvalidRequest
from tests.bank import DAY_MS, NOON_MS, environment, live, names, offer, past, space
from tests.services import Served, served


def stored(**expressions: str) -> tuple[StoredExpression, ...]:
    return tuple(
        StoredExpression(name=name, expression=text)
        for name, text in expressions.items()
    )


SPACE = space(
    "banner",
    proposition_status=StatusName.PRESENTED,
    stored_on_proposition=stored(
        age="contact.age",
        page="context.page + '!'",
        first="proposition.rank == 1",
        weight="proposition.weight * 2.0",
        what="proposition.offer + ' ' + proposition.status",
        nothing="contact.balance",
        huge="1.0 / 0.0",
    ),
    stored_on_acceptance=stored(
        answer="proposition.status", page="context.page", job="contact.job"
    ),
)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    record = environment([offer("card", 2)], spaces=[SPACE, space("side")])
    with served(tmp_path, record) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        yield web


def context(**values: object) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def kept(web: Served, contact_id: str = "ann") -> Proposition:
    record = web.history.read("bank", contact_id)
    assert record is not None
    return record.propositions[-1]


def test_expressions_are_kept_with_the_proposition(web: Served) -> None:
    """Of the contact, the call and the proposition; what has no answer is left out."""
    web.propose(context=context(page="home"))

    assert kept(web).stored == {
        "age": 30,
        "page": "home!",
        "first": True,
        "weight": 4.0,
        "what": "card presented",
    }


def test_a_space_without_expressions_keeps_nothing(web: Served) -> None:
    """The usual case."""
    web.propose("side")

    assert kept(web).stored == {}


@pytest.mark.parametrize("status", ["accepted", "rejected"])
def test_an_answer_is_kept_beside(web: Served, status: str) -> None:
    """With the status asked for and the context of the update."""
    made = web.propose(context=context(page="home")).results[0].propositions[0]
    web.update(made.proposition_id, status, context=context(page="checkout"))

    assert kept(web).stored["answer"] == status
    assert kept(web).stored["page"] == "checkout"
    assert kept(web).stored["job"] == "nurse"
    assert kept(web).stored["age"] == 30


def test_other_statuses_keep_nothing_more(web: Served) -> None:
    """Only an answer does."""
    made = web.propose().results[0].propositions[0]
    before = kept(web).stored
    web.update(made.proposition_id, "interested", context=context(page="x"))

    assert kept(web).stored == before


def test_a_context_of_an_update_is_checked(web: Served) -> None:
    """And nothing changes when it is wrong."""
    made = web.propose().results[0].propositions[0]
    with pytest.raises(InvalidRequest, match=r"context\.pgae: is not declared"):
        web.update(made.proposition_id, "interested", context=context(pgae="x"))

    assert kept(web).status.name == "PRESENTED"


def test_an_update_is_heard_when_its_space_is_gone(web: Served) -> None:
    """Or while nothing is published."""
    first, second = (web.propose().results[0].propositions[0] for _ in range(2))
    web.publish(environment([offer("card", spaces=("side",))], spaces=[space("side")]))
    web.update(first.proposition_id, "accepted", context=context(what="ever"))
    web.cell.current = None
    web.update(second.proposition_id, "rejected")
    record = web.history.read("bank", "ann")

    assert record is not None
    assert [p.status.name for p in record.propositions] == ["ACCEPTED", "REJECTED"]
    assert "answer" not in record.propositions[0].stored


def test_texts_are_cut_and_what_does_not_fit_is_left_out(tmp_path: Path) -> None:
    """A proposition stays small, whatever callers send."""
    expressions = {f"e{number}": "context.page" for number in range(20)}
    record = environment(
        [offer("card")],
        spaces=[
            space("banner", stored_on_proposition=stored(**expressions)),
            space("side"),
        ],
    )
    with served(tmp_path, record) as web:
        web.propose(context=context(page="é" * 2_000))
        found = kept(web).stored

    assert set(found.values()) == {"é" * 200}
    assert list(found) == ["e0", "e1"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"stored_on_proposition": stored(x="context.now")}, "a timestamp cannot be"),
        ({"stored_on_proposition": stored(x="contact.jbo")}, "did you mean 'job'?"),
        (
            {"stored_on_proposition": stored(x="size(history)")},
            "'history' is not known",
        ),
        ({"stored_on_acceptance": stored(x="proposition")}, "a proposition cannot"),
        (
            {"stored_on_proposition": (*stored(x="1"), *stored(x="2"))},
            "stored expression 'x' stands twice",
        ),
        (
            {"stored_on_acceptance": stored(**{f"e{n}": "1" for n in range(21)})},
            "21 expressions; at most 20",
        ),
    ],
)
def test_mistakes_in_expressions(fields: dict[str, Any], expected: str) -> None:
    """Found before publishing, each with its place."""
    record = environment([offer("card")], spaces=[space("banner", **fields)])
    with pytest.raises(Refused) as refused:
        compile_catalog(Catalog(environments=(record,)))

    assert expected in str(refused.value)


OFFERS = (offer("card", 3, spaces=("banner", "phone")), offer("loan", 2))


def limited(folder: Path, counted_rule: str) -> Any:
    """One proposition of those for which the rule is true, and no more."""
    rule = PresentationRule(
        name="rule", period_ms=DAY_MS, maximum=1, counted_rule=counted_rule
    )
    spaces = [
        space("banner"),
        space("side"),
        space("phone", channel=Channel.INBOUND_CALL_CENTER),
    ]
    record = environment(OFFERS, rules=[rule], spaces=spaces)
    return live(folder, record).environments["bank"]


@pytest.mark.parametrize(
    ("counted_rule", "counts"),
    [
        ("proposition.offer == 'loan'", True),
        ("proposition.offer == 'card'", False),
        ("proposition.weight > 0.5 && proposition.rank == 1", True),
        ("proposition.weight > 1.0", False),
        ("proposition.channel == 'inbound_web'", True),
        ("proposition.status in ['accepted', 'rejected']", False),
        ("proposition.event_time < context.now", False),
        ("contact.age > 18", False),
        ("!has(contact.age)", True),
    ],
)
def test_only_propositions_that_the_condition_is_true_of_count(
    tmp_path: Path, counted_rule: str, counts: bool
) -> None:
    """One without an answer does not count either."""
    decides = limited(tmp_path, counted_rule)

    expected = [[]] if counts else [["card"]]
    assert names(decides, "banner", history=[past("loan")]) == expected


def test_what_this_call_proposes_is_asked_as_well(tmp_path: Path) -> None:
    """With the weight and the rank that it has."""
    decides = limited(tmp_path, "proposition.weight == 3.0")

    assert names(decides, "banner", "side") == [["card"], []]
    assert names(decides, ("banner", 2)) == [["card"]]


def test_a_condition_may_ask_where_it_counts(tmp_path: Path) -> None:
    """An answer for each space of the call, also after one of them proposed."""
    decides = limited(tmp_path, "context.channel == 'inbound_call_center'")
    history = [past("loan", at_ms=NOON_MS)]

    assert names(decides, "banner", "phone", history=history) == [["card"], []]
    assert names(decides, "phone", "banner", history=history) == [[], ["card"]]


@pytest.mark.parametrize(
    ("counted_rule", "expected"),
    [
        ("proposition.weight", "a condition is true or false, this is double"),
        ("history.exists(p, true)", "'history' is not known here"),
        ("proposition.wieght > 1.0", "did you mean 'weight'?"),
    ],
)
def test_mistakes_in_conditions(counted_rule: str, expected: str) -> None:
    """As in any rule."""
    rule = PresentationRule(
        name="rule", period_ms=1, maximum=1, counted_rule=counted_rule
    )
    record = environment([offer("card")], rules=[rule])
    with pytest.raises(Refused) as refused:
        compile_catalog(Catalog(environments=(record,)))

    assert expected in str(refused.value)


def test_a_proposition_is_known_only_where_there_is_one() -> None:
    """A rule about the contact has its history instead; a variable may be called so."""
    history = "history.exists(proposition, proposition.weight > 1.0)"
    sound = environment([offer("card", rule=history)])
    wrong = environment([offer("card", rule="proposition.weight > 1.0")])

    assert compile_catalog(Catalog(environments=(sound,))).catalog.environments
    with pytest.raises(Refused, match="'proposition' is not known here; use `history`"):
        compile_catalog(Catalog(environments=(wrong,)))
