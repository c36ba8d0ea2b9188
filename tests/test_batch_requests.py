"""What a batch may be asked for: contacts, segments, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Segment,
)
from compiler.revision import compile_catalog
from compiler.source import Refused
from server.batch_translation import BATCH_CONTACTS_MAX
from server.requests import InvalidRequest, UnknownName
from server.translation import timestamp
from server.wire import decision_pb2 as pb
from tests.bank import (
    ATTRIBUTES,
    DAY_MS,
    NOON_MS,
    environment,
    offer,
)
from tests.batches import (
    DECIDED,
    batches,
    outcomes,
    varied,
)


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("older", lambda age, _: age > 50),
        ("rich", lambda _, balance: balance > 0),
        ("older_and_rich", lambda age, balance: age > 50 and balance > 0),
    ],
)
def test_a_segment_names_who_has_a_profile_and_is_in_it(
    tmp_path: Path, segment: str, expected: Any
) -> None:
    """In the order of ids, and from any id on, over more than one stretch of them."""
    with batches(tmp_path, varied()) as one:
        attributes = one.served.cell.current.environments["bank"].contact_attributes
        values = {f"c{n:04}": (20 + n * 7 % 60, n * 13 % 40 - 20) for n in range(2_500)}
        with one.served.profiles.importing("bank", attributes) as importing:
            for name, pair in values.items():
                importing.put(name, (*pair, None))
            importing.publish()
        members = [name for name, pair in values.items() if expected(*pair)]
        everybody = one.ask(segment=segment, dry_run=True)
        later = one.ask(segment=segment, after_contact_id="c1000x", dry_run=True)

    assert [each.contact_id for each in everybody] == members
    assert [each.contact_id for each in later] == [m for m in members if m > "c1000"]


def test_a_segment_may_read_the_context(tmp_path: Path) -> None:
    """That of the batch, which is everybody's."""
    with batches(tmp_path, varied()) as one:
        one.served.upsert("bank", "ann", age=30)
        home = one.ask(segment="at_home", dry_run=True, context={"page": "home"})
        nowhere = one.ask(segment="at_home", dry_run=True)

    assert (outcomes(home), nowhere) == ([("ann", DECIDED)], [])


def test_a_segment_that_is_wrong_is_told_once() -> None:
    """Though it is compiled for its users and for itself."""
    wrong = environment(
        [offer("a", 2, rule="segment.old")],
        segments=(Segment(name="old", rule="contact.agee > 50"),),
    )
    with pytest.raises(Refused) as refused:
        compile_catalog(Catalog(environments=(wrong,)))

    assert [d.source.name for d in refused.value.diagnostics] == [
        "environments/bank/segments/old:rule"
    ]


def test_segments_are_taken_from_the_revision_before() -> None:
    """A compilation that may take rules is equal to one that may not."""

    def catalog(limit: int) -> Catalog:
        old = Segment(name="old", rule=f"contact.age > {limit}")
        both = Segment(name="both", rule="segment.old && contact.balance > 0")
        return Catalog(
            environments=(environment([offer("a", 2)], segments=(old, both)),)
        )

    before = compile_catalog(catalog(50)).catalog
    for limit in (50, 60):
        afresh = compile_catalog(catalog(limit)).catalog
        assert compile_catalog(catalog(limit), before).catalog == afresh


def test_a_segment_may_read_the_history(tmp_path: Path) -> None:
    """Those who were reached before."""
    with batches(tmp_path, varied()) as one:
        for name in ("ann", "bob", "cat"):
            one.served.upsert("bank", name, age=30)
        before = one.ask(segment="reached")
        one.served.propose(contact_id="bob")
        after = one.ask(segment="reached")

    assert before == []
    assert outcomes(after) == [("bob", DECIDED)]


def test_attributes_are_what_these_tests_take_them_for() -> None:
    """The import above gives age, balance and job, in this order."""
    assert list(ATTRIBUTES) == [
        Attribute(name="age", type=AttributeType.INT),
        Attribute(name="balance", type=AttributeType.INT),
        Attribute(name="job", type=AttributeType.STRING),
    ]


