"""`make bench-check`: whether anything has become much slower than it was.

    python -m bench.ratios              # in this process; no tool is needed
    python -m bench.ratios --served     # calls over a port too; needs ghz
    python -m bench.ratios --write      # make what is measured what it is compared with

Absolute times are a machine's. What is compared is a ratio: of what a thing takes to
what a fixed piece of Python takes, `yardstick`, or something that is done instead. The
two are timed in turn, in the processor's time of this thread, and the least of many
counts: others who use the machine add to some of them, and never to all. A ratio over
the one in ratios.json by more than its tolerance is measured again, and fails the third
time.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
import msgspec

from bench import ratio_subjects
from bench.ratio_subjects import Pair
from bench.timing import report

FILE = Path(__file__).parent / "ratios.json"
#: A sample takes about so long, and a ratio so many of either.
SAMPLE_NS, SAMPLES = 3_000_000, 25
TRIES = 3


class Known(msgspec.Struct, frozen=True):
    """What a ratio was, and how many times as much it may be."""

    ratio: float
    tolerance: float


class Compared(NamedTuple):
    """One ratio, and what it was."""

    name: str
    ratio: float
    known: Known

    @property
    def is_slower(self) -> bool:
        return self.ratio > self.known.ratio * self.known.tolerance

    def row(self) -> dict[str, object]:
        return {
            "what": self.name,
            "ratio": self.ratio,
            "was": self.known.ratio,
            "times": self.ratio / self.known.ratio,
            "tolerance": self.known.tolerance,
            "slower": "SLOWER" if self.is_slower else "",
        }


def ratio_of(pair: Pair) -> float:
    """The least of ours to the least of the other's, in turn."""
    ours, other = _Timed(pair.ours), _Timed(pair.other)
    gc.collect()
    gc.disable()
    try:
        for _ in range(SAMPLES):
            ours.sample()
            other.sample()
    finally:
        gc.enable()
    return ours.least / other.least


class _Timed:
    """Runs something often enough that the clock's steps do not matter."""

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run
        self.least = float("inf")
        self._times = 1
        run()
        self._times = max(1, int(SAMPLE_NS / self.sample()))
        self.least = float("inf")

    def sample(self) -> float:
        """Nanoseconds of one run."""
        run = self._run
        began = time.thread_time_ns()
        for _ in range(self._times):
            run()
        taken = max(1, time.thread_time_ns() - began) / self._times
        self.least = min(self.least, taken)
        return taken


def compare(pairs: Mapping[str, Pair], known: Mapping[str, Known]) -> list[Compared]:
    """Each ratio with what it was; those that are slower were so three times."""
    found: list[Compared] = []
    for name, pair in pairs.items():
        for _ in range(TRIES):
            compared = Compared(name, ratio_of(pair), known[name])
            if not compared.is_slower:
                break
        found.append(compared)
    return found


def read(file: Path) -> dict[str, Known]:
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Known])


def write(found: list[Compared], file: Path) -> None:
    """What was measured is what it is from now on; tolerances stay."""
    known = read(file)
    for one in found:
        known[one.name] = Known(float(f"{one.ratio:.3g}"), one.known.tolerance)
    text = json.dumps(msgspec.to_builtins(known), indent=2)
    file.write_text(f"{text}\n")


@click.command()
@click.option("--served", is_flag=True, help="Calls over a port too; needs ghz.")
@click.option("--write", "is_written", is_flag=True, help="Into the file.")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=FILE,
    help="What it is compared with.  [default: bench/ratios.json]",
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(served: bool, is_written: bool, file: Path, output: str) -> None:
    """Compare ratios with those in a file; ends with 1 when one is slower."""
    known = read(file)
    with TemporaryDirectory() as folder, ExitStack() as stack:
        found = compare(ratio_subjects.pairs(Path(folder), stack), known)
    if served:
        found += [
            Compared(name, ratio, known[name])
            for name, ratio in ratio_subjects.served().items()
        ]
    if is_written:
        write(found, file)
    report("Ratios", [one.row() for one in found], output)
    slower = [one.name for one in found if one.is_slower]
    if slower and not is_written:
        click.echo(f"slower than {file.name} allows: {'; '.join(slower)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
