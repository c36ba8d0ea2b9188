"""`make bench`: how fast it is, in one command, on any machine.

    python -m bench.statement
    python -m bench.statement --seconds 1 --repeats 1      # to see that it works

Runs the benches of `statement_parts` one after the other, each in a process of its own,
and writes build/bench/report.md, report.json and report.svg. At most fifteen minutes on
two cores, compiling included; nothing is fetched. Every bench compares answers first,
and ends at a wrong one. Where ghz or h2load is missing the report says so, and goes on.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from bench import statement_report
from bench.revisions import KEPT
from bench.statement_parts import Outcome, parts, run


@click.command()
@click.option("--offers", default=10_000, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="Of a run over a port.")
@click.option("--repeats", default=3, show_default=True, help="Runs of each.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=KEPT,
    show_default=True,
)
def main(offers: int, seconds: float, repeats: int, folder: Path) -> None:
    """Measure all of it, and write a report."""
    began = time.perf_counter()
    outcomes: list[Outcome] = []
    chosen = parts(offers, seconds, repeats)
    for number, part in enumerate(chosen, 1):
        click.echo(f"{number}/{len(chosen)} {part.title}", err=True, nl=False)
        outcome = run(part)
        outcomes.append(outcome)
        said = outcome.failure or "done"
        click.echo(f": {said}, {outcome.seconds:.0f} s", err=True)
    _write(outcomes, folder, time.perf_counter() - began)
    failed = [one for one in outcomes if one.failure and not one.is_left_out]
    sys.exit(1 if failed else 0)


def _write(outcomes: Sequence[Outcome], folder: Path, seconds: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = statement_report.about(seconds)
    text = statement_report.markdown(about, outcomes)
    (folder / "report.md").write_text(text)
    (folder / "report.json").write_text(statement_report.as_json(about, outcomes))
    (folder / "report.svg").write_text(statement_report.charts(outcomes))
    click.echo(text)
    click.echo(f"{folder}/report.md, report.json, report.svg", err=True)


if __name__ == "__main__":
    main()
