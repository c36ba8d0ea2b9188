"""The highest rate that a server keeps up while its p99 stays under a bound.

    python -m bench.ladder                            # a generated catalog, served here
    python -m bench.ladder --bound-ms 10 --recorded
    python -m bench.ladder --address HOST:PORT --requests build/load/dry_run.json

Calls come at a rate, whatever the answers take; nothing waits for anything. The rate
doubles until a rung fails, and then what lies between is halved until it is known to a
twentieth. A rung holds if no call failed, p99 is under the bound, and the rate was
reached; one that fails is tried three times. It ends by itself, after thirty rungs at
most.
"""

from collections.abc import Callable, Iterator
from math import inf, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from bench import ghz, served_answers, served_rows
from bench.served_bank import serving
from bench.timing import report

CONNECTIONS = 8
#: Workers of ghz; none of them waits.
SENDERS = 64
#: Calls a second of the first rung, at least and at most.
START, RATE_MIN, RATE_MAX = 100.0, 10.0, 100_000.0
#: How far the highest that holds may be below the lowest that fails.
PRECISION = 1.05
#: Of the rate asked for; less is a server, or a client, that does not keep up.
REACHED = 0.95
#: Calls of a rung, a hundredth of which is above p99; at low rates there are fewer.
CALLS_MIN = 1_000
SECONDS_MAX = 20.0
RUNGS_MAX = 30
#: Of a rung that fails: a machine has other things to do too.
TRIES = 3
#: Cores of the server and of the client.
SERVER_CPU, CLIENT_CPU = 0, 1


class Rung(NamedTuple):
    """Calls at one rate."""

    asked: float
    answered: ghz.Answered
    #: Why it does not hold; empty when it does.
    failure: str

    @classmethod
    def of(cls, asked: float, answered: ghz.Answered, bound_ms: float) -> "Rung":
        failure = ""
        if answered.errors:
            failure = ", ".join(f"{n} {code}" for code, n in answered.errors.items())
        elif answered.rate < asked * REACHED:
            failure = "rate not reached"
        # Not `>`: without any answer p99 is no number.
        elif not answered.p99_ms <= bound_ms:
            failure = "p99"
        return cls(asked, answered, failure)


def climb(measure: Callable[[float], Rung], *, start: float = START) -> Iterator[Rung]:
    """Rungs until the highest rate that holds is known to PRECISION."""
    low, high = 0.0, inf
    rate = start
    for _ in range(RUNGS_MAX):
        rung = measure(rate)
        yield rung
        if rung.failure:
            high = rate
        else:
            low = rate
        if high <= max(low * PRECISION, RATE_MIN) or low == RATE_MAX:
            return
        if not low:
            rate = max(high / 2, RATE_MIN)
        elif high == inf:
            rate = min(low * 2, RATE_MAX)
        else:
            rate = sqrt(low * high)


@click.command()
@click.option("--bound-ms", type=click.FloatRange(0.1), default=5.0, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True)
@click.option("--start", type=click.FloatRange(RATE_MIN, RATE_MAX), default=START)
@click.option("--offers", default=served_rows.OFFERS, show_default=True)
@click.option("--contacts", default=served_rows.CONTACTS, show_default=True)
@click.option("--workers", type=int, default=1, show_default=True)
@click.option("--recorded", is_flag=True, help="Not dry runs.")
@click.option("--address", help="Of a server that is up already: nothing is compared.")
@click.option(
    "--requests",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For it, as bench.load_data makes them.",
)
@click.option("--unpinned", is_flag=True, help="On whatever cores there are.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    bound_ms: float,
    seconds: float,
    start: float,
    offers: int,
    contacts: int,
    workers: int,
    recorded: bool,
    address: str | None,
    requests: Path | None,
    unpinned: bool,
    output: str,
) -> None:
    """Find the highest rate whose p99 stays under a bound."""
    ghz.find()
    if (address is None) != (requests is None):
        raise click.UsageError("--address and --requests go together")
    if address is not None and recorded:
        raise click.UsageError("--recorded is of what is served here")
    server_cpu, client_cpu = (None, None) if unpinned else (SERVER_CPU, CLIENT_CPU)
    with TemporaryDirectory() as scratch:
        if address is not None and requests is not None:
            load = ghz.Load(address, "", SENDERS, CONNECTIONS, seconds, None, requests)
            rungs = _climbed(load, bound_ms, start)
        else:
            data = Path(scratch) / "data"
            data.mkdir()
            served_rows.published(data, offers, contacts)
            files = served_rows.make_request_files(Path(scratch), contacts)
            with serving(data, workers, cpu=server_cpu) as served:
                served_answers.check(served.address, offers)
                load = ghz.Load(served.address, "", SENDERS, CONNECTIONS, seconds)
                load = load._replace(requests=files[recorded], cpu=client_cpu)
                rungs = _climbed(load, bound_ms, start)
    report(_title(rungs, bound_ms), [_row(rung) for rung in rungs], output)


def _climbed(load: ghz.Load, bound_ms: float, start: float) -> list[Rung]:
    def once(rate: float) -> Rung:
        seconds = max(load.seconds, min(CALLS_MIN / rate, SECONDS_MAX))
        answered = ghz.run(load._replace(rate=rate, seconds=seconds))
        return Rung.of(rate, answered, bound_ms)

    def measure(rate: float) -> Rung:
        tries = (once(rate) for _ in range(TRIES))
        rung = next(tries)
        while rung.failure and (again := next(tries, None)) is not None:
            rung = again
        outcome = f"fails: {rung.failure}" if rung.failure else "holds"
        p99 = f"p99 {rung.answered.p99_ms:.2f} ms"
        click.echo(f"{rate:,.0f}/s {outcome}, {p99}", err=True)
        return rung

    # What comes first meets caches that are cold; it is no rung.
    once(start)
    return list(climb(measure, start=start))


def _title(rungs: list[Rung], bound_ms: float) -> str:
    held = [rung.asked for rung in rungs if not rung.failure]
    if not held:
        return f"no rate has its p99 under {bound_ms:g} ms"
    return f"p99 is under {bound_ms:g} ms up to {max(held):,.0f} calls/s"


def _row(rung: Rung) -> dict[str, object]:
    answered = rung.answered
    return {
        "asked/s": round(rung.asked),
        "answered/s": round(answered.rate),
        "p50 ms": round(answered.p50_ms, 2),
        "p99 ms": round(answered.p99_ms, 2),
        "p99.9 ms": round(answered.p999_ms, 2),
        "longest ms": round(answered.slowest_ms, 2),
        "errors": sum(answered.errors.values()),
        "holds": not rung.failure,
        "why not": rung.failure,
    }


if __name__ == "__main__":
    main()
