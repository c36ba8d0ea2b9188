"""Faults of processes and disks: nothing that was acknowledged is ever lost."""

import os
import random
import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from catalog_store.records import Environment
from contact_store.doctor import Finding
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.lmdb_env import ReadTxn
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from server.client import CallFailed, Client
from server.data_folder import DataFolder
from server.doctor import examine
from server.wire import decision_pb2 as pb
from tests.bank import environment, offer, publish
from tests.faulty_disks import fill, loop_disk, small_disk, written_back
from tests.faulty_recording import (
    CALLS,
    STORE_FAILED_STATUS,
    Acknowledged,
    acknowledged_in,
    lost,
    recordings,
    request,
)
from tests.quota_bank import quota
from tests.servers import (
    DEADLINE_SECONDS,
    Server,
    children_of,
    run,
    serving,
    wait_until,
)

#: How often a process is killed while it records.
KILLS = int(os.environ.get("PROPONO_KILLS", "50"))
#: Of the moments at which something fails.
SEED = int(os.environ.get("PROPONO_SEED", "13"))
POWER_CUTS = 4
DISK_BYTES = 32 << 20
CALLS_UNTIL_FULL_MAX = 2_000
REFUSALS = 10
GOLD_TOTAL = QuotaPeriodKey(name_hash("environments/bank/quotas/scarce"), "total", None)


def counted_bank() -> Environment:
    """Two offers, always proposed; gold is counted under a quota without an end."""
    endless = quota(1_000_000, period="total", offers=("gold",))
    return environment([offer("gold"), offer("blue")], quotas=(endless,))


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """A data folder with a catalog."""
    made = DataFolder(tmp_path / "data")
    publish(made.catalog, counted_bank())
    return made


def findings(folder: DataFolder) -> list[Finding]:
    """What the doctor says."""
    return list(examine(folder, 0, lambda *_: None))


