"""The benchmarks run, compare answers first, and measure what they say."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from bench import compiling, matching
from bench.catalogs import (
    INHERITED_ROWS,
    NOW_MS,
    Caller,
    Shape,
    callers,
    environment,
)
from bench.matching import WrongAnswer, check, shapes
from bench.revisions import calls, loaded, published
from bench.row_by_row import all_matching, first_matching, judged, rows_best_first
from bench.timing import Times
from catalog_store.records import OFFERS_MAX
from tests.servers import ROOT

#: A catalog's bytes in two processes.
HASHED = (
    "import hashlib, msgspec; from bench.catalogs import *;"
    "s = Shape(60, own_rows=2, inheriting=True, weights=3, formulas=5);"
    "print(hashlib.sha256(msgspec.msgpack.encode((environment(s), s))).hexdigest())"
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.mark.parametrize("what", shapes(160))
def test_the_engine_agrees_with_the_judge(what: str, kept: Path) -> None:
    """For every shape of catalog, and contacts of whom something is unknown."""
    shape = shapes(160)[what]
    subject = loaded(shape, kept)

    # Of 160 rows with nine conjuncts few match anybody.
    least = 0 if shape.conjuncts[1] > 7 else 1
    assert check(subject, rows_best_first(subject), callers(shape, 40)) >= least


def test_a_wrong_answer_ends_the_benchmark(kept: Path) -> None:
    """Nothing is timed that was not compared."""
    shape = Shape(160)
    subject = loaded(shape, kept)
    wrong = [row._replace(factor=2.0) for row in rows_best_first(subject)]

    with pytest.raises(WrongAnswer, match="contact 0"):
        check(subject, wrong, callers(shape, 5))


def test_the_yardsticks_find_what_the_judge_finds(kept: Path) -> None:
    """Where weights differ, and there are no presentation rules."""
    shape = Shape(160)
    subject = loaded(shape, kept)
    rows = rows_best_first(subject)
    people = callers(shape, 40)
    for seed, call in enumerate(calls(subject, people, 3)):
        expected = [o for o, _ in judged(subject, rows, people[seed], 3, seed)]

        assert expected == first_matching(rows, call.contact, call.context, 3)
        assert expected == all_matching(rows, call.contact, call.context, 3)


def test_what_the_judge_looks_at_changes_answers(kept: Path) -> None:
    """Windows, ties, formulas, inheritance and pasts are met, not merely allowed."""

    def answers(shape: Shape, people: list[Caller]) -> list[list[tuple[int, float]]]:
        subject = loaded(shape, kept)
        rows = rows_best_first(subject)
        return [judged(subject, rows, one, 3, seed) for seed, one in enumerate(people)]

    plain = answers(Shape(160), callers(Shape(160), 40))
    for what, shape in shapes(160).items():
        people = callers(shape, 40)
        if what == "10 presentation rules":
            without = [one._replace(history=()) for one in people]
            assert answers(shape, people) != answers(shape, without)
        elif what == "10 weights":
            subject = loaded(shape, kept)
            rows = rows_best_first(subject)
            seeds = [judged(subject, rows, one, 3, 99) for one in people]
            assert answers(shape, people) != seeds
        elif what != "plain":
            assert answers(shape, people) != plain


def test_about_three_percent_of_the_rows_match(kept: Path) -> None:
    """Few enough to be a catalog's, many enough to have a top 3."""
    shape = Shape(400)
    subject = loaded(shape, kept)
    rows = rows_best_first(subject)
    asked = calls(subject, callers(shape, 100), 3)
    matching_rows = sum(
        row.fast(call.contact, call.context) is True for call in asked for row in rows
    )

    assert 0.02 < matching_rows / (len(asked) * len(rows)) < 0.05


