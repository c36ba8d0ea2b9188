"""The benchmark of long pasts runs, and what it fills is what it says."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import history
from contact_store.history import HistoryStore


def test_every_figure_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads, appends and answers for each length, then both stores."""
    monkeypatch.setattr(history, "ALIKE", 1)
    monkeypatch.setattr(history, "PASTS", (20, 200))
    monkeypatch.setattr(history, "SMALL_CONTACTS", 100)
    monkeypatch.setattr(history, "ROUNDS", 1)
    arguments = ["--seconds", "0", "--propositions", "2000", "--output", "json"]
    done = CliRunner().invoke(history.main, arguments, catch_exceptions=False)
    single, both = [json.loads(line)["results"] for line in done.output.splitlines()]

    assert len(single) == 1 + 2 * 4
    assert all(row["p50_us"] > 0 for row in single)
    assert [row["what"] for row in both] == ["read", "decide and append"]
    assert all(row["p99_ratio"] > 0 for row in both)


def test_of_a_hundred_contacts_one_has_many_propositions(tmp_path: Path) -> None:
    """Some of them in cold parts; a hundred have 1,984 together."""
    with HistoryStore(tmp_path / "history") as store:
        history.fill(store, 100, is_told=False)
        counts = [
            record.proposition_count
            for number in range(100)
            if (record := store.read(history.ENVIRONMENT, f"c{number}", history.WEEK))
        ]

    assert sorted(counts) == [16] * 99 + [400]
