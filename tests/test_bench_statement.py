"""`make bench` runs every bench that it names, and reports what came of them."""

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from bench import statement, statement_parts
from bench.bar_chart import Chart, svg
from bench.statement_parts import Outcome, Part, parts
from bench.statement_report import charts
from tests.servers import ROOT

FACTS = Part("Facts", ("served_facts", "--offers", "50"), "A note.")
NO_TOOL = Part("Load", ("capacity", "--offers", "50"), "")
BROKEN = Part("Broken", ("nowhere",), "")


def reported(
    chosen: list[Part], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> tuple[int, str, Any]:
    """Exit status, Markdown and JSON of a report of these parts, without any tool."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(statement, "parts", lambda *_: chosen)
    done = CliRunner().invoke(statement.main, ["--folder", str(folder)])
    text = (folder / "report.md").read_text()
    return done.exit_code, text, json.loads((folder / "report.json").read_text())


def test_a_report_says_what_was_measured_and_what_was_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A tool that is missing ends nothing; the reason says how to get it."""
    status, text, found = reported([NO_TOOL, FACTS], monkeypatch, tmp_path)
    load, facts = found["sections"]

    assert status == 0
    assert "Left out: Error: h2load is not on the PATH: apt-get install" in text
    assert load["tables"] == []
    assert {row["what"]: row["figure"] for row in facts["tables"][0]["results"]}[
        "offers"
    ] == 50
    assert "| offers | 50 |" in text
    assert "A note." in text
    assert found["about"]["h2load"] == "absent"
    assert found["about"]["cores"] >= 1


def test_a_bench_that_fails_fails_the_statement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After the others, which are reported."""
    status, text, _ = reported([BROKEN, FACTS], monkeypatch, tmp_path)

    assert status == 1
    assert "**Failed**" in text
    assert "No module named bench.nowhere" in text
    assert "| offers | 50 |" in text


def test_every_part_is_a_bench_that_takes_its_arguments() -> None:
    """Each of them says how it is called, and knows every option."""
    for part in parts(10, 1.0, 1):
        module, *arguments = part.words
        help_asked = Part(part.title, (module, *arguments, "--help"), "")
        command = statement_parts.command(help_asked)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

        assert done.returncode == 0, (part.words, done.stderr)
        for option in (word for word in arguments if word.startswith("--")):
            assert option in done.stdout, (module, option)


def test_bars_are_as_long_as_their_figures() -> None:
    """The longest fills its place; labels are no markup."""
    drawn = svg([Chart("a <b> & c", [("<one>", 50.0), ("two", 100.0), ("no", 0.0)])])
    root = ElementTree.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(one.attrib["width"]) for one in root.findall(f"{space}rect")[1:]]
    texts = [one.text for one in root.findall(f"{space}text")]

    assert widths == [230.0, 460.0, 0.0]
    assert texts == ["a <b> & c", "<one>", "50", "two", "100", "no", "0"]


def test_what_was_not_measured_is_not_drawn() -> None:
    """A chart for each column that there is."""
    rows = [{"what": "dry run", "calls/s": 700, "half: p99_ms": 3.5}]
    echo = Part("Echo", ("echo",), "")
    measured = Outcome(echo, 1.0, [{"title": "t", "results": rows}], "")
    nothing = Outcome(NO_TOOL, 1.0, [], "Error: it is not on the PATH", True)
    drawn = charts([measured, nothing])

    assert "p99 in ms at half" in drawn
    assert ">700<" in drawn
    assert "h2load" not in drawn
