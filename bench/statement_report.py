"""What a statement says: Markdown for people, JSON for scripts, and a chart."""

import json
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from bench import bar_chart, h2load
from bench.statement_parts import ROOT, Outcome
from bench.timing import machine, shown

#: Libraries that decide how fast it is.
LIBRARIES = (
    *("grpcio", "protobuf", "lmdb", "msgspec", "cel-expr-python", "google-re2"),
)


def about(seconds: float) -> dict[str, object]:
    """The machine, versions, and how long it took."""
    return {
        **machine(),
        "kernel": platform.release(),
        "propono": version("propono"),
        "revision": _revision(),
        **{name: version(name) for name in LIBRARIES},
        "ghz": "there" if shutil.which("ghz") else "absent",
        "h2load": h2load.version() if shutil.which("h2load") else "absent",
        "minutes": round(seconds / 60, 1),
    }


def markdown(about: dict[str, object], outcomes: Sequence[Outcome]) -> str:
    """Sections in the order of their parts."""
    facts = ", ".join(f"{name} {value}" for name, value in about.items())
    lines = ["# How fast it is", "", facts, "", "![chart](report.svg)", ""]
    for part, seconds, tables, failure, is_left_out in outcomes:
        lines += [f"## {part.title}", ""]
        if part.note:
            lines += [part.note, ""]
        if failure:
            what = "Left out" if is_left_out else "**Failed**"
            lines += [f"{what}: {failure}", ""]
        for table in tables:
            lines += [f"{table['title']}", "", *_table(table["results"]), ""]
        words = " ".join(part.words)
        lines += [f"`python -m bench.{words}`, {seconds:.0f} s", ""]
    return "\n".join(lines)


def as_json(about: dict[str, object], outcomes: Sequence[Outcome]) -> str:
    """The same, with every figure as it was measured."""
    sections = [
        {
            "title": outcome.part.title,
            "command": ["python", "-m", "bench." + " ".join(outcome.part.words)],
            "seconds": outcome.seconds,
            "failure": outcome.failure,
            "tables": outcome.tables,
        }
        for outcome in outcomes
    ]
    return json.dumps({"about": about, "sections": sections}, indent=1)


def charts(outcomes: Sequence[Outcome]) -> str:
    """Calls a second, and p99 at half of them, where they were measured."""
    charts = [
        bar_chart.Chart(
            title,
            [
                (str(row["what"]), float(row[column]))
                for outcome in outcomes
                if outcome.part.words[0] == bench
                for table in outcome.tables
                for row in table["results"]
                if column in row
            ],
        )
        for bench, column, title in (
            ("echo", "calls/s", "Calls a second, ghz, 64 in flight"),
            ("capacity", "calls/s", "Calls a second, h2load, 64 in flight"),
            ("echo", "half: p99_ms", "p99 in ms at half of that rate, open loop"),
            (
                "publishing_latency",
                "p99.9 ms",
                "p99.9 in ms while catalogs are published",
            ),
        )
    ]
    return bar_chart.svg([chart for chart in charts if chart.bars])


def _table(results: Sequence[dict[str, Any]]) -> list[str]:
    heads = list(results[0])
    ruler = ["---" if head == "what" else "---:" for head in heads]
    rows = [heads, ruler, *([shown(row[head]) for head in heads] for row in results)]
    return [f"| {' | '.join(cells)} |" for cells in rows]


def _revision() -> str:
    """The commit, with a plus where files differ from it; unknown without git."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"
