"""What recording costs over the wire, on disks of any speed.

    python -m bench.recording
    python -m bench.recording --workers 1 --workers 2 --flush-ms 0 --flush-ms 10

The example bank, 64 calls in flight: dry runs alone, recorded calls alone, and dry runs
at a steady rate beside recorded ones, all against the same server. Flushes of the
server's processes are slowed by a library that is loaded into them; see
`bench.faulty_disk`.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench import ghz
from bench.faulty_disk import FaultyDisk
from bench.served_bank import Served, published, request, serving
from bench.timing import report

IN_FLIGHT, CONNECTIONS = 64, 8
#: Of dry runs beside others; about a tenth of what one worker can answer.
STEADY_RATE = 100.0


@click.command()
@click.option("--workers", type=int, multiple=True, default=(1,), show_default=True)
@click.option(
    "--flush-ms",
    type=float,
    multiple=True,
    default=(0.0, 1.0, 10.0),
    show_default=True,
    help="Added to each flush; a commit has two.",
)
@click.option("--seconds", type=float, default=5.0, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    workers: tuple[int, ...],
    flush_ms: tuple[float, ...],
    seconds: float,
    repeats: int,
    output: str,
) -> None:
    ghz.find()
    rows: list[dict[str, object]] = []
    for count in workers:
        with TemporaryDirectory() as scratch:
            data = Path(scratch) / "data"
            data.mkdir()
            published(data)
            disk = FaultyDisk(data, Path(scratch))
            with serving(data, count, disk.variables) as served:
                for delay in flush_ms:
                    disk.slow(delay)
                    measured = [_measured(served, seconds) for _ in range(repeats)]
                    on = {"workers": count, "flush_ms": delay}
                    rows += [on | one for one in measured]
    title = f"recording, {IN_FLIGHT} in flight, {CONNECTIONS} connections"
    report(title, rows, output)


def _measured(served: Served, seconds: float) -> dict[str, object]:
    def load(*, dry_run: bool, rate: float | None = None) -> ghz.Load:
        return ghz.Load(
            served.address,
            request(dry_run=dry_run),
            IN_FLIGHT,
            CONNECTIONS,
            seconds,
            rate,
        )

    steady = load(dry_run=True, rate=STEADY_RATE)
    dry = ghz.run(load(dry_run=True))
    used = served.cpu_seconds()
    recorded = ghz.run(load(dry_run=False))
    used = served.cpu_seconds() - used
    alone = ghz.run(steady)
    recording = ghz.start(load(dry_run=False)._replace(in_flight=8))
    beside = ghz.run(steady._replace(seconds=seconds * 0.8))
    ghz.finish(recording)
    errors = [one.errors for one in (dry, recorded, alone, beside) if one.errors]
    return {
        "dry_rate": round(dry.rate),
        "recorded_rate": round(recorded.rate),
        "recorded/dry": round(recorded.rate / dry.rate, 2),
        "recorded_cpu_us": round(used / recorded.calls * 1e6),
        "recorded_p99_ms": round(recorded.p99_ms, 1),
        "steady_dry_p99_ms": round(alone.p99_ms, 2),
        "beside_recorded_p99_ms": round(beside.p99_ms, 2),
        "beside/alone": round(beside.p99_ms / alone.p99_ms, 2),
        "errors": str(errors) if errors else "none",
    }


if __name__ == "__main__":
    main()
