"""What the benches serve answers what the judge answers."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import calling, echo, ghz, served_rows
from bench.attributes import CONTEXT
from bench.catalogs import NOW_MS, YEARS_MS, callers, environment
from bench.processes import on_core
from bench.revisions import loaded
from bench.row_by_row import judged, rows_best_first
from bench.served_bank import serving
from server.client import Client

OFFERS, CONTACTS = 200, 40
NEEDS_GHZ = pytest.mark.skipif(shutil.which("ghz") is None, reason=str(ghz.NoGhz()))


def test_a_generated_catalog_is_served_as_the_judge_reads_it(tmp_path: Path) -> None:
    """Contacts arrive whole through the importer, and windows are open as declared."""
    data, kept = tmp_path / "data", tmp_path / "kept"
    data.mkdir()
    served_rows.published(data, OFFERS, CONTACTS, kept)
    subject = loaded(served_rows.shape(OFFERS), kept)
    rows = rows_best_first(subject)
    people = callers(served_rows.shape(OFFERS), CONTACTS)
    proposed = 0
    with serving(data, 1) as served:
        client = Client.connect(served.address)
        for number, person in enumerate(people, 1):
            request = served_rows.request(number)
            answer = client.propose(request)
            context = tuple(request.context[kind.name] for kind in CONTEXT)
            expected = judged(
                subject,
                rows,
                person._replace(context=context, history=()),
                served_rows.PROPOSITIONS,
                int(answer.interaction_id, 16),
            )
            found = answer.results[0].propositions
            proposed += len(found)

            assert [(one.offer, one.weight) for one in found] == [
                (subject.live.offers[offer].name, weight) for offer, weight in expected
            ]
        client.close()

    assert proposed > CONTACTS


def test_windows_of_what_is_served_stay_as_they_are() -> None:
    """Half of them is open now and for years; the others are not."""
    windows = [
        category.multiplier.window
        for category in environment(served_rows.shape(OFFERS)).categories
        if category.multiplier
    ]

    for at_ms in (NOW_MS, NOW_MS + YEARS_MS):
        open_now = [
            w for w in windows if w.start and w.end and w.start <= at_ms < w.end
        ]
        assert len(open_now) == len(windows) // 2 > 0


def test_requests_name_every_contact_once(tmp_path: Path) -> None:
    """In the same order, dry and recorded."""
    files = served_rows.make_request_files(tmp_path, CONTACTS)
    dry, recorded = (json.loads(file.read_text()) for file in files)

    assert {one.pop("dry_run") for one in dry} == {True}
    assert {one.pop("dry_run") for one in recorded} == {False}
    assert dry == recorded
    assert len({one["contact_id"] for one in dry}) == CONTACTS


def test_a_shuffled_file_has_the_same_requests(tmp_path: Path) -> None:
    """In another order, which the seed says."""
    dry, recorded = served_rows.make_request_files(tmp_path, CONTACTS)
    before = dry.read_text()
    for file in (dry, recorded):
        served_rows.shuffle(file, seed=5)

    def contacts(text: str) -> list[str]:
        return [one["contact_id"] for one in json.loads(text)]

    assert contacts(dry.read_text()) == contacts(recorded.read_text())
    assert contacts(dry.read_text()) != contacts(before)
    assert sorted(contacts(dry.read_text())) == sorted(contacts(before))


def test_a_command_runs_on_the_core_that_it_is_given() -> None:
    """And on any where none is given."""
    shown = "import os; print(*os.sched_getaffinity(0))"

    def cores(cpu: int | None) -> str:
        command = [*on_core(cpu), sys.executable, "-c", shown]
        return subprocess.check_output(command, text=True).strip()

    assert cores(0) == "0"
    assert cores(None) != ""


def test_one_call_is_measured_without_grpc() -> None:
    """By stages, all of which are there, and none of which takes as long as all."""
    arguments = ["--offers", str(OFFERS), "--seconds", "0.05", "--output", "json"]

    result = CliRunner().invoke(calling.main, arguments)

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout.splitlines()[-1])["results"]
    took = {row["stage"]: row["p50_us"] for row in rows}
    assert 0 < took["parsed"] < took["dry run, all"] < took["recorded, all"]


@NEEDS_GHZ
def test_a_generated_catalog_is_measured_next_to_an_echo() -> None:
    """On both stacks, at the highest rate and at half of it, without errors."""
    arguments = ["--offers", str(OFFERS), "--seconds", "1", "--repeats", "1"]

    result = CliRunner().invoke(echo.main, [*arguments, "--output", "json"])

    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout.splitlines()[-1])["results"]
    assert [row["what"] for row in rows] == [
        *("echo, aio", "echo, threads", "echo, ours"),
        *("dry run", "recorded"),
    ]
    assert {row["errors"] for row in rows} == {0}
    assert all(row["calls/s"] > 0 < row["half: p99_ms"] for row in rows)
