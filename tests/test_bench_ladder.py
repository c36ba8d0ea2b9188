"""The ladder ends, finds the highest rate that holds, and compares answers first."""

import json
import shutil
from math import nan
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bench import ghz, ladder, load_data, served_answers, served_rows
from bench.ghz import Answered
from bench.ladder import PRECISION, RATE_MAX, RATE_MIN, RUNGS_MAX, Rung, climb
from bench.matching import WrongAnswer
from bench.served_bank import serving
from tests.servers import Server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rungs, of few calls."""
    monkeypatch.setattr(ladder, "CALLS_MIN", 20)
    monkeypatch.setattr(ladder, "PRECISION", 3.0)


NEEDS_GHZ = pytest.mark.skipif(shutil.which("ghz") is None, reason=str(ghz.NoGhz()))
OFFERS, CONTACTS = 100, 50


def rung(rate: float, limit: float) -> Rung:
    """Of a server that holds a rate up to its limit."""
    p99_ms = 1.0 if rate <= limit else 100.0
    return Rung.of(rate, Answered(10, rate, 1.0, p99_ms, {}, 1.0, 1.0), 5.0)


@given(st.floats(RATE_MIN, RATE_MAX / 1.1), st.floats(RATE_MIN, RATE_MAX))
def test_the_highest_rate_is_found(limit: float, start: float) -> None:
    """To a twentieth, from wherever it starts, in a bounded number of rungs."""
    rungs = list(climb(lambda rate: rung(rate, limit), start=start))
    held = max(one.asked for one in rungs if not one.failure)

    assert held <= limit <= held * PRECISION
    assert len(rungs) <= RUNGS_MAX


@pytest.mark.parametrize("limit", [0.0, RATE_MAX])
def test_the_ladder_ends_when_nothing_or_everything_holds(limit: float) -> None:
    """At the lowest or at the highest rate that is asked for."""
    rungs = list(climb(lambda rate: rung(rate, limit)))

    assert len(rungs) < RUNGS_MAX
    assert rungs[-1].asked == (RATE_MAX if limit else RATE_MIN)


@pytest.mark.parametrize(
    ("answered", "failure"),
    [
        (Answered(99, 99.0, 1.0, 1.0, {}, 1.0, 1.0), ""),
        (Answered(99, 99.0, 1.0, 1.0, {"Unavailable": 1}, 1.0, 1.0), "1 Unavailable"),
        (Answered(90, 90.0, 1.0, 1.0, {}, 1.0, 1.0), "rate not reached"),
        (Answered(99, 99.0, 1.0, 5.1, {}, 6.0, 7.0), "p99"),
        (Answered(0, 99.0, nan, nan, {}, nan, nan), "p99"),
    ],
)
def test_a_rung_holds_if_all_of_it_does(answered: Answered, failure: str) -> None:
    """No error, the rate reached, p99 under the bound."""
    assert Rung.of(100.0, answered, 5.0).failure == failure


@NEEDS_GHZ
@pytest.mark.usefixtures("quick")
def test_a_generated_catalog_is_climbed() -> None:
    """Until the server refuses calls, or cannot be asked more."""
    arguments = ["--offers", str(OFFERS), "--contacts", str(CONTACTS), "--recorded"]
    short = ["--seconds", "0.3", "--start", "400", "--bound-ms", "100000"]

    result = CliRunner().invoke(ladder.main, [*arguments, *short, "--output", "json"])

    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout.splitlines()[-1])
    assert printed["title"].startswith("p99 is under 100000 ms up to")
    assert any(row["holds"] for row in printed["results"])
    for row in printed["results"]:
        assert row["holds"] == (not row["why not"])
        assert row["holds"] or row["errors"] or row["answered/s"] < row["asked/s"]


@NEEDS_GHZ
@pytest.mark.usefixtures("quick")
def test_a_server_that_is_up_is_climbed(
    bank: Server, bank_contacts: Path, tmp_path: Path
) -> None:
    """With requests of one's own; what fails there fails here."""
    made = [str(bank_contacts), "--contact-column", "client", "--count", "20"]
    folder = ["--folder", str(tmp_path), "--space", "web_home_side"]
    assert CliRunner().invoke(load_data.main, [*made, *folder]).exit_code == 0
    where = ["--address", bank.decisions, "--requests"]
    how = ["--seconds", "0.2", "--start", "200", "--bound-ms", "100000"]

    found = {
        name: CliRunner().invoke(
            ladder.main, [*where, str(tmp_path / name), *how, "--output", "json"]
        )
        for name in ("recorded.json", "dry_run.json")
    }

    for result in found.values():
        assert result.exit_code == 0, result.output
        rows = json.loads(result.stdout.splitlines()[-1])["results"]
        assert any(row["holds"] and row["errors"] == 0 for row in rows)


def test_a_wrong_answer_ends_the_ladder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is timed that was not compared."""
    data, kept = tmp_path / "data", tmp_path / "kept"
    data.mkdir()
    served_rows.published(data, OFFERS, CONTACTS, kept)
    with serving(data, 1) as served:
        assert served_answers.check(served.address, OFFERS, CONTACTS, kept) > CONTACTS
        doubled = [
            row._replace(factor=row.factor * 2)
            for row in served_answers.rows_best_first(
                served_answers.loaded(served_answers.shape(OFFERS), kept)
            )
        ]
        monkeypatch.setattr(served_answers, "rows_best_first", lambda _: doubled)

        with pytest.raises(WrongAnswer, match="contact 1:"):
            served_answers.check(served.address, OFFERS, CONTACTS, kept)
