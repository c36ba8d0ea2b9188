"""`make serve`: the example bank, from files and a seed to a server that decides.

Does what a newcomer would do by hand, and shows each command; what is done already is
not done again.
"""

import signal
import subprocess
import sys
from pathlib import Path

from catalog_store.revisions import NothingPublished, Revisions
from server.data_folder import DataFolder
from server.publication import compile_files

BANK = Path("examples/bank/catalog")
DATA = Path("data")
CLIENTS = 20_000
SEED = "7"

PROPONO = Path(".venv/bin/propono")

CALLS = """
Ready. From another terminal, in this folder:

  # as a web page of a client who has signed in
  {propono} propose --space web_home_hero --space web_home_side --max 2 \\
      --contact C000002 --context page=home --context language=en
  # what became of it: an id from the answer, and a status
  {propono} update PROPOSITION accepted
  # as a page of somebody unknown
  {propono} propose --space web_home_side --max 2
  # from Python
  {python} examples/client.py

  # any tool that speaks gRPC; the server describes itself
  grpcurl -plaintext -d '{{"contactId": "C000002", "spaces": [{{"space": "web_home_side"}}]}}' \\
      {address} propono.v1.DecisionService/Propose
  # load: decide, but record nothing
  ghz --insecure --call propono.v1.DecisionService/Propose -n 20000 -c 50 --connections 4 \\
      -d '{{"contactId": "C000002", "dryRun": true, "spaces": [{{"space": "web_home_side"}}]}}' \\
      {address}

Ctrl-C stops the server.
"""  # noqa: E501


def main() -> int:
    if not is_published():
        propono("catalog", "publish", BANK, "--data", DATA)
    clients = DATA / f"clients-{CLIENTS}-{SEED}.csv"
    if not clients.exists():
        generate(clients)
    return serve()


def is_published() -> bool:
    """Whether the current revision says what the files say."""
    try:
        current = Revisions(DataFolder(DATA).catalog).current()
    except NothingPublished:
        return False
    return current.digest == compile_files(BANK).catalog.digest()


def generate(clients: Path) -> None:
    """Make clients and import them; the file is named last, when all is done."""
    partial = clients.with_suffix(".partial.csv")
    command = [sys.executable, "-m", "examples.bank.contacts", str(CLIENTS)]
    subprocess.run([*command, "--seed", SEED, "-o", str(partial)], check=True)
    propono(
        *("contacts", "import", partial, "--environment", "recipient"),
        *("--key", "client", "--data", DATA),
    )
    partial.rename(clients)


def serve() -> int:
    """Serve in the foreground; says what to call once the server is up."""
    command = [str(PROPONO), "serve", "--data", str(DATA), *sys.argv[1:]]
    print("$", *command, flush=True)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    # Ctrl-C reaches the server as well; this process waits until it has drained.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    assert server.stdout is not None
    for line in server.stdout:
        print(line, end="")
        if line.startswith("decisions on "):
            address = line.split()[2].rstrip(",")
            calls = CALLS.format(
                propono=PROPONO, python=PROPONO.with_name("python"), address=address
            )
            print(calls, flush=True)
    return server.wait()


def propono(*arguments: object) -> None:
    print("$", PROPONO, *arguments, flush=True)
    subprocess.run([str(PROPONO), *map(str, arguments)], check=True)


if __name__ == "__main__":
    sys.exit(main())
