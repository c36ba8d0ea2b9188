"""Propono next to its peers.

    python -m bench.peers --offers 100 --output json

As JSON: one line a table, and a last one with notes and with what was left out.
"""

import json
from collections.abc import Iterable

import click

from bench.peers import in_process
from bench.peers.fairness import NOTES
from bench.peers.in_process import Measured
from bench.peers.work import work
from bench.timing import report

#: What the other figures of a table are compared with.
_OURS, _LOOP = "propono: match and best 3", "plain loop: every offer"


@click.command()
@click.option("--offers", type=int, multiple=True, default=(100,), show_default=True)
@click.option("--contacts", type=int, default=200, show_default=True)
@click.option("--seconds", type=float, default=1.0, show_default=True, help="A figure.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(offers: tuple[int, ...], contacts: int, seconds: float, output: str) -> None:
    """Compare answers, then time them."""
    left_out: dict[str, None] = {}
    for size in offers:
        found = list(in_process.measure(work(size, contacts), seconds))
        left_out |= {one: None for one in found if isinstance(one, str)}
        lines = [one for one in found if isinstance(one, Measured)]
        report(f"{size:,} offers, in one process", list(_rows(lines)), output)
    if output == "json":
        print(json.dumps({"notes": NOTES, "left out": list(left_out)}))
        return
    for note in (*NOTES, *left_out):
        print(f"- {note}")


def _rows(lines: list[Measured]) -> Iterable[dict[str, object]]:
    p50_us = {line.what: line.times.p50_us for line in lines}
    for line in lines:
        yield {
            "what": line.what,
            "setup s": round(line.setup_seconds, 3),
            "p50 us": line.times.p50_us,
            "p99 us": line.times.p99_us,
            "to propono": line.times.p50_us / p50_us[_OURS],
            "to plain loop": line.times.p50_us / p50_us[_LOOP],
        }


if __name__ == "__main__":
    main()
