"""What callers notice of publications is measured, with the worker on its own core."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import ghz, publishing_latency
from bench.ghz import Answered
from bench.processes import pids_of
from bench.publishing_latency import Phase, rows_of, verdict
from bench.served_bank import Served, serving

NEEDS_GHZ = pytest.mark.skipif(shutil.which("ghz") is None, reason=str(ghz.NoGhz()))


@NEEDS_GHZ
def test_calls_are_measured_with_and_without_publications() -> None:
    """The same number of both, none of which fails; every push arrives."""
    few = ["--offers", "100", "--contacts", "50", "--seconds", "2", "--repeats", "1"]
    arguments = [*few, "--publications", "4", "--rate", "100", "--output", "json"]

    result = CliRunner().invoke(publishing_latency.main, arguments)

    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout.splitlines()[-1])
    without, during = printed["results"]
    assert (without["publications"], during["publications"]) == (0, 4)
    assert without["errors"] == during["errors"] == 0
    assert min(without["calls"], during["calls"]) >= 190
    assert during["p99.9 ms"] <= during["longest ms"]


def test_the_longest_call_of_all_counts() -> None:
    """Medians of percentiles, and bars next to what was found."""

    def phase(p999_ms: float, slowest_ms: float) -> Phase:
        return Phase(Answered(9, 9.0, 1.0, 2.0, {"X": 1}, p999_ms, slowest_ms), 5)

    without = [phase(3.0, 4.0), phase(2.0, 9.0), phase(4.0, 5.0)]
    during = [phase(6.0, 7.0), phase(9.0, 20.0), phase(5.0, 8.0)]
    rows = rows_of(without, during)

    assert [row["p99.9 ms"] for row in rows] == [3.0, 6.0]
    assert [row["longest ms"] for row in rows] == [9.0, 20.0]
    assert [row["errors"] for row in rows] == [3, 3]
    assert verdict(rows).startswith("p99.9 2.0 times")
    assert "longest call 20.0 ms" in verdict(rows)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_the_worker_has_its_core(tmp_path: Path) -> None:
    """With all its threads; everything else is on the other one."""

    def cores(served: Served) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {"supervisor": os.sched_getaffinity(served.pid)}
        for kind, pid in pids_of(served.pid):
            found[kind] = set()
            for thread in Path(f"/proc/{pid}/task").iterdir():
                found[kind] |= os.sched_getaffinity(int(thread.name))
        return found

    with serving(tmp_path / "data", 1) as served:
        publishing_latency._pin(served)

        assert cores(served) == {
            "supervisor": {publishing_latency.OTHERS_CPU},
            "worker": {publishing_latency.WORKER_CPU},
            "admin": {publishing_latency.OTHERS_CPU},
            "keeper": {publishing_latency.OTHERS_CPU},
        }
