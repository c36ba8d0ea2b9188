"""`propono audit`, and commands that change a data folder themselves."""

import json
import subprocess
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

import pytest

from server.audit.entries import ASKED, Entry
from server.audit.log import AuditLog, log_files
from server.audit.reading import read_log
from tests.quota_bank import bank as quota_bank
from tests.quota_bank import quota
from tests.servers import BANK, DEADLINE_SECONDS, PROPONO, Server, run
from tests.services import served

CREATE = ("tokens", "create", "--role", "auditor", "--name", "eve")


def shown(data: Path, *options: object) -> list[dict[str, object]]:
    text = run("audit", "show", "--data", data, "--output", "json", *options)
    return json.loads(text)


def write(data: Path, *entries: dict[str, object]) -> None:
    log = AuditLog(data / "audit", lambda: 0)
    for fields in entries:
        known = {"at": datetime(2026, 5, 31, tzinfo=UTC), "method": "/a.B/Publish"}
        log.record(Entry(**{**known, "result": "OK", **fields}))  # type: ignore[arg-type]


def test_access_that_is_given_and_taken_is_in_the_log(tmp_path: Path) -> None:
    """By whom, to whom and as what; what is refused too, and no secret."""
    text = run(*CREATE, "--data", tmp_path).strip()
    token_id = text.split("_")[1]
    run("tokens", "revoke", token_id, "--data", tmp_path)
    run("tokens", "revoke", token_id, "--data", tmp_path, status=1)
    add = ("--role", "auditor", "--name", "web", "--data", tmp_path)
    run("identities", "add", "spiffe://bank/web", *add)
    run("identities", "remove", "spiffe://bank/web", "--data", tmp_path)
    created, revoked, refused, added, removed = shown(tmp_path)

    assert created["who"] == getuser()
    assert created["method"] == "propono tokens create"
    assert created["after"]["role"] == "auditor"  # type: ignore[index]
    assert revoked["before"] == created["after"]
    assert (refused["resource"], refused["result"]) == (f"tokens/{token_id}", "FAILED")
    assert added["after"] == removed["before"]
    assert text.split("_")[2] not in str(shown(tmp_path))


def test_publishing_from_files_is_in_the_log(tmp_path: Path) -> None:
    """With the revision that came of it; and a rollback, and what failed."""
    run("catalog", "publish", BANK, "--data", tmp_path)
    run("catalog", "rollback", 1, "--data", tmp_path)
    run("catalog", "rollback", 9, "--data", tmp_path, status=1)
    (tmp_path / "bad").mkdir()
    run("catalog", "publish", tmp_path / "bad", "--data", tmp_path, status=1)
    rows = shown(tmp_path)

    assert [(r["method"], r["resource"], r["result"]) for r in rows] == [
        ("propono catalog publish", "revisions/1", "OK"),
        ("propono catalog rollback", "revisions/2", "OK"),
        ("propono catalog rollback", "revisions/9", "FAILED"),
        ("propono catalog publish", "revisions", "FAILED"),
    ]
    assert rows[1]["after"]["repeats"] == 1  # type: ignore[index]


def test_an_import_is_in_the_log_without_its_contacts(
    tmp_path: Path, bank_contacts: Path
) -> None:
    """How many they were."""
    run("catalog", "publish", BANK, "--data", tmp_path)
    key = ("--environment", "recipient", "--key", "client")
    run("contacts", "import", bank_contacts, *key, "--data", tmp_path)
    entry = shown(tmp_path)[-1]

    assert entry["resource"] == "environments/recipient"
    assert entry["after"] == {"contacts": 2_000, "rejected_rows": 0}


def test_an_erasure_is_in_the_log_with_its_receipt(bank: Server) -> None:
    """And with nothing that names the contact."""
    header = "id,age\nerased-and-forgotten,33\n"
    file = bank.data / "one.csv"
    file.write_text(header)
    options = ("--environment", "recipient", "--data", bank.data)
    run("contacts", "import", file, "--key", "id", *options)
    contact = ("erased-and-forgotten", *options, "--admin-server", bank.admin)
    gone = json.loads(run("contacts", "delete", *contact, "--yes", "--output", "json"))
    entry = shown(bank.data)[-1]
    text = b"".join(path.read_bytes() for path in log_files(bank.data / "audit"))

    assert (entry["who"], entry["role"]) == ("admin", "administrator")
    assert entry["known_by"] == "admin.token"
    assert entry["after"]["receipt_id"] == gone["receipt_id"]  # type: ignore[index]
    assert b"erased-and-forgotten" not in text


