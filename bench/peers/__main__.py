"""Propono next to its peers.

    python -m bench.peers --offers 100 --output json

As JSON: one line a table, and a last one with versions, notes and what was left out.
"""

import json

import click

from bench import ghz
from bench.peers import in_process, served, tables
from bench.peers.fairness import NOTES, versions
from bench.peers.in_process import Measured
from bench.peers.served import Served
from bench.peers.work import Work, work
from bench.timing import report


@click.command()
@click.option("--offers", type=int, multiple=True, default=(100,), show_default=True)
@click.option("--contacts", type=int, default=100, show_default=True)
@click.option("--seconds", type=float, default=2.0, show_default=True, help="A run.")
@click.option("--repeats", type=int, default=3, show_default=True, help="Runs.")
@click.option("--in-process-only", is_flag=True, help="Without servers, and ghz.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    offers: tuple[int, ...],
    contacts: int,
    seconds: float,
    repeats: int,
    in_process_only: bool,
    output: str,
) -> None:
    """Compare answers, then time them."""
    left_out: dict[str, None] = {}
    for size in offers:
        made = work(size, contacts)
        left_out |= dict.fromkeys(_in_process(made, seconds, output))
        if in_process_only:
            continue
        try:
            ghz.find()
        except ghz.NoGhz as absent:
            left_out[f"servers: {absent.message}"] = None
        else:
            left_out |= dict.fromkeys(_served(made, seconds, repeats, output))
    if output == "json":
        about = {"versions": versions(), "notes": NOTES, "left out": list(left_out)}
        print(json.dumps(about))
        return
    for note in (versions(), *NOTES, *left_out):
        print(f"- {note}")


def _in_process(made: Work, seconds: float, output: str) -> list[str]:
    """Returns what is left out."""
    lines: list[Measured] = []
    left_out: list[str] = []
    for one in in_process.measure(made, seconds):
        if isinstance(one, str):
            left_out.append(one)
        else:
            lines.append(one)
            _progress(made, one.what)
    title = f"{len(made.offers):,} offers, in one process"
    report(title, list(tables.in_process(lines)), output)
    return left_out


def _served(made: Work, seconds: float, repeats: int, output: str) -> list[str]:
    """Returns what is left out."""
    lines: list[Served] = []
    left_out: list[str] = []
    for one in served.measure(made, seconds, repeats):
        if isinstance(one, str):
            left_out.append(one)
        else:
            lines.append(one)
            _progress(made, one.what)
    title = f"{len(made.offers):,} offers, served, {served.IN_FLIGHT} in flight"
    report(title, list(tables.served(lines)), output)
    return left_out


def _progress(made: Work, what: str) -> None:
    click.echo(f"{len(made.offers):,} offers: {what}: done", err=True)


if __name__ == "__main__":
    main()