REQUEST = pb.ProposeBatchRequest(
    contact_ids=["ann"], spaces=[pb.SpaceRequest(space="banner")]
)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"contact_ids": [str(n) for n in range(BATCH_CONTACTS_MAX + 1)]},
         "contact_ids: has 100001 contacts; send at most 100000 in a call"),
        ({"contact_ids": ["ann", "bob", "ann", "ann"]},
         "contact_ids[2]: is contact_ids[0] again; send each contact once;"
         " contact_ids[3]: is contact_ids[0] again; send each contact once"),
        ({"contact_ids": []},
         "contact_ids: is required: name contacts, or a segment of the environment"),
        ({"segment": "older"},
         "segment: cannot be sent with contact_ids; send one of the two"),
        ({"contact_ids": [], "segment": "oldr"},
         "segment: is an unknown segment, 'oldr'; did you mean 'older'?"),
        ({"contact_ids": [], "segment": "x" * 64},
         "segment: has 64 bytes; send at most 63"),
        ({"after_contact_id": "ann"},
         "after_contact_id: is for a segment; leave it out"),
        ({"contact_ids": [], "segment": "older", "after_contact_id": "a\0"},
         "after_contact_id: holds control characters: remove them"),
        ({"spaces": []}, "spaces: has 0 spaces; send 1 to 32"),
        ({"spaces": [pb.SpaceRequest(space="banner", max_propositions=101)]},
         "spaces[0].max_propositions: is 101; send at most 100"),
        ({"min_propositions": 2},
         "min_propositions: is 2, more than the 1 places asked for"),
        ({"on_shortfall": 7}, "on_shortfall: is not known; send BLANK or CANCEL"),
        ({"contact_time": timestamp(NOON_MS + 401 * DAY_MS)},
         "contact_time: is not between 5 minutes ago and 400 days ahead"),
        ({"contact_time": timestamp(NOON_MS - DAY_MS)},
         "contact_time: is not between 5 minutes ago and 400 days ahead"),
        ({"contact_time": {"seconds": 2**62, "nanos": -1}},
         "contact_time: is not between 5 minutes ago and 400 days ahead"),
        ({"context": {"page": 7}}, "context.page: "),
        ({"context": {"pge": "home"}}, "context.pge: "),
        ({"request_id": "x" * 129}, "request_id: has 129 bytes; send at most 128"),
        ({"environment": "x" * 64}, "environment: has 64 bytes; send at most 63"),
        ({"request_id": "x" * 129, "on_shortfall": 9, "after_contact_id": "a"},
         "request_id: has 129 bytes; send at most 128; after_contact_id: is for a"
         " segment; leave it out; on_shortfall: is not known; send BLANK or CANCEL"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_with_the_request_is_told_at_once(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    """Every mistake, with its field, before anybody is decided for."""
    request = pb.ProposeBatchRequest()
    request.CopyFrom(REQUEST)
    for name in fields:
        request.ClearField(name)
    request.MergeFrom(pb.ProposeBatchRequest(**fields))
    with batches(tmp_path, varied()) as one:
        with pytest.raises(InvalidRequest) as refused:
            one.batches.propose_batch(request, "web")

        assert str(refused.value).startswith(said)
        assert one.recorded("ann") == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"environment": "bnk"}, "unknown environment 'bnk'; did you mean 'bank'?"),
        ({"spaces": [pb.SpaceRequest(space="bannr")]},
         "unknown space 'bannr'; did you mean 'banner'?"),
    ],
)  # fmt: skip
def test_unknown_names_fail_the_whole_call(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    """As in Propose."""
    with (
        batches(tmp_path, varied()) as one,
        pytest.raises(UnknownName, match=said.replace("?", r"\?")),
    ):
        one.ask("ann", **fields)
