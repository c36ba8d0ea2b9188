"""The benchmark of golden decisions makes some that a catalog meets."""

from pathlib import Path

from bench.golden import measure


def test_golden_decisions_are_made_and_met(tmp_path: Path) -> None:
    """It would raise if one came out otherwise."""
    measured = measure(60, 5, tmp_path)

    assert (measured["offers"], measured["golden_decisions"]) == (60, 5)
