"""How many calls a second at most, when the client takes little of the machine.

    python -m bench.capacity --offers 10000

h2load instead of ghz: dry runs of a generated catalog next to echoes on grpcio's two
servers and on ours, 64 in flight; ratios are to the faster of grpcio's. It sends one
request a run, so each run is about another contact, and recorded calls, which would all
be of one contact, are not made. Calls that ended with an error are found in the
server's metrics: h2load takes them for answers.
"""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click

from bench import h2load, served_answers, served_rows
from bench.echo import CLIENT_CPU, CONNECTIONS, IN_FLIGHT, SERVER_CPU
from bench.echo_server import OURS, STACKS, echoing
from bench.served_bank import serving
from bench.timing import report
from server.client import Client


class Target:
    """What is called, and what came of it."""

    def __init__(self, address: str, metrics: str | None = None) -> None:
        self.address = address
        #: Where a server tells what it answered; an echo has one answer.
        self.metrics = metrics
        self.runs: list[h2load.Answered] = []
        self.errors = 0

    def call(self, request: Path, seconds: float, cpu: int | None) -> None:
        before = {} if self.metrics is None else h2load.codes(self.metrics)
        run = h2load.run(
            self.address,
            request,
            seconds=seconds,
            connections=CONNECTIONS,
            in_flight=IN_FLIGHT,
            cpu=cpu,
        )
        self.runs.append(run)
        self.errors += run.failed
        if self.metrics is not None:
            after = h2load.codes(self.metrics)
            # Those that the end of a run cut off are nobody's error.
            self.errors += sum(
                count - before.get(code, 0)
                for code, count in after.items()
                if code not in ("OK", "CANCELLED")
            )

    @property
    def rate(self) -> float:
        return median(run.rate for run in self.runs)


@click.command()
@click.option("--offers", default=served_rows.OFFERS, show_default=True)
@click.option("--contacts", default=2_000, show_default=True)
@click.option("--seconds", default=4.0, show_default=True)
@click.option("--repeats", default=3, show_default=True)
@click.option("--unpinned", is_flag=True, help="On whatever cores there are.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    offers: int,
    contacts: int,
    seconds: float,
    repeats: int,
    unpinned: bool,
    output: str,
) -> None:
    h2load.find()
    server_cpu, client_cpu = (None, None) if unpinned else (SERVER_CPU, CLIENT_CPU)
    with TemporaryDirectory() as scratch:
        data, answer = Path(scratch) / "data", Path(scratch) / "answer"
        data.mkdir()
        served_rows.published(data, offers, contacts)
        with (
            serving(data, 1, cpu=server_cpu) as served,
            echoing("aio", answer, server_cpu) as aio,
            echoing("threads", answer, server_cpu) as threads,
            echoing(OURS, answer, server_cpu) as ours,
        ):
            served_answers.check(served.address, offers, min(contacts, 20))
            answer.write_bytes(_one_answer(served.address))
            targets = {
                "echo, aio": Target(aio),
                "echo, threads": Target(threads),
                "echo, ours": Target(ours),
                "dry run": Target(served.address, served.metrics),
            }
            for number in range(1, repeats + 1):
                request = Path(scratch) / f"{number}.bin"
                h2load.write_request(request, served_rows.request(number))
                for target in targets.values():
                    target.call(request, seconds, client_cpu)
    report(
        f"h2load, {IN_FLIGHT} in flight, {CONNECTIONS} connections",
        rows_of(targets),
        output,
    )


def rows_of(targets: dict[str, Target]) -> list[dict[str, object]]:
    fastest = max(targets[f"echo, {stack}"].rate for stack in STACKS)
    rows: list[dict[str, object]] = []
    for name, target in targets.items():
        rates = sorted(run.rate for run in target.runs)
        rows.append(
            {
                "what": name,
                "calls/s": round(target.rate),
                "range": f"{rates[0]:.0f}-{rates[-1]:.0f}",
                "to echo": round(target.rate / fastest, 2),
                "errors": target.errors,
            }
        )
    return rows


def _one_answer(address: str) -> bytes:
    client = Client.connect(address, served_answers.TIMEOUT_SECONDS)
    try:
        return client.propose(served_rows.request(1)).SerializeToString()
    finally:
        client.close()


if __name__ == "__main__":
    main()
