"""Scheduled publications of a real server, by commands, through kill -9."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog_store.revisions import NothingPublished, Revisions
from tests.clean_processes import run_command
from tests.servers import (
    BANK,
    DEADLINE_SECONDS,
    PROPONO,
    ROOT,
    children_of,
    run,
    serving,
    wait_until,
)


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def schedule(*at: object, least_seconds: float) -> str:
    """Schedule a publication for the next moment at which it is not past already.

    How far that is depends on what else this machine does.
    """
    for factor in (1, 4):
        time_ = soon(least_seconds * factor)
        command = ("catalog", "publish", "--at", time_, *at)
        ended, said, refusal = run_command(
            [str(word) for word in command], ROOT, DEADLINE_SECONDS
        )
        if "publish_time: is past" not in refusal:
            assert ended == 0, refusal
            return said
    return run("catalog", "publish", "--at", soon(least_seconds * 16), *at)


def listed(data: Path, *options: str) -> list[dict[str, Any]]:
    return json.loads(
        run("catalog", "scheduled", *options, "--data", data, "--output", "json")
    )


def current(data: Path) -> int:
    try:
        return Revisions(data / "catalog").current().number
    except NothingPublished:
        return 0


@contextmanager
def killed_at_the_end(data: Path) -> Generator[int]:
    """The process id of a server that is killed with all that it started."""
    process = subprocess.Popen(
        [
            *(str(PROPONO), "serve", "--data", str(data)),
            *("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"),
            *("--metrics-listen", "127.0.0.1:0", "--workers", "1"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], DEADLINE_SECONDS)
        assert readable, "the server did not say that it is up"
        assert process.stdout.readline().startswith("decisions on")
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(DEADLINE_SECONDS)
        process.stdout.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder whose design is the bank's."""
    run("catalog", "apply", BANK, "--yes", "--data", tmp_path / "data")
    return tmp_path / "data"


def test_a_server_publishes_at_the_time(data: Path) -> None:
    """Scheduled over its port; the worker decides with it; history says so."""
    with serving(data) as server:
        at = ("--data", data, "--admin-server", server.admin)
        said = schedule(*at, least_seconds=1.5)
        assert "scheduledPublications/1 will be published at 20" in said
        wait_until(lambda: current(data) == 1)
        wait_until(lambda: listed(data, "--all")[0]["state"] == "published")
        [row] = json.loads(run("catalog", "history", *at, "--output", "json"))
        assert (row["publisher"], row["scheduled"]) == (
            "admin",
            "scheduledPublications/1",
        )

        later = run("catalog", "publish", "--at", soon(3_600), *at, "--output", "json")
        assert json.loads(later)["scheduled"]["state"] == "scheduled"
        assert "1 to come, the next at" in run("catalog", "history", *at)
        assert "scheduled" in run("catalog", "scheduled", *at)
        assert "is cancelled" in run("catalog", "cancel", "2", *at)
        refused = run("catalog", "cancel", "2", *at, status=1)
        assert "FAILED_PRECONDITION: scheduledPublications/2 is cancelled" in refused
        assert "nothing is scheduled" in run("catalog", "scheduled", *at)


def test_a_server_killed_before_the_time_publishes_when_it_starts(data: Path) -> None:
    """Scheduled by a command in the folder; by whom and what goes into the log."""
    with killed_at_the_end(data):
        # Long enough for the kill to come first.
        schedule("--data", data, least_seconds=4)
    at = datetime.fromisoformat(listed(data)[0]["publish_time"]).timestamp() + 1
    wait_until(lambda: time.time() > at)
    assert current(data) == 0

    with serving(data):
        wait_until(lambda: current(data) == 1)
        wait_until(lambda: not listed(data))
    log = run("audit", "show", "--data", data, "--output", "json")
    assert "scheduledPublications/1" in log


def test_a_server_killed_after_the_time_publishes_nothing_twice(data: Path) -> None:
    """All of it, or its admin process alone."""
    with killed_at_the_end(data) as pid:
        schedule("--data", data, least_seconds=1)
        wait_until(lambda: current(data) == 1)
        os.kill(children_of(pid)["admin0"], signal.SIGKILL)
        wait_until(lambda: not listed(data))
    with serving(data):
        assert listed(data, "--all")[0]["revision"] == 1
    assert Revisions(data / "catalog").numbers() == [1]


@pytest.mark.parametrize(
    ("time_", "text"),
    [
        ("2026-12-01", "has no time zone"),
        ("tomorrow", "is not a time such as"),
    ],
)
def test_a_time_says_whose_midnight_it_is(data: Path, time_: str, text: str) -> None:
    """Wrong usage else."""
    assert text in run("catalog", "publish", "--at", time_, "--data", data, status=2)


def test_files_are_not_scheduled(data: Path) -> None:
    """The design is; a past time is refused."""
    said = run("catalog", "publish", BANK, "--at", soon(9), "--data", data, status=2)
    assert "are for the design, without a PATH" in said
    refused = run("catalog", "publish", "--at", soon(-9), "--data", data, status=1)
    assert "publish_time: is past" in refused
