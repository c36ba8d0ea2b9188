"""ProposeBatch in this process: the same decisions as Propose, and who is left out."""

from itertools import count
from pathlib import Path
from typing import Any

import lmdb
import pytest

from catalog_store.records import (
    ContentField,
    Environment,
    PresentationRule,
    UnixMs,
)
from contact_store.errors import RequestIdReused
from contact_store.records import PROPOSITIONS_MAX
from server.batch_pace import GROUP_MAX
from server.translation import timestamp
from server.wire import decision_pb2 as pb
from tests.bank import (
    DAY_MS,
    NOON_MS,
    environment,
    offer,
    past,
    row,
    space,
    window,
)
from tests.batches import (
    CANCELED,
    DECIDED,
    EXCLUDED,
    FAILED,
    SPACES,
    batches,
    outcomes,
    people,
    proposed,
    varied,
)
from tests.services import offers, served


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("days", [0, 3, 400])
def test_a_batch_decides_as_propose_does(
    tmp_path: Path, dry_run: bool, days: int
) -> None:
    """For each contact, byte for byte, given the same seed, context and time."""
    at_ms = NOON_MS + days * DAY_MS
    fields: dict[str, Any] = {
        "spaces": SPACES,
        "context": {"page": "home"},
        "excluded_offers": ["equal4", "none"],
    }
    with (
        batches(tmp_path / "batch", varied()) as one,
        served(tmp_path / "calls", varied()) as calls,
    ):
        ids = people(one.served, 60)
        people(calls, 60)
        decisions = one.ask(*ids, at_ms=at_ms, dry_run=dry_run, **fields)
        for each in decisions:
            request = pb.ProposeRequest(
                contact_id=each.contact_id,
                contact_time=timestamp(at_ms),
                dry_run=True,
                **fields,
            )
            expected = proposed(calls, request, each.decision.interaction_id)
            for result in each.decision.results:
                for proposition in result.propositions:
                    assert bool(proposition.proposition_id) != dry_run
                    proposition.proposition_id = ""

            assert expected == each.decision
    assert len({tuple(offers(each.decision)) for each in decisions}) > 20


def test_what_is_recorded_is_what_was_answered(tmp_path: Path) -> None:
    """Ids, event times and the interaction that seeded the draw."""
    with batches(tmp_path, varied()) as one:
        at_ms = NOON_MS + 30 * DAY_MS
        (ann,) = one.ask("ann", spaces=SPACES, at_ms=at_ms)
        record = one.served.history.read("bank", "ann")
        with one.served.history.transaction() as txn:
            made = [p for result in ann.decision.results for p in result.propositions]
            found = [txn.find(p.proposition_id).proposition for p in made]

    assert record is not None
    assert found == list(record.propositions)
    assert {p.event_time_ms for p in found} == {at_ms}
    assert {p.decided_at_ms for p in found} == {NOON_MS}
    assert {f"{p.interaction:016x}" for p in found} == {ann.decision.interaction_id}


def capped(maximum: int) -> Environment:
    """One offer, at most so often within a week."""
    rule = PresentationRule(name="cap", period_ms=7 * DAY_MS, maximum=maximum)
    return environment([offer("card", 2)], rules=(rule,))


def test_caps_hold_across_batches_and_calls(tmp_path: Path) -> None:
    """Whichever comes first counts for the other."""
    with batches(tmp_path, capped(2)) as one:
        first = offers(one.served.propose())
        second = [offers(each.decision) for each in one.ask("ann", "bob")]
        third = offers(one.served.propose())
        fourth = [offers(each.decision) for each in one.ask("ann", "bob")]

    assert (first, second) == (["card"], [["card"], ["card"]])
    assert (third, fourth) == ([], [[], ["card"]])


