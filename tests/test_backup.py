"""Backups: whole, taken beside any load, and refused when a bit of them is wrong."""

import json
import os
import signal
import subprocess
import sys

import pytest

from catalog_store.design_changes import Author
from catalog_store.design_records import Ref
from catalog_store.design_store import DesignStore
from catalog_store.records import Environment
from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.lmdb_env import open_lmdb_env
from contact_store.profiles import ProfileStore
from server.backup import BackupError, back_up, restore
from server.client import Client
from server.data_folder import DataFolder
from server.wire import decision_pb2 as pb
from tests import test_doctor
from tests.bank import environment, offer, publish
from tests.servers import BANK, DEADLINE_SECONDS, ROOT, run, serving
from tests.test_doctor import ATTRIBUTES, NOW_MS, doctor
from tests.test_history import NEW, append

folder = test_doctor.folder
CONTACTS = 40


def made(folder, target):
    return back_up(folder, target, NOW_MS, lambda *_: None)


def restored(source, root):
    restore(source, DataFolder(root), lambda *_: None)
    return DataFolder(root)


def entries(path):
    """Everything in a store, table by table."""
    found = {}
    with open_lmdb_env(path, databases_max=60) as lmdb_env:
        with lmdb_env.begin() as txn:
            names = [key for key, value in txn.cursor() if len(value) == 48]
        for name in names:
            handle = lmdb_env.open_db(name, create=False)
            with lmdb_env.begin() as txn:
                found[name] = list(txn.cursor(db=handle))
        with lmdb_env.begin() as txn:
            found[None] = [pair for pair in txn.cursor() if pair[0] not in names]
    return found


def test_a_restored_folder_holds_the_same(folder, tmp_path):
    """Every entry of both stores, every revision, and the pointer.

    But for what keeps it from giving ids that were given since: see
    test_restored_ids.py.
    """
    made(folder, tmp_path / "backup")
    again = restored(tmp_path / "backup", tmp_path / "again")

    before, after = entries(folder.history), entries(again.history)
    differing = {key for key, _ in set(before.pop(None)) ^ set(after.pop(None))}
    assert differing == {b"clock", b"id-key:\x01", b"id-key:\x02"}
    assert before == after
    assert entries(folder.profiles) == entries(again.profiles)
    for name in ("CURRENT", "revisions/1.json", "revisions/2.json"):
        assert (again.catalog / name).read_bytes() == (
            folder.catalog / name
        ).read_bytes()
    assert doctor(again) == []
    with ProfileStore(again.profiles) as profiles:
        assert profiles.count("bank") == 2
        assert len(list(profiles.scan("bank", ATTRIBUTES, None))) == 2


def test_the_design_comes_back_with_its_past(tmp_path):
    """Alone if there is nothing else yet: records, and every change of them."""
    folder, ref = DataFolder(tmp_path / "data"), Ref("bank")
    with DesignStore(folder.design) as store:
        for label in ("First", "Second"):
            with store.changing(Author("x", NOW_MS, "test")) as changing:
                changing.transaction.put(ref, Environment(name="bank", label=label))
    made(folder, tmp_path / "backup")
    again = restored(tmp_path / "backup", tmp_path / "again")

    with DesignStore(again.design) as store:
        assert store.design().records[ref].record.label == "Second"
        assert [number for number, _ in store.entries_of(ref)] == [2, 1]


def files_of(backup):
    return sorted(p for p in backup.rglob("*") if p.is_file())


