"""Capacity is measured by h2load, and errors are counted where they are known."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import capacity, h2load
from server.wire import decision_pb2 as pb
from tests.servers import Server

NEEDS_H2LOAD = pytest.mark.skipif(
    shutil.which("h2load") is None, reason=str(h2load.NoH2load())
)


@NEEDS_H2LOAD
def test_an_error_is_a_success_to_h2load_and_not_to_us(
    bank: Server, tmp_path: Path
) -> None:
    """A space that there is not: every call fails, and h2load notices nothing."""
    request = pb.ProposeRequest(contact_id="C000001", dry_run=True)
    request.spaces.add(space="nowhere")
    h2load.write_request(tmp_path / "request", request)
    target = capacity.Target(bank.decisions, bank.metrics)

    target.call(tmp_path / "request", 0.5, None)

    (run,) = target.runs
    assert run.succeeded > 0 == run.failed
    # Those of the warm-up too.
    assert target.errors >= run.succeeded


@NEEDS_H2LOAD
def test_capacity_is_measured_next_to_echoes() -> None:
    """Without errors; the faster echo is what the ratios are to."""
    few = ["--offers", "100", "--contacts", "50", "--seconds", "0.5", "--repeats", "1"]

    result = CliRunner().invoke(capacity.main, [*few, "--output", "json"])

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout.splitlines()[-1])["results"]
    assert [row["what"] for row in rows] == [
        *("echo, aio", "echo, threads", "echo, ours"),
        "dry run",
    ]
    assert max(row["to echo"] for row in rows[:2]) == 1
    assert all(row["calls/s"] > 0 == row["errors"] for row in rows)


def test_without_h2load_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one line, with the command."""
    monkeypatch.setenv("PATH", "")

    result = CliRunner().invoke(capacity.main, [])

    assert result.exit_code == 1
    assert "apt-get install nghttp2-client" in result.output


def test_output_that_is_something_else_is_no_figure() -> None:
    """As when nobody listens."""
    with pytest.raises(ValueError, match="something else"):
        h2load.read("starting benchmark...\nConnection refused\n")
