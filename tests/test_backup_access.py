"""Backups of who may call, who changed what, and what is to come."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog_store.scheduled_publications import ScheduledPublications
from server.access.access_list import read_access_list
from server.access.roles import Role
from server.audit.reading import read_log
from tests.access import give_token
from tests.servers import BANK, run


def later() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a token, a log, a design, and something scheduled."""
    data = tmp_path_factory.mktemp("prepared") / "data"
    run("catalog", "apply", BANK, "--yes", "--data", data)
    run("catalog", "publish", "--data", data)
    run("catalog", "publish", "--at", later(), "--data", data)
    run("catalog", "publish", "--at", later(), "--data", data)
    run("catalog", "cancel", 1, "--data", data)
    give_token(data, Role.AUDITOR, "eve")
    return data


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """One of one's own, to damage."""
    return Path(shutil.copytree(prepared, tmp_path / "data"))


def test_who_may_call_and_what_is_to_come_are_restored(
    data: Path, tmp_path: Path
) -> None:
    """Hashes of tokens, states and catalogs; all of it is looked at by the doctor."""
    again = tmp_path / "again"
    run("backup", tmp_path / "backup", "--data", data)
    run("restore", tmp_path / "backup", "--data", again)

    assert read_access_list(again / "access") == read_access_list(data / "access")
    before, after = (ScheduledPublications(d / "scheduled") for d in (data, again))
    assert after.all() == before.all()
    assert [one.is_waiting for one in after.all()] == [False, True]
    waiting = after.get(2)
    assert after.catalog(waiting) == before.catalog(waiting)
    run("doctor", "--data", again)


def test_a_restored_log_goes_on_from_its_last_line(data: Path, tmp_path: Path) -> None:
    """Every line of before, one that says it was restored, and those that follow."""
    again = tmp_path / "again"
    run("backup", tmp_path / "backup", "--data", data)
    run("restore", tmp_path / "backup", "--data", again)
    before, after = (list(read_log(d / "audit")) for d in (data, again))

    assert after[: len(before)] == before
    said = [line.entry for line in after[len(before) :]]
    assert [(e.method, e.result) for e in said] == [
        ("propono restore", "ASKED"),
        ("propono restore", "OK"),
    ]
    run("tokens", "create", "--role", "auditor", "--data", again)
    run("audit", "verify", "--data", again)


def test_a_log_that_was_being_written_is_whole_up_to_a_line(
    data: Path, tmp_path: Path
) -> None:
    """What was cut short at the end of its copy is no line, and nobody's mistake."""
    log = sorted((data / "audit").glob("*.jsonl"))[-1]
    whole = log.read_bytes()
    count = len(list(read_log(data / "audit")))
    log.write_bytes(whole + b'{"number": 99')
    run("backup", tmp_path / "backup", "--data", data)
    run("restore", tmp_path / "backup", "--data", tmp_path / "again")

    assert len(list(read_log(tmp_path / "again" / "audit"))) == count + 2


def flip(path: Path) -> None:
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 0x01
    path.write_bytes(bytes(found))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: flip(data / "audit" / "000000000001.jsonl"), "audit"),
        (lambda data: flip(data / "scheduled" / "2.catalog"), "scheduled"),
        (lambda data: (data / "scheduled" / "2.json").write_text("{"), "scheduled"),
        (lambda data: (data / "access" / "list.json").write_text("{"), "access"),
    ],
)
def test_the_doctor_finds_what_is_damaged(
    data: Path, damage: Callable[[Path], object], said: str
) -> None:
    """One finding each, and status 1; before it there was none."""
    run("doctor", "--data", data)
    damage(data)

    assert f" {said} " in _found(data)


def _found(data: Path) -> str:
    import subprocess

    from tests.servers import DEADLINE_SECONDS, PROPONO

    done = subprocess.run(
        [str(PROPONO), "doctor", "--data", str(data)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 1
    return done.stdout