@pytest.mark.parametrize("number", range(11))
@pytest.mark.parametrize("what", ["bit", "length", "missing"])
def test_a_backup_with_anything_wrong_is_refused(folder, tmp_path, number, what):
    """Whichever file it is in, by name; nothing is restored."""
    made(folder, tmp_path / "backup")
    path = files_of(tmp_path / "backup")[number]
    path.chmod(0o600)
    data = path.read_bytes()
    if what == "bit":
        at = len(data) // 2
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    elif what == "length":
        os.truncate(path, len(data) - 1)
    else:
        path.unlink()
    said = f"is damaged: .*{path.name}" if number else None
    with pytest.raises(BackupError, match=said):
        restored(tmp_path / "backup", tmp_path / "again")
    assert len(files_of(tmp_path / "backup")) == 11 - (what == "missing")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../outside", "not files of a backup"),
        ("/etc/passwd", "not files of a backup"),
        ("history/../../outside", "not files of a backup"),
        ("catalog/files/x.mdb", "not files of a backup"),
    ],
)
def test_a_manifest_cannot_name_other_files(folder, tmp_path, path, message):
    """Neither to read nor to write."""
    made(folder, tmp_path / "backup")
    manifest = tmp_path / "backup" / "backup.json"
    said = json.loads(manifest.read_bytes())
    said["files"][0]["path"] = path
    manifest.write_text(json.dumps(said))

    with pytest.raises(BackupError, match=message):
        restored(tmp_path / "backup", tmp_path / "again")


def test_a_symbolic_link_is_no_file_of_a_backup(folder, tmp_path):
    """It could lead to what is not the backup's."""
    made(folder, tmp_path / "backup")
    path = tmp_path / "backup" / "history" / "data.mdb"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BackupError, match=r"history/data\.mdb: missing"):
        restored(tmp_path / "backup", tmp_path / "again")


def test_nothing_is_overwritten(folder, tmp_path):
    """Neither by a backup nor by a restored folder."""
    made(folder, tmp_path / "backup")
    with pytest.raises(BackupError, match="is there already"):
        made(folder, tmp_path / "backup")
    with pytest.raises(BackupError, match="is not empty"):
        restored(tmp_path / "backup", folder.root)
    with pytest.raises(BackupError, match="holds no data"):
        made(DataFolder(tmp_path / "nothing"), tmp_path / "other")
    (tmp_path / "empty").mkdir()

    assert doctor(restored(tmp_path / "backup", tmp_path / "empty")) == []


BACKING_UP = """
import sys
from pathlib import Path
from server.backup import back_up
from server.data_folder import DataFolder

def said(stage, done, total):
    print(stage, flush=True)
    sys.stdin.readline()

back_up(DataFolder(Path(sys.argv[1])), Path(sys.argv[2]), 1, said)
"""


@pytest.mark.parametrize("stage", ["history", "profiles", "catalog", "sha256"])
def test_a_backup_that_is_killed_leaves_nothing_under_its_name(folder, tmp_path, stage):
    """And the next one to the same name is whole."""
    target = tmp_path / "backup"
    command = [sys.executable, "-c", BACKING_UP, str(folder.root), str(target)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        while child.stdout.readline().strip() != stage:
            assert child.poll() is None
            child.stdin.write("\n")
            child.stdin.flush()
        os.kill(child.pid, signal.SIGKILL)
    left = target.exists()
    made(folder, target)

    assert not left
    assert doctor(restored(target, tmp_path / "again")) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "backup", "data"]


def bank_folder(tmp_path, bank_contacts):
    data = tmp_path / "data"
    run("catalog", "publish", BANK, "--data", data)
    run(
        *("contacts", "import", bank_contacts, "--environment", "recipient"),
        *("--key", "client", "--data", data),
    )
    return data


def request(contact, *, dry_run=False):
    asked = pb.ProposeRequest(
        contact_id=contact, environment="recipient", dry_run=dry_run
    )
    asked.context.update({"page": "home", "language": "en", "device": "mobile"})
    asked.spaces.add(space="web_home_hero", max_propositions=2)
    return asked


def contacts_of(bank_contacts):
    lines = bank_contacts.read_text().splitlines()
    place = lines[0].split(",").index("client")
    return [line.split(",")[place] for line in lines[1 : CONTACTS + 1]]


