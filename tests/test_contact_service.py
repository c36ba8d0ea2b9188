"""ContactService: profiles from a stream and back, and what is listed of contacts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2, timestamp_pb2

from server import contact_service
from server.contact_translation import UnknownContact
from server.requests import InvalidRequest
from server.wire import contact_pb2 as pb
from tests.bank import NOON_MS, environment, offer, space
from tests.contact_admin import EVERYTHING, Admin, contact, contact_admin

DAY_MS = 86_400_000


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Admin]:
    with contact_admin(tmp_path) as made:
        yield made


def violations(error: Any) -> dict[str, str]:
    return {v.field: v.description for v in error.violations}


def test_what_is_upserted_is_read_with_its_types(admin: Admin) -> None:
    """Every type there and back; what is left out is absent."""
    answer = admin.upsert(contact("ann", EVERYTHING), contact("bob", {"job": None}))

    found = admin.get("ann")
    assert (answer.upserted_count, answer.rejected_count) == (2, 0)
    assert json_format.MessageToDict(found.contact.attributes) == EVERYTHING
    assert (found.contact.environment, found.has_profile) == ("bank", True)
    assert dict(admin.get("bob").contact.attributes.fields) == {}


def test_a_bad_contact_is_told_of_and_does_not_stop_the_others(admin: Admin) -> None:
    """With all that is wrong with it, and its place in the stream."""
    answer = admin.upsert(
        contact("ann", {"age": 30}),
        contact("bad", {"age": -1, "jobb": "x", "since": "now", "sizes": [1.5]}),
        contact("", {}),
        contact("bob", {}, "nowhere"),
        contact("cid", {"age": 31}),
    )

    found = {(one.position, one.contact_id): violations(one) for one in answer.rejects}
    assert (answer.upserted_count, answer.rejected_count) == (2, 3)
    assert found == {
        (1, "bad"): {
            "attributes.age": "-1 is below the minimum, 0",
            "attributes.jobb": "is not declared; did you mean 'job'?",
            "attributes.since": (
                "is not a timestamp; send one such as 2026-05-01T09:00:00Z"
            ),
            "attributes.sizes": (
                "is not a list(int); send a JSON list of at most 1024 such values"
            ),
        },
        (2, ""): {"contact_id": "has 0 bytes: send 1 to 256 bytes of UTF-8"},
        (3, "bob"): {
            "environment": "unknown environment 'nowhere'; there are bank, visitors"
        },
    }
    assert admin.get("cid").contact.attributes["age"] == 31


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", 1.5),
        ("age", 2.0**53 + 2),
        ("age", "9223372036854775808"),
        ("age", True),
        ("balance", "1"),
        ("balance", float("inf")),
        ("job", 1),
        ("job", "x" * 4_097),
        ("member", "yes"),
        ("since", "2020-01-01"),
        ("since", "0001-01-01T00:00:00+14:00"),
        ("wait", "90"),
        ("wait", "999999999999s"),
        ("tags", "a"),
        ("tags", [1]),
        ("tags", ["x"] * 1_025),
        ("job", {"a": 1}),
    ],
)
def test_values_that_do_not_fit(admin: Admin, name: str, value: Any) -> None:
    """Nothing is stored in their stead."""
    answer = admin.upsert(contact("ann", {name: value}))

    assert [v.field for v in answer.rejects[0].violations] == [f"attributes.{name}"]
    with pytest.raises(UnknownContact):
        admin.get("ann")


def test_a_profile_that_is_too_large_does_not_stop_its_group(admin: Admin) -> None:
    """Only the store knows the size of a whole profile."""
    large = contact("big", {"tags": ["x" * 1_000] * 100})

    answer = admin.upsert(contact("ann", {}), large, contact("bob", {}))

    assert [one.contact_id for one in answer.rejects] == ["big"]
    assert "bytes: keep it to 65536" in answer.rejects[0].violations[0].description
    assert [admin.get(one).has_profile for one in ("ann", "bob")] == [True, True]


def test_refused_contacts_are_counted_beyond_those_told_of(admin: Admin) -> None:
    """At most 100 are told of."""
    answer = admin.upsert(*[contact("", {})] * 150)

    assert (len(answer.rejects), answer.rejected_count) == (100, 150)


def test_a_message_has_at_most_a_thousand_contacts(admin: Admin) -> None:
    """More is more messages."""
    request = pb.UpsertContactsRequest(contacts=[contact("ann", {})] * 1_001)

    with pytest.raises(InvalidRequest) as raised:
        admin.service.upserts().add(request)

    assert [v.field for v in raised.value.violations] == ["contacts"]


def test_a_contact_shows_what_leads_to_it(admin: Admin) -> None:
    """Aliases and visitors, and how many propositions it has."""
    web = admin.web
    web.propose("banner", contact_id="old")
    web.propose("banner", contact_id="ann", visitor_id="v")
    admin.merge("old", "ann")

    found = admin.get("ann")

    assert not found.has_profile
    assert found.names.owner == pb.ContactName(environment="bank", contact_id="ann")
    assert {(n.environment, n.contact_id) for n in found.names.aliases} == {
        ("bank", "old"),
        ("visitors", "v"),
    }
    assert [b.visitor_id for b in found.names.bindings] == ["v"]
    assert found.names.bindings[0].bind_time.ToMilliseconds() == NOON_MS
    assert found.proposition_count == 2


def test_propositions_are_listed_newest_first_with_their_log(admin: Admin) -> None:
    """Names from the current revision, stored values, changes, times."""
    admin.upsert(contact("ann", {"job": "x"}))
    first = admin.web.propose("banner").results[0].propositions[0].proposition_id
    admin.web.clock.now_ms += 1_000
    second = admin.web.propose("side").results[0].propositions[0].proposition_id
    admin.web.update(first, "accepted")

    page = admin.page("ann")

    newest, oldest = page.propositions
    assert [newest.proposition.proposition_id, page.next_page_token] == [second, ""]
    assert oldest.proposition.proposition_id == first
    assert (oldest.proposition.offer, oldest.proposition.category) == ("card", "all")
    assert (oldest.space, oldest.environment) == ("banner", "bank")
    assert oldest.channel == "inbound_web"
    assert dict(oldest.stored.fields) == {"who": struct_pb2.Value(string_value="x")}
    assert oldest.decide_time.ToMilliseconds() == NOON_MS
    assert oldest.status == 3
    assert [change.status for change in oldest.changes] == [6, 3]
    assert oldest.changes[1].receive_time.ToMilliseconds() == NOON_MS + 1_000
    assert list(newest.changes) == []


def test_names_that_are_no_longer_published_are_numbers(admin: Admin) -> None:
    """The space can still be asked for by its name."""
    admin.web.propose("side")
    only = environment([offer("loan", spaces=("banner",))], spaces=[space("banner")])
    admin.web.publish(only)

    (listed,) = admin.page("ann", space="side").propositions

    assert [listed.proposition.offer[0], listed.space[0]] == ["~", "~"]
    assert len(listed.space) == 17
    assert listed.environment == ""
    assert listed.proposition.category == "all"
    assert list(admin.page("ann", space="banner").propositions) == []


def test_pages_and_filters(admin: Admin) -> None:
    """Every proposition on one page exactly, whatever the size of pages."""
    ids = []
    for number in range(7):
        admin.web.clock.now_ms = NOON_MS + number // 2 * 1_000
        asked = admin.web.propose("side" if number % 2 else "banner")
        ids.append(asked.results[0].propositions[0].proposition_id)
    admin.web.update(ids[3], "rejected")

    def listed(**fields: Any) -> list[int]:
        found: list[int] = []
        token = ""
        while True:
            page = admin.page("ann", page_size=2, page_token=token, **fields)
            assert len(page.propositions) <= 2
            found += [
                ids.index(p.proposition.proposition_id) for p in page.propositions
            ]
            token = page.next_page_token
            if not token:
                return found

    at = timestamp_pb2.Timestamp
    seconds = NOON_MS // 1_000
    assert listed() == [6, 5, 4, 3, 2, 1, 0]
    assert listed(space="side") == [5, 3, 1]
    assert listed(statuses=["PROPOSITION_STATUS_REJECTED"]) == [3]
    assert listed(start_time=at(seconds=seconds + 2)) == [6, 5, 4]
    assert listed(end_time=at(seconds=seconds + 1)) == [1, 0]
    assert listed(space="nowhere") == []


def test_a_page_ends_before_it_is_too_large(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many were asked for; the next page goes on."""
    admin.web.propose("banner")
    admin.web.propose("side")
    monkeypatch.setattr(contact_service, "PAGE_BYTES", 1)

    page = admin.page("ann", page_size=1_000)
    rest = admin.page("ann", page_size=1_000, page_token=page.next_page_token)

    assert [len(page.propositions), len(rest.propositions)] == [1, 1]
    assert rest.next_page_token == ""


def test_all_mistakes_of_a_listing_are_told_at_once(admin: Admin) -> None:
    """Field by field."""
    with pytest.raises(InvalidRequest) as raised:
        admin.page(
            "x" * 257,
            page_size=-1,
            page_token="x",
            space="s" * 64,
            statuses=[0],
            start_time=timestamp_pb2.Timestamp(seconds=2**60),
            end_time=timestamp_pb2.Timestamp(nanos=-1),
        )

    assert [v.field for v in raised.value.violations] == [
        "contact_id",
        "page_size",
        "page_token",
        "space",
        "statuses[0]",
        "start_time",
        "end_time",
    ]