@pytest.mark.parametrize(
    "shape",
    [
        Shape(1_000, own_rows=3, inheriting=True),
        Shape(90, formulas=9, bounded=False),
        Shape(90, weights=10, multipliers=20, presentation_rules=10),
    ],
)
def test_a_catalog_is_of_its_shape(shape: Shape) -> None:
    """Rows, rules, formulas, weights and windows are as many as asked for."""
    record = environment(shape)
    rows = [row for offer in record.offers for row in offer.weights]
    inherited = INHERITED_ROWS if shape.inheriting else 0
    numbers = {row.weight for row in rows if not isinstance(row.weight, str)}
    multipliers = [c.multiplier for c in record.categories if c.multiplier]

    assert len(rows) + inherited * len(record.offers) == shape.rows
    assert sum(isinstance(row.weight, str) for row in rows) == shape.formulas
    assert len(numbers) == (shape.weights or len(rows) - shape.formulas)
    assert len(multipliers) == shape.multipliers
    assert len({m.window.start <= NOW_MS for m in multipliers if m.window.start}) == (
        2 if multipliers else 0
    )
    assert len(record.presentation_rules) == shape.presentation_rules


def test_the_largest_catalog_stays_within_the_limits() -> None:
    """A million rows are ten for each of the most offers that there may be."""
    (shape,) = shapes(1_000_000).values()

    assert shape.offers == OFFERS_MAX
    assert shape.offers * shape.own_rows == 1_000_000


def test_catalogs_are_the_same_in_every_process() -> None:
    """Whatever the hash seed."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", HASHED],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(digests) == 1


def test_a_catalog_is_compiled_once(kept: Path) -> None:
    """The second time it is read, under the same number."""
    (first, manifest), (again, same) = (published(Shape(40), kept) for _ in "ab")

    assert manifest == same
    assert len(first.history()) == len(again.history()) == 1


def test_matching_prints_a_line_for_each_catalog(kept: Path) -> None:
    """As JSON, with ratios against both ways of looking at every row."""
    arguments = ["--rows", "160", "--contacts", "5", "--seconds", "0", "--kept"]
    done = CliRunner().invoke(
        matching.main, [*arguments, str(kept), "--output", "json"]
    )
    catalogs, rule = map(msgspec.json.decode, done.stdout.splitlines())

    assert done.exit_code == 0, done.output
    assert [line["what"] for line in catalogs["results"]] == [
        f"160 rows, {what}" for what in shapes(160)
    ]
    for line in catalogs["results"]:
        assert 0 < line["min us"] <= line["p50 us"] <= line["p99 us"]
        assert line["ratio"] == line["every row us"] / line["p50 us"]
    assert rule["results"][0]["ratio"] > 0
    assert catalogs["machine"]["cores"] >= 1


def test_compiling_prints_every_figure_that_has_a_bar(kept: Path) -> None:
    """And a process of its own is weighed."""
    arguments = ["--rows", "60", "--repeats", "1", "--kept", str(kept)]
    done = CliRunner().invoke(compiling.main, [*arguments, "--output", "json"])
    lines = msgspec.json.decode(done.stdout)["results"]
    found = {line["what"].removeprefix("60 rows: "): line for line in lines}

    assert done.exit_code == 0, done.output
    assert {what: found[what]["bar at 10,000"] for what in compiling.BARS} == (
        compiling.BARS
    )
    assert all(line["figure"] > 0 for line in lines)


def test_tables_are_for_people(kept: Path) -> None:
    """The default output names the machine."""
    arguments = ["--rows", "40", "--repeats", "1", "--kept", str(kept)]
    done = CliRunner().invoke(compiling.main, arguments)

    assert done.exit_code == 0, done.output
    assert "40 rows: compile one changed rule" in done.output
    assert "cores" in done.output


def test_each_call_is_asked_at_least_once() -> None:
    """Even when there is no time at all."""
    asked: list[int] = []
    times = Times.of(asked.append, [1, 2, 3], seconds=0)

    assert asked == [1, 2, 3]
    assert times.calls == 3
    assert times.min_us <= times.p50_us <= times.p99_us