def weights(server, contacts):
    """What each would be proposed now; ties are drawn, weights are not."""
    client = Client.connect(server.decisions, DEADLINE_SECONDS)
    answers = [client.propose(request(one, dry_run=True)) for one in contacts]
    client.close()
    return [
        [p.weight for result in answer.results for p in result.propositions]
        for answer in answers
    ]


def test_a_restored_server_answers_as_the_first_one(tmp_path, bank_contacts):
    """With the same past, and the ids that were given out before."""
    data = bank_folder(tmp_path, bank_contacts)
    contacts = contacts_of(bank_contacts)
    with serving(data) as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        answers = [client.propose(request(one)) for one in contacts]
        ids = [
            p.proposition_id for a in answers for r in a.results for p in r.propositions
        ]
        run("backup", tmp_path / "backup", "--data", data)
        expected = weights(server, contacts)
        client.close()
    run("restore", tmp_path / "backup", "--data", tmp_path / "again")
    with serving(tmp_path / "again") as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        actual = weights(server, contacts)
        updated = [
            client.update_proposition(
                pb.UpdatePropositionRequest(
                    proposition_id=one, status="PROPOSITION_STATUS_ACCEPTED"
                )
            )
            for one in ids
        ]
        client.close()

    assert expected == actual
    assert len(updated) == len(ids) > CONTACTS
    assert any(expected)


PROPOSING = """
import sys
from server.client import Client
from server.wire import decision_pb2 as pb

client = Client.connect(sys.argv[1], 60.0)
number = 0
while True:
    number += 1
    asked = pb.ProposeRequest(contact_id=f"{sys.argv[2]}-{number % 500}")
    asked.spaces.add(space="banner", max_propositions=2)
    answer = client.propose(asked)
    for result in answer.results:
        for made in result.propositions:
            print(made.proposition_id, flush=True)
"""


def test_a_backup_under_load_holds_what_was_acknowledged_before(tmp_path):
    """Three clients propose on two workers while it is taken; the doctor is content."""
    data = tmp_path / "data"
    publish(data / "catalog", environment([offer("gold"), offer("blue")]))
    with serving(data, workers=2) as server:
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", PROPOSING, server.decisions, str(number)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(3)
        ]
        try:
            before = [c.stdout.readline().strip() for c in clients for _ in range(40)]
            run("backup", tmp_path / "backup", "--data", data)
            # They were proposing all the time.
            assert all(client.stdout.readline() for client in clients)
            assert "nothing is wrong" in run("doctor", "--data", data)
        finally:
            for client in clients:
                client.kill()
                client.communicate()
    again = restored(tmp_path / "backup", tmp_path / "again")
    unknown = []
    with HistoryStore(again.history) as store, store.transaction() as txn:
        for one in before:
            try:
                txn.find(one)
            except UnknownProposition:
                unknown.append(one)

    assert (len(before), unknown) == (120, [])
    assert doctor(again) == []


def test_compaction_gives_back_what_was_deleted(tmp_path):
    """And nothing else changes; a folder that is open is refused."""
    data = DataFolder(tmp_path / "data")
    with HistoryStore(data.history) as store:
        for number in range(300):
            append(store, *[NEW] * 20, contact=f"C{number}")
        with store.transaction() as txn:
            for number in range(290):
                txn.erase("bank", f"C{number}")
        refused = run("doctor", "--data", data.root, "--compact", status=1)
    before = entries(data.history)
    said = json.loads(
        run("doctor", "--data", data.root, "--compact", "--output", "json")
    )

    (history,) = said
    assert "open in another process" in refused
    assert history["after_bytes"] < history["before_bytes"] / 4
    assert history["after_bytes"] == (data.history / "data.mdb").stat().st_size
    assert entries(data.history) == before
    with HistoryStore(data.history) as store:
        append(store, NEW, contact="C299")
        assert len(store.read("bank", "C299").propositions) == 21
