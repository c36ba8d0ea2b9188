"""Decisions by rules over the history, and over the space decided for."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from catalog_store.records import Category, Channel, Segment, UnixMs, resource_name
from compiler.runtime.history import HISTORY_MAX
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.profiles import ProfileStore
from contact_store.records import Proposition, PropositionStatus
from server.decision_service import DecisionService, Sources
from server.engine.call import Call
from server.engine.decision import decide
from server.engine.live_catalog import LiveEnvironment
from server.wire import decision_pb2 as pb
from tests import bank
from tests.bank import NOON_MS, call, environment, live, names, offer, row, space
from tests.reference_decision import Past, Reference

CARDS = Category(name="cards", parent="all")


def _past(name: str, **fields: Any) -> Proposition:
    return bank.past(name, **fields)


def _live(folder: Path, *rules: str) -> LiveEnvironment:
    """An environment with an offer `o<n>` for each rule, heaviest first."""
    offers = [
        offer(f"o{number}", 100 - number, rule=rule)
        for number, rule in enumerate(rules)
    ]
    record = environment(
        offers,
        categories=[CARDS],
        spaces=[
            space("banner"),
            space("side", channel=Channel.MOBILE_APP),
        ],
        segments=(Segment(name="on_banner", rule="context.space == 'banner'"),),
    )
    return live(folder, record).environments["bank"]


def test_names_in_history_are_those_of_the_live_catalog(tmp_path: Path) -> None:
    """Offers, categories and spaces it has keep their names; others have none."""
    decides = _live(
        tmp_path,
        "history.exists(p, p.offer == 'o0' && p.category == 'cards')",
        "history.exists(p, p.offer == '' && p.category == '' && p.space == '')",
        "history.exists(p, p.offer == 'withdrawn')",
        "history.exists(p, p.channel == 'email' && p.status == 'scheduled')",
    )
    known = _past("o0", category="cards")
    gone = _past("withdrawn", category="gone")
    scheduled = _past("x", channel=Channel.EMAIL, status=PropositionStatus.SCHEDULED)

    assert names(decides, ("banner", 9), history=[known]) == [["o0"]]
    assert names(decides, ("banner", 9), history=[gone]) == [["o1"]]
    assert names(decides, ("banner", 9), history=[scheduled]) == [["o3"]]
    assert names(decides, ("banner", 9)) == [[]]


def test_the_space_of_a_proposition_has_its_name(tmp_path: Path) -> None:
    """History keeps where an offer was shown."""
    decides = _live(tmp_path, "history.exists(p, p.space == 'side')")
    shown = _past("o0")
    side = name_hash(resource_name("bank", "spaces", "side"))
    there = Proposition(
        **{
            name: getattr(shown, name)
            for name in shown.__struct_fields__
            if name != "space"
        },
        space=side,
    )

    assert names(decides, "banner", history=[shown]) == [[]]
    assert names(decides, "banner", history=[there]) == [["o0"]]


def test_history_is_newest_first_and_bounded(tmp_path: Path) -> None:
    """Stored in any order, the first is the newest, and the oldest are left out."""
    decides = _live(
        tmp_path,
        "history[0].offer == 'o1' && history[1].offer == 'o0'",
        f"history.size() == {HISTORY_MAX}",
        "history.exists(p, p.offer == 'o2')",
    )
    old = [_past("o2", at_ms=NOON_MS - 9_000)]
    new = [_past("o1", at_ms=NOON_MS - 1), _past("o0", at_ms=NOON_MS - 2)]
    middle = [_past("o0", at_ms=NOON_MS - 3)] * (HISTORY_MAX - 2)

    assert names(decides, ("banner", 9), history=old + new) == [["o0", "o2"]]
    assert names(decides, ("banner", 9), history=[*old, *middle, *new]) == [
        ["o0", "o1"]
    ]


def test_of_one_moment_the_last_made_comes_first(tmp_path: Path) -> None:
    """Propositions of one call share their time; their sequence tells them apart."""
    decides = _live(tmp_path, "history[0].rank == 2")
    first, second = (_ranked(sequence) for sequence in (1, 2))

    assert names(decides, "banner", history=[first, second]) == [["o0"]]
    assert names(decides, "banner", history=[second, first]) == [["o0"]]


def _ranked(number: int) -> Proposition:
    fields = {n: getattr(_past("o0"), n) for n in Proposition.__struct_fields__}
    return Proposition(**{**fields, "sequence": number, "rank": number})


def test_history_is_looked_up_only_for_rules_that_read_it(tmp_path: Path) -> None:
    """A decision that never reaches such a rule makes no names."""
    decides = _live(
        tmp_path,
        "contact.age * contact.age > 1",
        "contact.age > 2 && history.size() > 0",
    )
    asked: list[str] = []

    def decided(**fields: Any) -> Call:
        made = call(decides, ("banner", 9), history=[_past("o0")], **fields)

        def of_hash() -> dict[int, str]:
            asked.append("names")
            return {}

        return made._replace(names=made.names._replace(of_hash=of_hash))

    plain = decided(contact={"age": 5}, excluded=frozenset({"o1"}))
    decide(plain)
    assert asked == []
    decide(decided(contact={"age": 5}))
    assert asked == ["names"]


def test_context_names_the_space_and_channel_decided_for(tmp_path: Path) -> None:
    """In one call a rule can hold in one space and not in the other."""
    decides = _live(
        tmp_path,
        "context.space == 'side'",
        "context.channel == 'inbound_web'",
        "segment.on_banner",
        "!(context.channel == 'mobile_app') || context.page == 'loans'",
    )
    asked = (("banner", 9), ("side", 9), ("banner", 9))
    fields: dict[str, Any] = {"allow_duplicates": True}

    assert names(decides, *asked, **fields) == [["o1", "o2", "o3"], ["o0"], []]
    assert names(decides, *asked, page="loans", **fields) == [
        ["o1", "o2", "o3"],
        ["o0", "o3"],
        [],
    ]


def test_formulas_and_presentation_rules_know_the_space(tmp_path: Path) -> None:
    """Weights, too, are kept apart by space."""
    record = environment(
        [
            offer("a", row("context.space == 'banner' ? 3.0 : 1.0")),
            offer("b", row("double(history.size())")),
        ],
        spaces=[space("banner"), space("side")],
    )
    decides = live(tmp_path, record).environments["bank"]
    history = [_past("x"), _past("y")]
    call_ = call(decides, ("banner", 2), ("side", 2), history=history,
                 allow_duplicates=True)  # fmt: skip
    decision = decide(call_)

    assert [[(c.scored.offer.name, c.scored.weight) for c in s.chosen]
            for s in decision.spaces] == [
        [("a", 3.0), ("b", 2.0)], [("b", 2.0), ("a", 1.0)]
    ]  # fmt: skip


def test_what_a_client_accepted_changes_its_next_call(tmp_path: Path) -> None:
    """From a stored proposition to a rule that reads it, through the whole service."""
    rules = {
        "card": "!history.exists(p, p.offer == 'card' && p.status == 'accepted')",
        "insurance": "history.exists(p, p.offer == 'card' && p.space == 'banner')",
    }
    record = environment(
        [offer(name, 1, rule=rule) for name, rule in rules.items()],
    )
    catalog = live(tmp_path / "catalog", record)
    times = iter(range(NOON_MS, NOON_MS + 100_000, 1_000))
    sources = Sources(lambda: UnixMs(next(times)), lambda count: bytes(count))
    with (
        HistoryStore(tmp_path / "history") as history,
        ProfileStore(tmp_path / "profiles") as profiles,
    ):
        service = DecisionService(
            SimpleNamespace(current=catalog), history, profiles, sources
        )
        request = pb.ProposeRequest(contact_id="C1")
        request.spaces.add(space="banner", max_propositions=2)

        def proposed() -> list[pb.Proposition]:
            answer = pb.ProposeResponse.FromString(service.propose(request, "test"))
            return list(answer.results[0].propositions)

        first = proposed()
        accepted = pb.UpdatePropositionRequest(
            proposition_id=first[0].proposition_id,
            status=pb.PROPOSITION_STATUS_ACCEPTED,
        )
        service.update_proposition(accepted, "test")
        second = proposed()

    assert [one.offer for one in first] == ["card"]
    assert [one.offer for one in second] == ["insurance"]


RULES = [
    "history.exists(p, p.offer == '{offer}')",
    "history.filter(p, p.category == 'cards' && p.event_time > context.now - "
    "duration('24h')).size() < {number}",
    "!(context.channel == 'mobile_app') || history.size() > {number}",
    "context.space != 'side' && history.all(p, p.status != 'rejected')",
    "history[{number}].weight > 0.5 || contact.age > {number}",
    "segment.on_banner || history.exists(p, p.space == context.space)",
    "has(contact.job) && history[0].rank == {number}",
]


def test_decisions_agree_with_the_reference(tmp_path: Path) -> None:
    """Random rules over history and spaces: CEL itself gives the same propositions."""
    stream = Random(20260501)
    proposed = 0
    for number in range(8):
        rules = [
            stream.choice(RULES).format(
                offer=f"o{stream.randrange(6)}", number=stream.randrange(4)
            )
            for _ in range(6)
        ]
        decides = _live(tmp_path / str(number), *rules)
        reference = _reference(rules)
        for seed in range(30):
            pasts = [_random_past(stream) for _ in range(stream.randrange(5))]
            contact = {"age": stream.randrange(5)} if stream.random() < 0.7 else {}
            asked: list[tuple[str, int]] = [("banner", 2), ("side", 3), ("banner", 2)]
            expected = [
                [choice.offer for choice in choices]
                for choices in reference.decide(
                    contact, {}, pasts, asked, NOON_MS, seed
                )
            ]
            stored = [_stored(place, each) for place, each in enumerate(pasts)]
            actual = names(decides, *asked, contact=contact, history=stored, seed=seed)

            assert expected == actual, (rules, pasts, contact)
            proposed += sum(map(len, actual))

    assert proposed > 400


def _reference(rules: Sequence[str]) -> Reference:
    return Reference(
        environment(
            [offer(f"o{n}", 100 - n, rule=rule) for n, rule in enumerate(rules)],
            categories=[CARDS],
            spaces=[space("banner"), space("side", channel=Channel.MOBILE_APP)],
            segments=(Segment(name="on_banner", rule="context.space == 'banner'"),),
        )
    )


def _random_past(stream: Random) -> Past:
    return Past(
        offer=f"o{stream.randrange(7)}",
        category=stream.choice(["all", "cards", "gone"]),
        channel=stream.choice([Channel.INBOUND_WEB, Channel.MOBILE_APP]),
        status=stream.choice(["generated", "accepted", "rejected"]),
        event_time_ms=NOON_MS - stream.randrange(3) * 43_200_000,
        space=stream.choice(["banner", "side", "gone"]),
        weight=stream.choice([0.25, 1.0, 99.0]),
        rank=stream.randrange(1, 4),
    )


def _stored(place: int, each: Past) -> Proposition:
    kept = _past(
        each.offer,
        category=each.category,
        channel=Channel(each.channel),
        status=PropositionStatus[each.status.upper()],
        at_ms=each.event_time_ms,
    )
    fields = {n: getattr(kept, n) for n in Proposition.__struct_fields__}
    fields |= {"sequence": place + 1, "weight": each.weight, "rank": each.rank}
    fields["space"] = name_hash(resource_name("bank", "spaces", each.space))
    return Proposition(**fields)
