"""`propono contacts show, propositions, delete, merge`, against a server."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from server.contact_service import FINAL_DAYS
from tests.servers import DEADLINE_SECONDS, PROPONO, ROOT, Server, run


@pytest.fixture(scope="module", autouse=True)
def own_contacts(
    bank: Server, bank_contacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """C100101 to C100199: nobody else proposes to them, so that counts are ours."""
    path = tmp_path_factory.mktemp("own") / "clients.csv"
    lines = bank_contacts.read_text().splitlines(keepends=True)
    chosen = [line for line in lines if line.startswith("C0001")]
    path.write_text(lines[0] + "".join(f"C1{line[2:]}" for line in chosen))
    run(
        *("contacts", "import", path, "--environment", "recipient"),
        *("--key", "client", "--data", bank.data),
    )


def ask(bank: Server, *arguments: str, status: int = 0) -> str:
    options = ("--admin-server", bank.admin, "--data", bank.data)
    return run("contacts", *arguments, *options, status=status)


def proposed(bank: Server, contact: str, **options: str) -> str:
    """A proposition to a contact; its id."""
    asked = ["propose", "--space", "web_home_hero", "--contact", contact]
    asked += [word for name, text in options.items() for word in (f"--{name}", text)]
    answer = json.loads(run(*asked, "--server", bank.decisions, "--output", "json"))
    return answer["results"][0]["propositions"][0]["proposition_id"]


def as_json(bank: Server, *arguments: str) -> Any:
    return json.loads(ask(bank, *arguments, "--output", "json"))


def test_a_contact_is_shown_as_tables_and_as_json(bank: Server) -> None:
    """Profile, names and newest propositions."""
    proposition_id = proposed(bank, "C100101")

    table = ask(bank, "show", "C100101")
    found = as_json(bank, "show", "C100101", "--environment", "recipient")

    assert "job" in table
    assert proposition_id in table
    assert found["contact"]["attributes"]["age"] > 0
    assert found["names"]["owner"]["contact_id"] == "C100101"
    assert len(found["newest_propositions"]) == int(found["proposition_count"]) == 1


def test_propositions_are_listed_and_filtered(bank: Server) -> None:
    """By status; --max cuts."""
    ids = [proposed(bank, "C100102") for _ in range(3)]
    run("update", ids[1], "accepted", "--server", bank.decisions)

    listed = as_json(bank, "propositions", "C100102")
    accepted = as_json(bank, "propositions", "C100102", "--status", "accepted")
    table = ask(bank, "propositions", "C100102", "--max", "2")

    assert [p["proposition"]["proposition_id"] for p in listed] == ids[::-1]
    assert [p["proposition"]["proposition_id"] for p in accepted] == [ids[1]]
    assert ids[0] not in table
    assert "the newest 2; there are more" in table


def test_a_merge_and_an_erasure(bank: Server) -> None:
    """The alias erases the whole contact; again there is nothing."""
    proposed(bank, "C100103")
    proposed(bank, "C100104")

    merged = ask(bank, "merge", "C100103", "C100104")
    receipt = as_json(bank, "delete", "C100103", "--yes")
    again = ask(bank, "delete", "C100104", "--yes", status=1)

    assert "C100103" in merged
    assert receipt["counts"]["propositions"] == "2"
    assert receipt["counts"]["profiles"] == "2"
    assert receipt["receipt_id"]
    assert again.startswith("NOT_FOUND: nothing is known of contact 'C100104'")


@pytest.mark.parametrize(("answer", "status"), [("n\n", 1), ("y\n", 0)])
def test_an_erasure_asks_first(bank: Server, answer: str, status: int) -> None:
    """And lists what would go; without a yes nothing does."""
    contact = f"C10010{5 + status}"
    proposed(bank, contact)
    options = ("--admin-server", bank.admin, "--data", str(bank.data))
    done = subprocess.run(
        [str(PROPONO), "contacts", "delete", contact, *options],
        input=answer,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        cwd=ROOT,
    )

    assert done.returncode == status, done.stderr
    assert "1  propositions" in done.stderr
    assert f"known as {contact} (recipient)" in done.stderr
    assert ("receipt" in done.stdout) == (status == 0)
    left = ask(bank, "show", contact, status=0 if status else 1)
    assert ("NOT_FOUND" in left) == (status == 0)


def test_what_is_wrong_is_said(bank: Server, tmp_path: Path) -> None:
    """Unknown contacts, statuses and tokens."""
    unknown = ask(bank, "show", "nobody", status=1)
    status = ask(bank, "propositions", "C100101", "--status", "loved", status=2)
    token = tmp_path / "token"
    token.write_text("wrong")
    refused = run(
        *("contacts", "show", "C100101", "--admin-server", bank.admin),
        *("--token-file", token),
        status=1,
    )
    missing = run("contacts", "show", "C100101", "--data", tmp_path, status=1)

    assert unknown.startswith("NOT_FOUND")
    assert "'loved' is not a status" in status
    assert refused.startswith("UNAUTHENTICATED")
    assert "with --data, or a token with --token or --token-file" in missing


def test_the_commands_of_the_document_run(bank: Server) -> None:
    """As written, one after the other."""
    text = (ROOT / "docs" / "contacts.md").read_text()
    commands = re.findall(r"^propono (contacts .*)$", text, re.M)
    for contact in ("C000007", "C000042"):
        proposed(bank, contact)

    for command in commands:
        ask(bank, *command.split()[1:])

    assert len(commands) == 5
    assert f"{FINAL_DAYS} days later" in text
