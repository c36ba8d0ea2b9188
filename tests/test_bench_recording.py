"""The benchmark of recording runs, and counts what failed."""

import json
import shutil

import pytest
from click.testing import CliRunner

from bench import echo, ghz, importing, recording

NEEDS_GHZ = pytest.mark.skipif(shutil.which("ghz") is None, reason=str(ghz.NoGhz()))


def test_without_ghz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, with the command."""
    monkeypatch.setenv("PATH", "")

    result = CliRunner().invoke(recording.main, ["--seconds", "1"])

    assert result.exit_code == 1
    assert "go install github.com/bojand/ghz" in result.output


@NEEDS_GHZ
@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_it_measures_a_server_on_a_slow_disk() -> None:
    """Every call of the run is answered, dry or recorded."""
    arguments = ["--seconds", "1", "--repeats", "1", "--flush-ms", "5"]

    result = CliRunner().invoke(recording.main, [*arguments, "--output", "json"])

    assert result.exit_code == 0, result.output
    (measured,) = json.loads(result.stdout.splitlines()[-1])["results"]
    assert (measured["flush_ms"], measured["errors"]) == (5.0, "none")
    assert measured["recorded_rate"] > 0 < measured["dry_rate"]


@NEEDS_GHZ
def test_errors_are_not_counted_as_answers() -> None:
    """Nobody listens on that port."""
    load = ghz.Load("127.0.0.1:1", "{}", 1, 1, 0.3)

    answered = ghz.run(load)

    assert answered.rate == 0
    assert set(answered.errors) == {"Unavailable"}


@NEEDS_GHZ
def test_an_import_is_measured_beside_calls() -> None:
    """The calls go on until the import is over, and none fails."""
    arguments = ["--contacts", "2000", "--seconds", "1", "--output", "json"]

    result = CliRunner().invoke(importing.main, arguments)

    assert result.exit_code == 0, result.output
    (measured,) = json.loads(result.stdout.splitlines()[-1])["results"]
    assert (measured["dry_errors"], measured["recorded_errors"]) == (0, 0)
    assert measured["peak_mb"] >= measured["half_way_mb"] > 0


@NEEDS_GHZ
def test_calls_are_measured_next_to_an_echo() -> None:
    """On both stacks, without errors; the faster one is what the ratios are to."""
    arguments = ["--seconds", "1", "--repeats", "1", "--output", "json"]

    result = CliRunner().invoke(echo.main, arguments)

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout.splitlines()[-1])["results"]
    assert [row["what"] for row in rows] == [
        *("echo, aio", "echo, threads", "echo, ours"),
        *("dry run", "recorded"),
    ]
    assert {row["errors"] for row in rows} == {0}
    assert max(row["to echo"] for row in rows[:2]) == 1
    assert all(row["calls/s"] > 0 for row in rows)