def test_the_contact_time_moves_windows_and_periods(tmp_path: Path) -> None:
    """Far ahead the cap of this week is free, and another offer is in its window."""
    dated = [
        offer("now", row(1, window=window(None, NOON_MS + DAY_MS))),
        offer("later", row(1, window=window(NOON_MS + DAY_MS, None))),
    ]
    rule = PresentationRule(name="cap", period_ms=7 * DAY_MS, maximum=1)
    with batches(tmp_path, environment(dated, rules=(rule,))) as one:
        answered = [
            offers(one.ask("ann", at_ms=NOON_MS + days * DAY_MS)[0].decision)
            for days in (0, 3, 8, 400, 394, 300)
        ]

    assert answered == [["now"], [], ["later"], ["later"], [], ["later"]]


@pytest.mark.parametrize("dry_run", [False, True])
def test_who_gets_too_little_is_left_out_and_not_recorded(
    tmp_path: Path, dry_run: bool
) -> None:
    """Fewer than asked for over all spaces: EXCLUDED; a place blank: CANCELED."""
    two = environment([offer("a", 2), offer("b", 1, rule="contact.age > 30")])
    with batches(tmp_path, two) as one:
        one.served.upsert("bank", "old", age=40)
        fields: dict[str, Any] = {"spaces": SPACES[1:], "dry_run": dry_run}
        cancel = {**fields, "on_shortfall": pb.ON_SHORTFALL_CANCEL}
        excluded = one.ask("old", "ann", min_propositions=2, request_id="1", **fields)
        recorded = [one.recorded(name) for name in ("old", "ann")]
        canceled = one.ask("bob", "ann", request_id="2", **cancel)
        both = one.ask("ann", min_propositions=2, **cancel)
        blank = one.ask("ann", on_shortfall=pb.ON_SHORTFALL_BLANK, **fields)

        assert outcomes(excluded) == [("old", DECIDED), ("ann", EXCLUDED)]
        assert recorded == ([0, 0] if dry_run else [2, 0])
        assert outcomes(canceled) == [("bob", CANCELED), ("ann", CANCELED)]
        assert outcomes(both) == [("ann", EXCLUDED)]
        assert not any(each.HasField("decision") for each in (*canceled, *both))
        assert [one.recorded(name) for name in ("bob",)] == [0]
        assert outcomes(blank) == [("ann", DECIDED)]
        assert offers(blank[0].decision) == ["a"]


def test_a_space_that_is_unknown_is_not_filled(tmp_path: Path) -> None:
    """It is reported in its place, and cancels whoever must have all of them."""
    spaces = [pb.SpaceRequest(space="banner"), pb.SpaceRequest(space="bannr")]
    with batches(tmp_path, environment([offer("a", 2)])) as one:
        (blank,) = one.ask("ann", spaces=spaces)
        (canceled,) = one.ask("bob", spaces=spaces, on_shortfall=pb.ON_SHORTFALL_CANCEL)

    reasons = [result.shortfall_reason for result in blank.decision.results]
    assert reasons == [0, pb.SHORTFALL_REASON_UNKNOWN_SPACE]
    assert canceled.outcome == CANCELED


def test_a_retry_is_answered_the_same_and_goes_on(tmp_path: Path) -> None:
    """Recorded contacts as they were, with their ids; the others are decided now."""
    with batches(tmp_path, varied()) as one:
        first = one.ask("a", "b", "c", spaces=SPACES, request_id="r")
        one.served.clock.now_ms = UnixMs(NOON_MS + 60_000)
        again = one.ask("b", "c", "d", spaces=SPACES, request_id="r")
        other = one.ask("a", spaces=SPACES, request_id="s")

        assert again[:2] == first[1:]
        assert [one.recorded(name) for name in "abcd"] == [10, 5, 5, 5]
        assert other[0].decision.interaction_id != first[0].decision.interaction_id


