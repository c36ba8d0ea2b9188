"""A disk that fails and is slow: where it is told to, when it is told to."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.faulty_disk import CannotBuild, FaultyDisk
from tests.servers import DEADLINE_SECONDS, ROOT

#: Commits to a store for each line that it reads, and writes a file elsewhere.
WRITER = """
import os, sys
from pathlib import Path
from contact_store.errors import StoreFailed
from contact_store.history import HistoryStore

folder = Path(sys.argv[1])
with HistoryStore(folder / "disk" / "history") as history:
    for line in sys.stdin:
        with open(folder / "elsewhere", "wb", buffering=0) as file:
            file.write(b"x")
            os.fsync(file.fileno())
        try:
            with history.transaction() as txn:
                txn.decided_at(int(line))
            print("stored", flush=True)
        except StoreFailed as error:
            print(error, flush=True)
"""


@pytest.fixture
def disk(tmp_path: Path) -> FaultyDisk:
    (tmp_path / "disk").mkdir()
    try:
        return FaultyDisk(tmp_path / "disk", tmp_path)
    except CannotBuild as reason:
        pytest.skip(f"no disk that fails: {reason}")


class Writer:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._number = 0

    def commit(self) -> str:
        """What became of one transaction."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._number += 1
        self._process.stdin.write(f"{self._number}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def writing(folder: Path, disk: FaultyDisk) -> Generator[Writer]:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **disk.variables},
    ) as process:
        yield Writer(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(DEADLINE_SECONDS) == 0


def test_it_fails_while_it_is_told_to(tmp_path: Path, disk: FaultyDisk) -> None:
    """Below its folder everything fails, elsewhere nothing, and healed nothing."""
    with writing(tmp_path, disk) as writer:
        before = writer.commit()
        disk.fail(1)
        failing = writer.commit()
        failed = disk.failed_writes
        disk.heal()
        after = writer.commit()

    assert (before, after) == ("stored", "stored")
    assert failing.startswith("nothing was stored: ")
    assert failed == disk.failed_writes > 0


def test_a_store_outlives_every_failure(tmp_path: Path, disk: FaultyDisk) -> None:
    """Also that of the last write of a commit, after which LMDB refuses all others."""
    with writing(tmp_path, disk) as writer:
        assert writer.commit() == "stored"
        disk.fail(0.1)
        failing = [writer.commit() for _ in range(200)]
        failed_flushes = disk.failed_flushes
        disk.heal()
        after = writer.commit()

    refused = [one for one in failing if one.startswith("nothing was stored: ")]
    assert failing.count("stored") + len(refused) == len(failing)
    assert failing.count("stored") > len(refused) > 20
    assert failed_flushes > 20
    assert after == "stored"


def test_both_flushes_of_a_commit_are_slow(tmp_path: Path, disk: FaultyDisk) -> None:
    """That of the data, and the write of the page which makes it count."""
    with writing(tmp_path, disk) as writer:
        first = writer.commit()
        delayed_before = disk.delayed_flushes
        disk.slow(flush_ms=1)
        second = writer.commit()

    assert (first, second) == ("stored", "stored")
    assert delayed_before == 0
    assert disk.delayed_flushes == 2
    assert disk.failed_writes == disk.failed_flushes == 0
