"""Peers do the same work, and their answers are compared before anything is timed."""

import msgspec
import pytest
from click.testing import CliRunner

from bench.peers import cel, in_process, naive, propono, same_stack, zen_table
from bench.peers.__main__ import main
from bench.peers.in_process import Measured, WrongAnswer, check
from bench.peers.installation import PACKAGES, ROOT, ZEN, NotInstalled, Package
from bench.peers.work import (
    Among,
    Between,
    Condition,
    Contact,
    Flagged,
    Known,
    Offer,
    Work,
    work,
)

ZEN_IS_THERE = (ZEN.folder / ZEN.file).exists()
#: A condition, and contacts of whom it is true and false.
EXAMPLES: list[tuple[Condition, Contact, Contact]] = [
    (Among("page", ("a",)), {"page": "a"}, {"page": "b"}),
    (Among("page", ("a", "b")), {"page": "b"}, {"page": "c"}),
    (Between("age", 30, None, False), {"age": 30}, {"age": 29}),
    (Between("risk", None, 0.5, False), {"risk": 0.49}, {"risk": 0.5}),
    (Between("age", 30, 40, False), {"age": 39}, {"age": 40}),
    (Between("tenure_days", None, 40, True), {"tenure_days": 39}, {}),
    (Between("tenure_days", -1, None, True), {"tenure_days": 0}, {}),
    (Flagged("employed", True), {"employed": True}, {"employed": False}),
    (Flagged("employed", False), {"employed": False}, {"employed": True}),
    (Known("tenure_days"), {"tenure_days": 0}, {}),
]


@pytest.mark.parametrize(("condition", "one", "other"), EXAMPLES)
def test_the_judge_is_right(condition: Condition, one: Contact, other: Contact) -> None:
    """Of each kind of condition, at its bounds, and where nothing is known."""
    assert naive.holds(condition, one)
    assert not naive.holds(condition, other)


def test_about_three_percent_are_eligible_and_every_condition_is_met() -> None:
    """The work is that of a catalog, and each kind of condition both holds and not."""
    made = work(400, 100)
    share = sum(len(naive.eligible(made.offers, c)) for c in made.contacts) / 100 / 400
    kinds = {type(one) for offer in made.offers for one in offer.conditions}

    assert 0.02 < share < 0.05
    assert kinds == {Among, Between, Flagged, Known}
    assert {len(offer.conditions) for offer in made.offers} == set(range(3, 8))
    assert len({offer.weight for offer in made.offers}) == 400
    assert made == work(400, 100)
    assert made.offers != work(400, 100, seed=2).offers


def test_cel_is_as_the_peers_read_it() -> None:
    """Numbers are doubles where they arrive so; what may be absent is asked for."""
    offer = Offer(
        "one",
        1,
        (
            Among("page", ('a"b',)),
            Among("page", ("a", "b")),
            Between("tenure_days", 30, 60, True),
            Flagged("employed", False),
        ),
    )

    assert cel.rule(offer, "P.attr", doubles=True) == (
        'P.attr.page == "a\\"b" && P.attr.page in ["a", "b"]'
        " && has(P.attr.tenure_days) && P.attr.tenure_days >= 30.0"
        " && P.attr.tenure_days < 60.0 && !P.attr.employed"
    )
    assert "tenure_days >= 30 &&" in cel.rule(offer, "contact", doubles=False)


def test_every_way_agrees_with_the_judge() -> None:
    """In one process: the engine, both loops, and ZEN where it is installed."""
    found = list(in_process.measure(work(150, 60), seconds=0))
    lines = {one.what for one in found if isinstance(one, Measured)}

    assert {"propono: a whole decision", "plain loop: every offer"} <= lines
    assert ("zen: every offer (collect)" in lines) == ZEN_IS_THERE


@pytest.mark.skipif(not ZEN_IS_THERE, reason="zen-engine is not in build/peers")
@pytest.mark.parametrize(("condition", "one", "other"), EXAMPLES)
def test_zen_reads_each_condition_so(
    condition: Condition, one: Contact, other: Contact
) -> None:
    """In a table that is long enough to be indexed."""
    never = tuple(Offer(f"o{n}", n, (Among("page", ("z",)),)) for n in range(2, 12))
    ask = zen_table.engine(Work((Offer("it", 1, (condition,)), *never), ()))

    assert ask(one) == ["it"]
    assert ask(other) == []


def test_a_wrong_answer_ends_the_benchmark() -> None:
    """Nothing is timed that was not compared."""
    with pytest.raises(WrongAnswer, match="a peer: contact 1"):
        check("a peer", lambda n: [str(n)], [1, 2], [["1"], ["1"]])


def test_what_is_not_installed_is_said() -> None:
    """With the command that installs it, and not taken for an answer."""
    package = Package("nobodys-engine", "9.9", ("false",), "engine")

    with pytest.raises(NotInstalled, match=r"9\.9 is not installed.*installation"):
        package.found()


def test_a_table_is_printed_for_each_size() -> None:
    """As JSON, with ratios, notes, and what was left out."""
    arguments = [
        "--offers",
        "40",
        "--contacts",
        "9",
        "--seconds",
        "0",
        "--in-process-only",
    ]
    done = CliRunner().invoke(main, [*arguments, "--output", "json"])
    table, notes = map(msgspec.json.decode, done.stdout.splitlines())
    lines = {line["what"]: line for line in table["results"]}

    assert done.exit_code == 0, done.output
    assert lines["propono: match and best 3"]["x propono"] == 1
    assert lines["plain loop: every offer"]["x loop"] == 1
    assert notes["notes"]
    assert ("zen-engine 2.1.3" in notes["versions"]) == ZEN_IS_THERE
    assert "grpcio 1." in notes["versions"]
    assert bool(notes["left out"]) != ZEN_IS_THERE


def test_the_page_shows_what_is_measured() -> None:
    """Every line of the tables, and the version of every peer."""
    page = (ROOT / "docs" / "performance.md").read_text()
    lines = [propono.PROFILE, propono.CALL, *same_stack.KINDS.values()]
    lines += [in_process.MATCH, in_process.PLAIN_LOOP, "cerbos, outputs", "opa, http"]

    assert [line for line in lines if f"| {line} |" not in page] == []
    assert [p for p in PACKAGES if f"{p.name} {p.version}" not in page] == []


def test_without_ghz_only_servers_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs no load is measured, and how to get ghz is said."""
    monkeypatch.setenv("PATH", "")
    arguments = ["--offers", "40", "--contacts", "9", "--seconds", "0"]
    done = CliRunner().invoke(main, [*arguments, "--output", "json"])
    table, notes = map(msgspec.json.decode, done.stdout.splitlines())

    assert done.exit_code == 0, done.output
    assert table["title"] == "40 offers, in one process"
    assert "servers: ghz is not on the PATH" in notes["left out"][-1]
