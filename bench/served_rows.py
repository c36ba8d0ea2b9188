"""A generated catalog of any size behind a port, and requests for it.

    python -m bench.served_rows --offers 10000

Serves it until Ctrl-C, for whoever wants to look. Each offer has three weight rows of
its own and inherits five; twenty multipliers have windows, half of them open; five
presentation rules count a contact's past. The catalog is compiled once and kept in
`build/bench`. Contacts have eighteen attributes, some of them unknown, and a request
brings two more.
"""

import csv
import json
import shutil
import signal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click
from google.protobuf.json_format import ParseDict

from bench import revisions
from bench.attributes import CONTACT, CONTEXT, Value
from bench.catalogs import ENVIRONMENT, INHERITED_ROWS, SPACE, Shape, callers
from bench.served_bank import propono, serving
from compiler.runtime.values import MISSING
from server.data_folder import DataFolder
from server.wire import decision_pb2 as pb

#: Offers unless more are asked for.
OFFERS = 10_000
OWN_ROWS = 3
#: Contacts with profiles. Recorded calls fill their pasts: a contact gets something
#: about seven times.
CONTACTS = 20_000
#: Propositions of one call.
PROPOSITIONS = 3
#: Rules that differ: compiling more takes many minutes.
DISTINCT_RULES_MAX = 30_000


def shape(offers: int = OFFERS) -> Shape:
    """The catalog that is served."""
    return Shape(
        rows=offers * (OWN_ROWS + INHERITED_ROWS),
        own_rows=OWN_ROWS,
        inheriting=True,
        multipliers=20,
        presentation_rules=5,
        distinct_rules=min(offers * OWN_ROWS, DISTINCT_RULES_MAX),
        lasting=True,
    )


def published(
    data: Path,
    offers: int = OFFERS,
    contacts: int = CONTACTS,
    kept: Path = revisions.KEPT,
) -> None:
    """Publish such a catalog and import contacts into a new data folder."""
    compiled, _ = revisions.published(shape(offers), kept)
    shutil.copytree(compiled.folder, DataFolder(data).catalog)
    clients = data / "clients.csv"
    make_contacts(clients, offers, contacts)
    propono(
        *("contacts", "import", str(clients), "--environment", ENVIRONMENT),
        *("--key", "id", "--data", str(data)),
    )


def make_contacts(file: Path, offers: int, count: int) -> None:
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["id", *(kind.name for kind in CONTACT)])
        for number, caller in enumerate(callers(shape(offers), count), 1):
            writer.writerow([_contact_id(number), *map(_cell, caller.contact)])


def make_request_files(folder: Path, contacts: int = CONTACTS) -> tuple[Path, Path]:
    """A Propose for each contact, in any order, as ghz reads them: dry and recorded."""
    dry, recorded = folder / "dry.json", folder / "recorded.json"
    for file, is_dry in ((dry, True), (recorded, False)):
        random = Random(3)
        order = random.sample(range(1, contacts + 1), contacts)
        made = [_fields(number, random, dry_run=is_dry) for number in order]
        file.write_text(json.dumps(made))
    return dry, recorded


def shuffle(file: Path, seed: int) -> None:
    """Put the requests of such a file in another order: ghz begins with the first."""
    made = json.loads(file.read_text())
    Random(seed).shuffle(made)
    file.write_text(json.dumps(made))


def request(number: int, *, dry_run: bool = True) -> pb.ProposeRequest:
    """The same for one contact, from 1 on."""
    return ParseDict(
        _fields(number, Random(number), dry_run=dry_run), pb.ProposeRequest()
    )


def _contact_id(number: int) -> str:
    return f"C{number:06}"


def _fields(number: int, random: Random, *, dry_run: bool) -> dict[str, object]:
    return {
        "contact_id": _contact_id(number),
        "spaces": [{"space": SPACE, "max_propositions": PROPOSITIONS}],
        "context": {kind.name: kind.value(random) for kind in CONTEXT},
        "dry_run": dry_run,
    }


def _cell(value: Value) -> str:
    if value is MISSING:
        return ""
    return json.dumps(value) if isinstance(value, bool) else str(value)


@click.command()
@click.option("--offers", type=int, default=OFFERS, show_default=True)
@click.option("--workers", type=int, default=1, show_default=True)
@click.option("--cpu", type=int, help="The core that all of it runs on.")
def main(offers: int, workers: int, cpu: int | None) -> None:
    with TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        published(data, offers)
        dry, recorded = make_request_files(Path(scratch))
        with serving(data, workers, cpu=cpu) as served:
            click.echo(f"decisions on {served.address}, requests in {dry}, {recorded}")
            # Ctrl-C reaches the server as well.
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