def test_a_change_is_shown_once_with_how_it_ended(tmp_path: Path) -> None:
    """One of which nobody knows that stays ASKED, in its place."""
    write(
        tmp_path,
        {"who": "ann", "result": ASKED},
        {"who": "bob", "result": ASKED},
        {"who": "ann", "asked": 1},
        {"who": "", "result": "UNAUTHENTICATED", "count": 7},
    )

    assert [(r["number"], r.get("who", ""), r["result"]) for r in shown(tmp_path)] == [
        (2, "bob", ASKED),
        (3, "ann", "OK"),
        (4, "", "UNAUTHENTICATED"),
    ]
    table = run("audit", "show", "--data", tmp_path)
    assert "UNAUTHENTICATED x 7" in table
    assert "Publish" in table


def test_what_is_shown_can_be_chosen(tmp_path: Path) -> None:
    """By time, in UTC or not, by name, and the newest only."""
    moments = [datetime(2026, 5, day, 12, tzinfo=UTC) for day in (1, 2, 3)]
    write(tmp_path, *({"who": "ann", "at": moment} for moment in moments))
    write(tmp_path, {"who": "bob", "at": moments[2]})

    def numbers(*options: object) -> list[object]:
        return [row["number"] for row in shown(tmp_path, *options)]

    assert numbers("--since", "2026-05-02") == [2, 3, 4]
    assert numbers("--since", "2026-05-02T14:00:01+02:00") == [3, 4]
    assert numbers("--who", "ann", "--last", 2) == [2, 3]
    assert numbers("--who", "nobody") == []
    said = run("audit", "show", "--since", "may", "--data", tmp_path, status=2)
    assert "2026-05-31T09:30:00Z" in said


def test_verify_says_where_the_log_is_broken(tmp_path: Path) -> None:
    """The first line, by file and number; what is in front of it is still shown."""
    write(tmp_path, *({"who": f"n{number}"} for number in range(5)))
    path = log_files(tmp_path / "audit")[0]
    whole = path.read_text()
    path.write_text(whole.replace('"who":"n2"', '"who":"n9"'))
    said = run("audit", "verify", "--data", tmp_path, status=1)
    listed = subprocess.run(
        [PROPONO, "audit", "show", "--data", tmp_path, "--output", "json"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )

    assert said.startswith(f"broken: {path}:4: does not follow the line before")
    assert [row["number"] for row in json.loads(listed.stdout)] == [1, 2, 3]
    assert listed.returncode == 1
    assert "nothing behind it is shown" in listed.stderr


def test_verify_finds_an_end_that_was_cut_off(tmp_path: Path) -> None:
    """By a hash that it printed earlier: the chain alone cannot show it."""
    data = ("--data", tmp_path)
    assert "nothing is written" in run("audit", "verify", *data)
    write(tmp_path, *({} for _ in range(5)))
    printed = json.loads(run("audit", "verify", *data, "--output", "json"))
    newest = list(read_log(tmp_path / "audit"))[-1]
    assert printed == {"lines": 5, "first": 1, "last": 5, "sha256": newest.sha256}
    write(tmp_path, {})
    assert newest.sha256 not in run("audit", "verify", "--holds", newest.sha256, *data)

    path = log_files(tmp_path / "audit")[0]
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:4]))
    assert "4 lines are whole" in run("audit", "verify", *data)
    said = run("audit", "verify", "--holds", newest.sha256, *data, status=1)
    assert "cut off" in said


@pytest.mark.parametrize("command", ["show", "verify"])
def test_no_folder_is_no_log(tmp_path: Path, command: str) -> None:
    """A mistyped path has nobody's changes in it."""
    said = run("audit", command, "--data", tmp_path / "typo", status=1)

    assert "give a server's data folder" in said


def test_commands_do_nothing_that_they_cannot_write_down(tmp_path: Path) -> None:
    """Nothing is given, and nothing is published."""
    (tmp_path / "audit").touch()
    for command in (CREATE, ("catalog", "publish", BANK)):
        said = run(*command, "--data", tmp_path, status=1)
        assert "audit log cannot be written" in said

    assert {path.name for path in tmp_path.iterdir()} == {"audit"}


def test_a_repair_is_in_the_log(bank: Server) -> None:
    """A doctor who only looks is not."""
    run("doctor", "--data", bank.data)
    before = shown(bank.data)[-1]
    assert before["method"] != "propono doctor"

    run("doctor", "--repair", "--data", bank.data)
    entry = shown(bank.data)[-1]
    assert (entry["method"], entry["resource"]) == ("propono doctor", "data")
    assert entry["after"] == {"findings": 0, "repaired": 0}


def test_a_count_given_to_a_quota_is_in_the_log(tmp_path: Path) -> None:
    """One that was refused as well."""
    with served(tmp_path, quota_bank(quota(5, categories=("cards",)))) as web:
        web.propose()
    run("quotas", "set", "scarce", 1, "--data", tmp_path, status=1)
    entry = shown(tmp_path)[-1]

    assert entry["method"] == "propono quotas set"
    assert entry["resource"] == "environments/bank/quotas/scarce"
    assert entry["result"] == "FAILED"