def test_an_interrupted_batch_keeps_what_it_answered(tmp_path: Path) -> None:
    """And the same request goes on from there, deciding nobody twice."""
    with batches(tmp_path, varied()) as one:
        ids = people(one.served, 40)
        request = one.request(*ids, request_id="r")
        answers = one.answers(request)
        first = next(answers) + next(answers)
        answers.close()
        recorded = sum(map(one.recorded, ids))
        again = [each for answer in one.answers(request) for each in answer]

        assert recorded == len(first) < len(ids)
        assert again[: len(first)] == first
        assert [each.contact_id for each in again] == ids
        assert [one.recorded(contact_id) for contact_id in ids] == [1] * 40


@pytest.mark.parametrize(
    "other",
    [
        {"min_propositions": 1},
        {"on_shortfall": pb.ON_SHORTFALL_CANCEL},
        {"at_ms": NOON_MS + DAY_MS},
        {"spaces": SPACES},
        {"excluded_offers": ["a"]},
        {"allow_duplicates": True},
        {"context": {"page": "home"}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_request_id_of_another_batch_is_refused(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    """Before anybody is decided, also where no contact is in both."""
    with batches(tmp_path, environment([offer("a", 2)])) as one:
        one.ask("ann", request_id="r")
        with pytest.raises(RequestIdReused):
            one.ask("bob", request_id="r", **other)

        assert one.recorded("bob") == 0


def test_what_is_wrong_with_one_contact_is_told_and_the_rest_go_on(
    tmp_path: Path,
) -> None:
    """No id, or a history that is full: FAILED, in words, and nothing is recorded."""
    with batches(tmp_path, environment([offer("a", 2)])) as one:
        with one.served.history.transaction() as txn:
            txn.append("bank", "full", *[past("a")] * PROPOSITIONS_MAX)
        asked = ["ann", "nul\0", "x" * 257, "full", "bob", ""]
        decisions = one.ask(*asked)
        dry = one.ask(*asked, dry_run=True)

        expected = [DECIDED, FAILED, FAILED, FAILED, DECIDED, FAILED]
        assert outcomes(decisions) == list(zip(asked, expected, strict=True))
        assert [each.error for each in decisions] == [
            "",
            "contact_id holds control characters: remove them",
            "contact_id has 257 bytes: send 1 to 256 bytes of UTF-8",
            "the contact has 16384 propositions of at most 16384",
            "",
            "contact_id has 0 bytes: send 1 to 256 bytes of UTF-8",
        ]
        # What is not recorded needs no room.
        assert [each.outcome for each in dry][3] == DECIDED
        recorded = [one.recorded(name) for name in ("ann", "full", "bob")]
        assert recorded == [1, PROPOSITIONS_MAX, 1]


def test_a_damaged_contact_takes_nobody_along(tmp_path: Path) -> None:
    """The group is recorded without it."""
    with batches(tmp_path, environment([offer("a", 2)])) as one:
        one.ask("bad")
        one.served.history.close()
        _damage_records(tmp_path / "history")
    with batches(tmp_path, environment([offer("a", 2)])) as one:
        decisions = one.ask("ann", "bad", "bob", request_id="r")

        expected = [("ann", DECIDED), ("bad", FAILED), ("bob", DECIDED)]
        assert outcomes(decisions) == expected
        assert "is damaged" in decisions[1].error
        assert [one.recorded(name) for name in ("ann", "bob")] == [1, 1]


def test_an_answer_that_cannot_be_kept_is_not_recorded(tmp_path: Path) -> None:
    """It is larger than what a retry could be given again: FAILED, in words."""
    much = {"title": "x" * 4_000}
    shown = space("banner", fields=(ContentField(name="title"),))
    large = environment(
        [offer(f"o{n}", 2, content=much, spaces=("banner",)) for n in range(300)],
        spaces=[shown],
    )
    asked = pb.SpaceRequest(space="banner", max_propositions=100)
    with batches(tmp_path, large) as one:
        one.ask("ann")
        (kept,) = one.ask("ann", spaces=[asked] * 2, request_id="r")
        (failed,) = one.ask("bob", spaces=[asked] * 3, request_id="s")

        assert kept.outcome == DECIDED
        assert failed.outcome == FAILED
        assert failed.error.endswith(": ask for fewer propositions")
        assert [one.recorded(name) for name in ("ann", "bob")] == [201, 0]


def _damage_records(path: Path) -> None:
    """Flip the last bit of every record there is."""
    with lmdb.open(str(path), max_dbs=64) as lmdb_env:
        records = lmdb_env.open_db(b"records")
        with lmdb_env.begin(write=True) as txn:
            for key, value in list(txn.cursor(db=records)):
                txn.put(key, value[:-1] + bytes([value[-1] ^ 1]), db=records)


def test_what_is_published_meanwhile_decides_the_next_group(tmp_path: Path) -> None:
    """An offer that was withdrawn is not proposed to the rest."""
    with batches(tmp_path, environment([offer("a", 2)])) as one:
        ids = [str(n) for n in range(20)]
        answers = one.answers(one.request(*ids))
        first = next(answers)
        one.served.publish(environment([offer("b", 2)]))
        rest = [each for answer in answers for each in answer]

    assert {offers(each.decision)[0] for each in first} == {"a"}
    assert {offers(each.decision)[0] for each in rest} == {"b"}
    assert len(first) + len(rest) == len(ids)


def test_groups_grow_while_they_are_quick_and_end_when_they_are_not(
    tmp_path: Path,
) -> None:
    """Others wait for a group: it is a few contacts at first, and never many."""
    ids = [str(n) for n in range(300)]
    with batches(tmp_path / "quick", environment([offer("a", 2)])) as one:
        quick = [len(answer) for answer in one.answers(one.request(*ids))]
    ticks = count()
    with batches(
        tmp_path / "slow",
        environment([offer("a", 2)]),
        seconds=lambda: next(ticks) * 0.002,
    ) as one:
        answers = list(one.answers(one.request(*ids)))
    slow = [len(answer) for answer in answers]

    assert quick == [4, 8, 16, 32, *[GROUP_MAX] * 3, 48]
    assert [each.contact_id for answer in answers for each in answer] == ids
    assert max(slow) <= 2


def test_contacts_of_an_anonymous_environment_are_visitors(tmp_path: Path) -> None:
    """Decided by their ids there; history and profile are the visitor's."""
    visitors = environment([offer("a", 2)])
    visitors = type(visitors)(
        **{
            **{name: getattr(visitors, name) for name in visitors.__struct_fields__},
            "name": "visitors",
            "anonymous": True,
        }
    )
    with batches(tmp_path, visitors) as one:
        (cookie,) = one.ask("cookie")

        assert cookie.decision.visitor_id == "cookie"
        assert cookie.decision.identification_mode == (pb.IDENTIFICATION_MODE_ANONYMOUS)
        assert one.recorded("cookie", "visitors") == 1


def test_where_a_profile_is_required_others_are_nobody(tmp_path: Path) -> None:
    """They get nothing, no visitor stands in, and nothing is recorded of them."""
    strict = environment([offer("a", 2)], requires_profile=True)
    with batches(tmp_path, strict) as one:
        one.served.upsert("bank", "ann", age=30)
        ann, bob = one.ask("ann", "bob")
        (excluded,) = one.ask("bob", min_propositions=1)

        assert offers(ann.decision) == ["a"]
        assert offers(bob.decision) == []
        assert bob.decision.results[0].shortfall_reason == (
            pb.SHORTFALL_REASON_NOT_IDENTIFIED
        )
        assert excluded.outcome == EXCLUDED
        assert one.recorded("bob") == 0


def test_spaces_that_do_not_record_keep_nothing(tmp_path: Path) -> None:
    """Nor an answer: a retry decides afresh."""
    silent = environment(
        [offer("a", 2, spaces=("banner",))],
        spaces=[space("banner", recording=False)],
    )
    with batches(tmp_path, silent) as one:
        first, again = (one.ask("ann", request_id="r")[0] for _ in range(2))

        assert offers(first.decision) == ["a"]
        assert first.decision.interaction_id != again.decision.interaction_id
        assert one.recorded("ann") == 0
