"""Full disks at the moments when something is made: said in a line, nothing halved."""

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from catalog_store.revisions import NothingPublished, Revisions
from server.client import CallFailed, Client
from server.data_folder import DataFolder
from tests.bank import environment, offer, publish
from tests.faulty_disks import fill, small_disk
from tests.faulty_recording import request
from tests.servers import (
    BANK,
    DEADLINE_SECONDS,
    children_of,
    run,
    serving,
    wait_until,
)
from tests.test_metrics import samples

DISK_BYTES = 8 << 20
#: What a full disk is called; LMDB says the second when half a write found room.
FULL = ("No space left", "Input/output error")


@pytest.fixture(params=["tmpfs", "ext4"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Path]:
    with small_disk(request.param, tmp_path, DISK_BYTES) as disk:
        yield disk


def leave_free(disk: Path, free_bytes: int) -> None:
    """Fill a disk but for so much."""
    (disk / "reserve").write_bytes(bytes(free_bytes))
    with (disk / "reserve").open("rb") as file:
        os.fsync(file.fileno())
    fill(disk / "filler")
    (disk / "reserve").unlink()


def refused(*arguments: object) -> str:
    """What a command said that had to be refused, on its one line."""
    said = run(*arguments, status=1)
    assert "Traceback" not in said
    assert said.count("\n") == 1, said
    return said


def serve(data: Path) -> tuple[object, ...]:
    ports = ("--listen", "--admin-listen", "--metrics-listen")
    return (
        *("serve", "--data", data),
        *(word for port in ports for word in (port, "127.0.0.1:0")),
    )


@pytest.mark.parametrize("token", [b"", b"\n", b"short\n", b"x" * 31, b"\xe9" * 43])
def test_a_token_that_keeps_nobody_out_is_refused(tmp_path: Path, token: bytes) -> None:
    """An empty one would admit whoever sends none."""
    (tmp_path / "admin.token").write_bytes(token)

    said = refused(*serve(tmp_path))
    assert f"{tmp_path}/admin.token does not hold a token" in said
    assert "remove it" in said


def test_a_token_that_was_half_written_is_written_anew(tmp_path: Path) -> None:
    """It never had the token's name."""
    (tmp_path / "admin.token.new").write_bytes(b"ha")
    token = DataFolder(tmp_path).admin_token()

    assert DataFolder(tmp_path).admin_token() == token
    assert len(token) == 43
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["admin.token"]


@pytest.mark.parametrize("free_bytes", [0, 49_152, 98_304])
def test_a_first_start_without_room_is_refused(disk: Path, free_bytes: int) -> None:
    """In one line that names the folder, wherever it got to; a later start is good."""
    leave_free(disk, free_bytes)
    said = refused(*serve(disk / "data"))
    (disk / "filler").unlink()

    assert str(disk / "data") in said
    assert any(reason in said for reason in FULL)
    with serving(disk / "data"):
        assert len(DataFolder(disk / "data").admin_token()) == 43


@pytest.mark.parametrize(
    ("free_bytes", "is_first"),
    [(0, True), (0, False), (4_096, False), (16_384, False), (65_536, True)],
)
def test_a_publication_without_room_changes_nothing(
    disk: Path, free_bytes: int, is_first: bool
) -> None:
    """One line, the revision before, and no other in the history."""
    data = disk / "data"
    if not is_first:
        publish(DataFolder(data).catalog, environment([offer("gold")]))
    leave_free(disk, free_bytes)
    said = refused("catalog", "publish", BANK, "--data", data)
    (disk / "filler").unlink()

    assert str(data) in said
    assert any(reason in said for reason in FULL)
    assert "nothing was published" in said or "nothing was done" in said
    revisions = Revisions(DataFolder(data).catalog)
    assert [one.number for one in revisions.history()] == [1][is_first:]
    if is_first:
        with pytest.raises(NothingPublished):
            revisions.current()
    assert not list(data.rglob("*new*"))
    assert f"revision {2 - is_first} is published" in run(
        "catalog", "publish", BANK, "--data", data
    )


def is_answered(client: Client) -> bool:
    """Nobody listens until the worker is up."""
    try:
        (result,) = client.propose(request("a", dry_run=True)).results
    except CallFailed:
        return False
    return len(result.propositions) == 2


def test_a_worker_restarted_on_a_full_disk_decides(disk: Path) -> None:
    """And goes on counting where the one before did: that has its room."""
    data = disk / "data"
    publish(DataFolder(data).catalog, environment([offer("gold"), offer("blue")]))
    with serving(data) as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        client.propose(request("a", dry_run=True))
        before = samples(server)["propono_calls_total code=OK method=Propose"]
        fill(disk / "filler")
        worker = children_of(server.process.pid)["worker0"]
        os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda: children_of(server.process.pid).get("worker0", worker) != worker
        )
        wait_until(lambda: is_answered(client))
        after = samples(server)["propono_calls_total code=OK method=Propose"]
        client.close()
        (disk / "filler").unlink()

    assert after > before == 1


def test_what_counts_has_its_room_from_the_start(tmp_path: Path) -> None:
    """No page of a mapped file is a hole, and none is about to be outgrown."""
    publish(DataFolder(tmp_path).catalog, environment([offer("gold")]))
    with serving(tmp_path, 2) as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        client.propose(request("a"))
        client.close()
        mapped = [
            *DataFolder(tmp_path).metrics.iterdir(),
            *tmp_path.glob("*/lock.mdb"),
            tmp_path / "catalog" / "signal",
        ]
        sizes = {path: path.stat() for path in mapped}

    counted = [path for path in mapped if path.suffix == ".slots"]
    assert len(counted) == 4
    # The page of the processes, three locks, the signal.
    assert len(mapped) == len(counted) + 5
    holes = [p.name for p, s in sizes.items() if s.st_blocks * 512 < s.st_size]
    assert holes == []


def test_a_pointer_that_does_not_move_leaves_no_revision(tmp_path: Path) -> None:
    """Whatever keeps it from moving: the history lists what was current."""
    catalog = DataFolder(tmp_path).catalog
    publish(catalog, environment([offer("gold")]))
    (catalog / "CURRENT.new").mkdir()
    with pytest.raises(OSError, match=r"CURRENT\.new"):
        publish(catalog, environment([offer("blue")]))
    (catalog / "CURRENT.new").rmdir()

    assert [one.number for one in Revisions(catalog).history()] == [1]
    assert publish(catalog, environment([offer("blue")]))[1].number == 2