def test_a_killed_recorder_loses_nothing_and_leaves_the_store_whole(
    folder: DataFolder,
) -> None:
    """kill -9 of one of two in its commits, again and again; the other goes on."""
    moments = random.Random(SEED)
    with recordings("store", folder.root, "ab") as started:
        for kill in range(KILLS):
            for one in started:
                one.read(moments.randint(1, 60))
            moments.choice(started).kill_recorder()
            if kill % max(1, KILLS // 50) == 0:
                assert findings(folder) == [], f"seed {SEED}, kill {kill}"
        acknowledged = [i for one in started for i in one.killed()]
    with HistoryStore(folder.history) as history:
        gold = history.quota_used(GOLD_TOTAL)

    assert findings(folder) == []
    assert lost(folder, acknowledged) == [], f"seed {SEED}"
    assert len(set(acknowledged)) == len(acknowledged) >= KILLS
    # Gold is one of a call's two; what was in flight may have been stored as well.
    assert 0 <= gold - len(acknowledged) // 2 <= (KILLS + 2) * CALLS


def test_killed_workers_lose_nothing_that_their_clients_were_told(
    folder: DataFolder,
) -> None:
    """All workers of a server at once, while three clients ask for more."""
    with (
        serving(folder.root, 2) as server,
        recordings("server", server.decisions, "abc") as clients,
    ):
        for _ in range(max(1, KILLS // 16)):
            for one in clients:
                one.read(30)
            before = workers(server)
            for pid in before.values():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda before=before: restarted(server, before))
        for one in clients:
            one.read(30)
        acknowledged = [i for one in clients for i in one.killed()]

    assert lost(folder, acknowledged) == []
    assert findings(folder) == []


def workers(server: Server) -> dict[str, int]:
    found = children_of(server.process.pid)
    return {kind: pid for kind, pid in found.items() if kind.startswith("worker")}


def restarted(server: Server, before: dict[str, int]) -> bool:
    now = workers(server)
    return len(now) == len(before) and not set(now.values()) & set(before.values())


def proposed(client: Client, contact: str) -> list[Acknowledged]:
    """What is recorded for a contact; raises CallFailed."""
    return acknowledged_in(client.propose(request(contact)), contact)


def dry_proposed(client: Client, contact: str) -> int:
    (result,) = client.propose(request(contact, dry_run=True)).results
    return len(result.propositions)


def refused_with(call: Callable[[], object]) -> tuple[str, str] | None:
    """The code and the reason of what was refused; None when it was answered."""
    try:
        call()
    except CallFailed as failed:
        return failed.code, failed.reason
    return None


def accepted(client: Client, told: Acknowledged) -> bool:
    asked = pb.UpdatePropositionRequest(
        proposition_id=told.proposition_id, status="PROPOSITION_STATUS_ACCEPTED"
    )
    return client.update_proposition(asked).proposition_id == told.proposition_id


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_a_full_disk_stops_recording_and_nothing_else(
    tmp_path: Path, kind: str
) -> None:
    """UNAVAILABLE until there is space again; the same processes go on."""
    acknowledged: list[Acknowledged] = []
    full = ("UNAVAILABLE", "STORE_FAILED")
    with small_disk(kind, tmp_path, DISK_BYTES) as disk:
        folder = DataFolder(disk / "data")
        publish(folder.catalog, counted_bank())
        # Without the reserve, which keeps a disk from becoming so full.
        with serving(folder.root, 1, "--disk-reserve", "0") as server:
            client = Client.connect(server.decisions, DEADLINE_SECONDS)

            def record(contact: str) -> None:
                acknowledged.extend(proposed(client, contact))

            before = children_of(server.process.pid)
            for number in range(100):
                record(f"a{number}")
            fill(disk / "filler")
            # Those that find room in pages that were freed are answered.
            refused: list[tuple[str, str]] = []
            number = 0
            while len(refused) < REFUSALS and number < CALLS_UNTIL_FULL_MAX:
                number += 1
                refusal = refused_with(partial(record, f"b{number}"))
                refused += [refusal] if refusal else []
                assert dry_proposed(client, f"a{number % 100}") == 2
            updated = refused_with(partial(accepted, client, acknowledged[0]))
            (disk / "filler").unlink()
            for retried in range(1, number + 1):
                record(f"b{retried}")
            assert accepted(client, acknowledged[0])
            client.close()
            assert children_of(server.process.pid) == before

        assert refused == [full] * REFUSALS
        assert updated in (None, full)
        # Those that had been answered were answered the same again.
        assert len(set(acknowledged)) == 2 * (100 + number)
        assert lost(folder, acknowledged) == []
        assert findings(folder) == []


def places(path: Path, value: bytes) -> list[int]:
    """Where a value stands in a file; pages that were replaced hold it as well."""
    data = path.read_bytes()
    found = [data.find(value)]
    while found[-1] >= 0:
        found.append(data.find(value, found[-1] + 1))
    assert len(found) > 1
    return found[:-1]


def write(path: Path, offsets: Iterable[int], data: bytes) -> None:
    with path.open("r+b", buffering=0) as file:
        for offset in offsets:
            os.pwrite(file.fileno(), data, offset)


def flipped(value: bytes, bit: int) -> bytes:
    at = bit // 8
    return value[:at] + bytes([value[at] ^ 1 << bit % 8]) + value[at + 1 :]


def stored(folder: DataFolder, contact: str) -> bytes:
    """The bytes of a contact's record."""
    with HistoryStore(folder.history) as history:
        table = history.lmdb_env.open_db(b"records", create=False)
        with ReadTxn(history.lmdb_env) as txn:
            key = history.tables.find_key(txn, "bank", contact.encode())
            assert key is not None
            value = txn.get(key, db=table)
    assert value is not None
    return value


def test_a_flipped_bit_stops_one_contact_until_it_is_repaired(
    folder: DataFolder,
) -> None:
    """DATA_LOSS for it, recorded or not; others go on, those of its group included."""
    contacts = [f"c{number}" for number in range(8)]
    with serving(folder.root) as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        told = {contact: proposed(client, contact) for contact in contacts}
        value = stored(folder, "c3")
        path = folder.history / "data.mdb"
        write(path, places(path, value), flipped(value, 4 * len(value)))
        recorded = outcomes(client, [again(contact) for contact in contacts])
        dry = outcomes(client, [request(c, dry_run=True) for c in contacts])
        updated = refused_with(lambda: accepted(client, told["c3"][0]))
        (found,) = findings(folder)
        said = run("doctor", "--data", folder.root, status=1)
        run("doctor", "--data", folder.root, "--repair")
        repaired = outcomes(client, [again(contact) for contact in contacts])
        lost_with_it = refused_with(lambda: accepted(client, told["c3"][0]))
        assert accepted(client, told["c2"][0])
        client.close()

    damaged = ("DATA_LOSS", "CORRUPT_RECORD")
    assert recorded == dry == [damaged if c == "c3" else None for c in contacts]
    assert updated == damaged
    assert (found.store, found.table) == ("history", "records")
    assert "1 of 1 findings are not repaired" in said
    assert repaired == [None] * len(contacts)
    assert lost_with_it == ("NOT_FOUND", "UNKNOWN_PROPOSITION")
    assert findings(folder) == []


def again(contact: str) -> pb.ProposeRequest:
    """Another call for a contact, not a retry."""
    asked = request(contact)
    asked.request_id = ""
    return asked


def outcomes(
    client: Client, asked: list[pb.ProposeRequest]
) -> list[tuple[str, str] | None]:
    """Ask for all at once; who was refused, and why."""
    with ThreadPoolExecutor(len(asked)) as threads:
        return list(
            threads.map(lambda one: refused_with(lambda: client.propose(one)), asked)
        )


def test_no_bit_of_a_record_can_be_flipped_unseen(folder: DataFolder) -> None:
    """A record that differs in one bit is never read, whichever it is."""
    with recordings("store", folder.root, "r") as (recorder,):
        recorder.read(20)
        recorder.killed()
    value = stored(folder, "r.1-0-1")
    path = folder.history / "data.mdb"
    where = places(path, value)
    unseen: list[int] = []
    for bit in range(8 * len(value)):
        write(path, where, flipped(value, bit))
        with HistoryStore(folder.history) as history:
            try:
                history.read("bank", "r.1-0-1")
                unseen.append(bit)
            except CorruptRecord:
                continue
    write(path, where, value)

    assert unseen == []
    assert findings(folder) == []


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """What the kernel still held is gone; what had been answered is not."""
    acknowledged: list[Acknowledged] = []
    moments = random.Random(SEED)
    with loop_disk(tmp_path, DISK_BYTES) as disk:
        folder = DataFolder(disk.target / "data")
        publish(folder.catalog, counted_bank())
        os.sync()
        for cut in range(POWER_CUTS):
            with recordings("store", folder.root, [f"r{cut}"]) as (recorder,):
                recorder.read(moments.randint(100, 600))
                data = folder.history / "data.mdb"
                with written_back(data) if cut % 2 else nullcontext():
                    recorder.read(moments.randint(100, 600))
                    disk.cut_power()
                acknowledged += recorder.ended()
                assert recorder.process.returncode == STORE_FAILED_STATUS
            disk.power_on()
            assert lost(folder, acknowledged) == [], f"seed {SEED}, cut {cut}"
            assert "nothing is wrong" in run("doctor", "--data", folder.root)

    assert len(acknowledged) >= 200 * POWER_CUTS
