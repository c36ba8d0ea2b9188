"""Who a call is about: explicit, implicit, anonymous; and whose history it is then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_store.records import Category, Environment, PresentationRule, Typology
from server.requests import InvalidRequest
from server.wire import decision_pb2 as pb
from tests.bank import DAY_MS, environment, offer, space
from tests.services import Served, offers, served

#: Of the visitors' environment: at most two propositions in ten days.
TWICE = PresentationRule(name="twice", period_ms=10 * DAY_MS, maximum=2)

EXPLICIT = pb.IDENTIFICATION_MODE_EXPLICIT
IMPLICIT = pb.IDENTIFICATION_MODE_IMPLICIT
ANONYMOUS = pb.IDENTIFICATION_MODE_ANONYMOUS


def bank(**fields: object) -> Environment:
    """`known` identifies by visitor and binds; `login` binds only; `plain` neither."""
    spaces = [
        space(
            "known",
            implicit_identification=True,
            binds_visitors=True,
            anonymous_space="page",
        ),
        space("login", binds_visitors=True, anonymous_space="page"),
        space("plain", anonymous_space="page"),
        space("alone"),
    ]
    names = tuple(each.name for each in spaces)
    offers_ = [offer("card", 3, spaces=names), offer("loan", 2, spaces=names)]
    return environment(
        offers_,
        spaces=spaces,
        rules=[PresentationRule(name="twice", period_ms=10 * DAY_MS, maximum=2)],
        anonymous_environment="visitors",
        **fields,
    )


def visitors() -> Environment:
    return Environment(
        name="visitors",
        anonymous=True,
        categories=(Category(name="all"), Category(name="guests")),
        offers=(offer("hello", 1, spaces=("page",)),),
        spaces=(space("page"),),
        presentation_rules=(TWICE,),
        typologies=(Typology(name="all", rules=("twice",)),),
        typology="all",
    )


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, bank(), visitors()) as web:
        yield web


def test_an_explicit_id_wins_over_the_visitor(web: Served) -> None:
    """Even over one that is bound to somebody else."""
    web.propose("login", contact_id="ann", visitor_id="v")
    answer = web.propose("known", contact_id="bob", visitor_id="v")

    assert (answer.identification_mode, offers(answer)) == (EXPLICIT, ["card"])


def test_a_bound_visitor_is_the_contact_where_the_space_allows(web: Served) -> None:
    """And nowhere else."""
    web.propose("login", contact_id="ann", visitor_id="v")
    known = web.propose("known", visitor_id="v")
    plain = web.propose("plain", visitor_id="v", dry_run=True)
    both = web.propose("known", "plain", visitor_id="v", dry_run=True)

    assert (known.identification_mode, known.visitor_id) == (IMPLICIT, "v")
    assert offers(known) == ["card"]
    assert plain.identification_mode == ANONYMOUS
    assert both.identification_mode == ANONYMOUS


def test_an_unbound_visitor_is_a_visitor(web: Served) -> None:
    """The linked anonymous space decides, in the same call."""
    answer = web.propose("known", visitor_id="v")

    assert (answer.identification_mode, offers(answer)) == (ANONYMOUS, ["hello"])


@pytest.mark.parametrize("space_name", ["plain", "alone"])
def test_only_a_space_that_binds_binds(web: Served, space_name: str) -> None:
    """Two ids in one call are not enough."""
    web.propose(space_name, contact_id="ann", visitor_id="v")

    assert web.propose("known", visitor_id="v").identification_mode == ANONYMOUS


def test_a_dry_run_binds_nobody(web: Served) -> None:
    """It stores nothing at all."""
    web.propose("login", contact_id="ann", visitor_id="v", dry_run=True)

    assert web.propose("known", visitor_id="v").identification_mode == ANONYMOUS


def test_the_latest_binding_wins(tmp_path: Path) -> None:
    """The visitor is whoever logged in last."""
    rule = "contact.age >= 18"
    record = environment(
        [offer("wine", 1, rule=rule, spaces=("known",))],
        spaces=[space("known", implicit_identification=True, binds_visitors=True)],
    )
    with served(tmp_path, record) as web:
        web.upsert("bank", "ann", age=40)
        web.upsert("bank", "kid", age=9)
        web.propose("known", contact_id="kid", visitor_id="v")
        assert offers(web.propose("known", visitor_id="v")) == []
        web.propose("known", contact_id="ann", visitor_id="v")
        assert offers(web.propose("known", visitor_id="v")) == ["wine"]


def test_what_a_visitor_saw_counts_for_the_contact(web: Served) -> None:
    """Before it logged in, in that very call and later, and in either environment."""
    assert offers(web.propose("plain", visitor_id="v")) == ["hello"]
    # The visitor's one and this one make two: the contact has had enough.
    assert offers(web.propose("login", contact_id="ann", visitor_id="v")) == ["card"]
    assert offers(web.propose("login", contact_id="ann", visitor_id="v")) == []
    assert offers(web.propose("plain", visitor_id="v")) == []
    assert offers(web.propose("plain", contact_id="ann")) == []


def test_what_was_merged_counts_once(web: Served) -> None:
    """However often the same visitor logs in as the same contact."""
    web.propose("plain", visitor_id="v")
    for _ in range(3):
        web.propose("login", contact_id="ann", visitor_id="v")
    record = web.history.read("bank", "ann")

    assert record is not None
    assert len(record.propositions) == 2


def test_ids_of_a_visitors_propositions_live_on(web: Served) -> None:
    """What was proposed before the login can be accepted after it."""
    made = web.propose("plain", visitor_id="v").results[0].propositions[0]
    web.propose("login", contact_id="ann", visitor_id="v")
    updated = web.update(made.proposition_id, "accepted")
    record = web.history.read("bank", "ann")

    assert updated.status == pb.PROPOSITION_STATUS_ACCEPTED
    assert record is not None
    assert [p.status.name for p in record.propositions] == ["ACCEPTED", "GENERATED"]


def test_a_contact_needs_a_profile_where_the_environment_says_so(
    tmp_path: Path,
) -> None:
    """Without one it is a visitor, and nobody where there is no space for visitors."""
    with served(tmp_path, bank(requires_profile=True), visitors()) as web:
        nobody = web.propose("alone", contact_id="ann")
        visitor = web.propose("known", contact_id="ann", visitor_id="v")
        web.upsert("bank", "ann", age=40)
        known = web.propose("known", contact_id="ann", visitor_id="v")

    assert (nobody.identification_mode, offers(nobody)) == (ANONYMOUS, [])
    assert (visitor.identification_mode, offers(visitor)) == (ANONYMOUS, ["hello"])
    assert (known.identification_mode, offers(known)) == (EXPLICIT, ["card"])


def test_without_a_profile_a_contact_is_decided_for_all_the_same(web: Served) -> None:
    """Unless the environment says otherwise."""
    assert web.propose("known", contact_id="new").identification_mode == EXPLICIT


def test_names_of_both_environments_may_stand_in_one_call(web: Served) -> None:
    """Whoever decides, only what neither has is warned about."""
    request = pb.ProposeRequest(contact_id="ann")
    request.spaces.add(space="known", categories=["all", "guests", "gone"])
    answer = web.ask(request)

    assert answer.identification_mode == EXPLICIT
    assert list(answer.warnings) == ["unknown category 'gone' ignored"]


def test_nobody_at_all_is_refused_where_nobody_can_stand_in(web: Served) -> None:
    """A call must name somebody for a space that is for contacts only."""
    with pytest.raises(InvalidRequest, match="contact_id: is required"):
        web.propose("alone", contact_id="")
    assert web.propose("alone", visitor_id="v").identification_mode == ANONYMOUS
