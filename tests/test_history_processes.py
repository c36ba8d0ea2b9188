"""Several processes on one history, and processes that die."""

import subprocess
import sys
from pathlib import Path

from contact_store.history import HistoryStore
from contact_store.records import PropositionStatus

ROOT = Path(__file__).parent.parent

APPENDING = """
import sys
from pathlib import Path
from contact_store.history import HistoryStore
from contact_store.records import Proposition, PropositionStatus

path, contact, interaction, count = sys.argv[1:]
made = Proposition(
    interaction=int(interaction), offer=1, category=2, space=3, channel=1,
    weight=1.0, rank=1, status=PropositionStatus.PRESENTED, event_time_ms=1,
    decided_at_ms=1,
)
with HistoryStore(Path(path)) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for _ in range(int(count)):
        with store.transaction() as txn:
            ((proposition_id, _),) = txn.append("bank", contact, made)
        print(proposition_id, flush=True)
"""


def appending(path, interaction, count):
    return subprocess.Popen(
        [sys.executable, "-c", APPENDING, path, "C1", str(interaction), str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def begin(child):
    assert child.stdout.readline() == "open\n"


def go(child):
    child.stdin.write("go\n")
    child.stdin.flush()


def test_two_processes_appending_to_one_contact_lose_nothing(tmp_path):
    """Every proposition of both is there, each with a sequence of its own."""
    with appending(tmp_path, 1, 150) as one, appending(tmp_path, 2, 150) as two:
        for child in (one, two):
            begin(child)
        for child in (one, two):
            go(child)
        for child in (one, two):
            child.stdout.read()

    with HistoryStore(tmp_path) as store:
        record = store.read("bank", "C1")
    made = record.propositions
    assert [one.returncode, two.returncode] == [0, 0]
    assert list(range(1, 301)) == [proposition.sequence for proposition in made]
    assert [sum(p.interaction == n for p in made) for n in (1, 2)] == [150, 150]
    assert record.version == 300


def test_a_killed_process_loses_nothing_acknowledged(tmp_path):
    """kill -9 again and again while it appends; every id it printed is known."""
    acknowledged = []
    for _ in range(8):
        with appending(tmp_path, 1, 1_000_000) as child:
            begin(child)
            go(child)
            acknowledged += [child.stdout.readline().strip() for _ in range(25)]
            child.kill()
            # What it printed before it died was acknowledged too.
            acknowledged += [
                line.strip() for line in child.stdout if line.endswith("\n")
            ]

    with HistoryStore(tmp_path) as store:
        with store.transaction() as txn:
            for proposition_id in acknowledged:
                txn.update(proposition_id, PropositionStatus.ACCEPTED, None, 2)
        record = store.read("bank", "C1")
    statuses = [proposition.status for proposition in record.propositions]
    assert len(set(acknowledged)) == len(acknowledged) >= 200
    assert statuses.count(PropositionStatus.ACCEPTED) == len(acknowledged)
    # At most one commit of each process was not acknowledged.
    assert len(statuses) - len(acknowledged) <= 8
