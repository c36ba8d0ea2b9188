"""Catalogs published while clients call; and the benchmarks that do it for longer."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from bench import publishing, publishing_load
from bench.catalogs import Shape
from bench.publishing import WrongRevision, check
from bench.publishing_load import Answer, Outcome, published_under_load
from bench.served_bank import Served


def test_every_answer_is_of_the_revision_that_it_names(tmp_path: Path) -> None:
    """Pushes and rollbacks under calls: no error, and no answer of two catalogs."""
    outcome = published_under_load(
        tmp_path, publications=7, seconds=2.0, clients=4, offers=40
    )

    assert outcome.errors == []
    assert outcome.mixed == 0
    assert all(one.marks != {"nothing"} for one in outcome.answers)
    assert len({one.revision for one in outcome.answers}) > 2
    # Every fourth is a rollback.
    assert list(outcome.marks.values())[:4] == ["v1", "v2", "v3", "v2"]
    assert list(outcome.marks.values())[4:] == ["v4", "v5", "v6", "v5"]
    assert [one.kind for one in outcome.late] == ["admin", "worker", "worker"]


def test_a_mixture_is_noticed() -> None:
    """Of two catalogs, of another one, or of none."""
    marks = {1: "v1", 2: "v2"}
    wrong = [({"v1", "v2"}, 1), ({"v1"}, 2), ({"nothing"}, 1)]
    answers = [Answer(number, frozenset(found)) for found, number in wrong]
    right = Answer(2, frozenset({"v2"}))

    assert Outcome(marks, [*answers, right], [], [], [], []).mixed == 3


def test_a_worker_that_is_behind_ends_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is called switched on the word of the publisher alone."""

    def publisher_is_believed(server: Served, number: int) -> None:
        with pytest.raises(WrongRevision, match=f"{number} instead of {number + 1}"):
            check(server, number + 1)

    monkeypatch.setattr(publishing, "check", publisher_is_believed)
    builds = publishing.builds(Shape(20), tmp_path, tmp_path / "kept")

    assert publishing.over_the_wire(builds, 1, 1)[0]["times"] == 1


def test_they_print_what_they_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As JSON, for scripts."""
    monkeypatch.setattr(publishing, "PAUSE_SECONDS", 0.0)
    few = ["--rows", "20", "--workers", "1", "--repeats", "2", "--kept", str(tmp_path)]
    done = CliRunner().invoke(publishing.main, [*few, "--output", "json"])
    wire, spent = map(msgspec.json.decode, done.stdout.splitlines())

    assert done.exit_code == 0, done.output
    assert [one["what"] for one in wire["results"]] == [
        "first push",
        "push",
        "rollback",
    ]
    assert all(one["times"] == 1 for one in wire["results"])
    assert {one["times"] for one in spent["results"]} == {2}

    short = ["--publications", "2", "--seconds", "0", "--clients", "1"]
    done = CliRunner().invoke(
        publishing_load.main, [*short, "--offers", "5", "--output", "json"]
    )
    (line,), processes = (
        msgspec.json.decode(one)["results"] for one in done.stdout.splitlines()
    )

    assert done.exit_code == 0, done.output
    assert (line["made"], line["errors"], line["mixed"]) == (3, 0, 0)
    assert [one["what"] for one in processes] == ["admin", "worker", "worker"]
