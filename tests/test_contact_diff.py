"""`propono catalog diff --contacts`: who would gain and lose which offer."""

import json
import shutil
from pathlib import Path

import pytest

from server.contact_differences import Asked, Side, Tally, difference
from tests.bank import NOON_MS, environment, live, names, offer, row
from tests.servers import BANK, BANK_DATA, run

CONTACTS = """id,age,balance,job,default
a,46,52000,management,false
b,30,6000,services,false
c,19,300,student,false
d,50,90000,retired,true
e,x,1,services,false
"""
FIELDS = ("gained", "lost", "up", "down")


@pytest.mark.parametrize("places", [1, 2, 3, 6])
def test_an_offer_counts_that_some_draw_shows(tmp_path: Path, places: int) -> None:
    """And no other; its rank is the best that it is ever drawn for."""
    weights = {"a": 5, "b": 3, "c": 3, "d": 3, "e": 2, "f": 2}
    offers = [offer(name, weight) for name, weight in weights.items()]
    decides = live(tmp_path, environment(offers)).environments["bank"]
    best: dict[str, int] = {}
    for seed in range(300):
        (drawn,) = names(decides, ("banner", places), seed=seed)
        for rank, name in enumerate(drawn, start=1):
            best[name] = min(rank, best.get(name, rank))

    assert Side(decides, Asked("banner", places, {}, NOON_MS)).shown({}) == best


def test_what_the_draw_alone_changes_is_no_difference(tmp_path: Path) -> None:
    """Another order of the same offers draws otherwise, and nobody gains or loses."""
    offers = [offer(name, 3) for name in ("a", "b", "c")]
    asked = Asked("banner", 1, {}, NOON_MS)
    sides = [
        Side(live(tmp_path / key, environment(order)).environments["bank"], asked)
        for key, order in (("one", offers), ("two", offers[::-1]))
    ]

    assert difference(*(side.shown({}) for side in sides)) is None


def test_contacts_are_counted_by_offer(tmp_path: Path) -> None:
    """Each by what becomes of it for each of them."""
    gold = offer("gold", row(9, rule="contact.age > 30"))
    first = environment([gold, offer("blue", 5), offer("red", 3)])
    second = environment([offer("gold", 2), offer("blue", 5), offer("red", 6)])
    asked = Asked("banner", 2, {}, NOON_MS)
    sides = [
        Side(live(tmp_path / key, record).environments["bank"], asked)
        for key, record in (("one", first), ("two", second))
    ]
    tally = Tally()
    for age in (20, 40, 50):
        before, after = (side.shown({"age": age}) for side in sides)
        tally.add(before, after, difference(before, after))
    counts = {
        name: tuple(getattr(one, kind) for kind in ("before", "after", *FIELDS))
        for name, one in tally.offers.items()
    }

    assert (tally.contacts, tally.changed) == (3, 3)
    assert counts == {
        "gold": (2, 0, 0, 2, 0, 0),
        "blue": (3, 3, 0, 0, 0, 1),
        "red": (1, 3, 2, 0, 1, 0),
    }
    assert tally.offers["blue"].unchanged == 2


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The bank with a lighter platinum card, and a file of contacts."""
    shutil.copytree(BANK, tmp_path / "edited")
    cards = tmp_path / "edited" / "recipient" / "offers" / "cards.yaml"
    cards.write_text(cards.read_text().replace("{weight: 85, rule", "{weight: 1, rule"))
    text = cards.read_text().replace("- {weight: 70}", "- {weight: 1}")
    cards.write_text(text)
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    return tmp_path


def diff(files: Path, *options: object, status: int = 0) -> str:
    return run(
        *("catalog", "diff", BANK, files / "edited"),
        *("--contacts", files / "contacts.csv", "--key", "id"),
        *("--space", "web_home_hero", "--at", "2026-09-01T10:00+00:00"),
        *("--context", "page=travel", *options),
        status=status,
    )


def test_it_tells_who_gains_and_who_loses(files: Path) -> None:
    """Offer by offer, and contact by contact in a file; bad rows are left out."""
    details = files / "details.jsonl"
    said = json.loads(diff(files, "--output", "json", "--max", 2, "--details", details))
    by_offer = {one["offer"]: one for one in said["offers"]}
    lines = [json.loads(line) for line in details.read_text().splitlines()]

    assert (said["contacts"], said["changed"], said["rejected_rows"]) == (4, 1, 1)
    assert by_offer["platinum_card"]["lost"] == 1
    assert [line["contact"] for line in lines] == ["a"]
    assert lines[0]["lost"] == ["platinum_card"]
    for kind in FIELDS:
        assert sum(one[kind] for one in by_offer.values()) == sum(
            len(line[kind]) for line in lines
        )


def test_it_is_shown_as_a_table(files: Path) -> None:
    """With how many see something else."""
    said = diff(files, "--max", 2)

    assert "platinum_card" in said
    assert "1 of 4 contacts see something else; 1 rows were left out" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--space", "nowhere"), "has no space 'nowhere'; known: web_home_hero"),
        (("-e", "clients"), "no environment 'clients': name one of"),
        (("--contacts", "{tmp}/none.csv"), "no such file"),
        (("--context", "pagee=1"), "context.pagee is not declared"),
        (("--key", "number"), "no column 'number' for the key"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    files: Path, options: tuple[str, ...], said: str
) -> None:
    """With what to write instead."""
    given = [option.replace("{tmp}", str(files)) for option in options]

    assert said in diff(files, *given, status=1)


def test_contacts_need_a_space(files: Path) -> None:
    """One without the other is wrong usage."""
    contacts = ("--contacts", files / "contacts.csv")
    said = run("catalog", "diff", BANK, files / "edited", *contacts, status=2)
    assert "--contacts and --space go together" in said
    said = run("catalog", "diff", BANK, BANK, "--space", "web_home_hero", status=2)
    assert "--contacts and --space go together" in said


@pytest.mark.skipif(not BANK_DATA.exists(), reason=f"{BANK_DATA} is not there")
def test_a_whole_bank_is_compared(files: Path) -> None:
    """Clients of its whole campaign, by the number of their rows.

    Every fifth: test_served_bank.py reads all of them, and these are decided for twice.
    """
    header, *rows = BANK_DATA.read_text().splitlines(keepends=True)
    (files / "bank.csv").write_text(header + "".join(rows[::5]))
    said = run(
        *("catalog", "diff", BANK, files / "edited"),
        *("--contacts", files / "bank.csv"),
        *("--space", "web_home_hero", "--max", 3, "--output", "json"),
    )

    assert json.loads(said)["contacts"] == 9_043
