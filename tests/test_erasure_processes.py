"""Erasure while other processes decide: each decision is wholly before or after."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contact_store.contact_ids import ContactName
from contact_store.erasure import erase
from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.admin_client import AdminClient
from server.client import CallFailed, Client
from server.client_access import ClientAccess
from server.wire import contact_pb2, decision_pb2
from tests.erased_contact import Stores, left_in_files
from tests.servers import Server
from tests.test_history_processes import APPENDING, ROOT, begin, go

GONE = ContactName("bank", "gone-contact")
ERASURES = 20


def deciding(path: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", APPENDING, path, "gone-contact", "1", "1000000"]
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_nothing_made_before_an_erasure_outlives_it(tmp_path: Path) -> None:
    """Two processes propose without pause; every id they had is unknown afterwards."""
    path = tmp_path / "history"
    with (
        HistoryStore(path) as history,
        ProfileStore(tmp_path / "profiles") as profiles,
        deciding(path) as one,
        deciding(path) as other,
    ):
        children = (one, other)
        for child in children:
            begin(child)
        for child in children:
            go(child)
        found = 0
        for _ in range(ERASURES):
            made = [child.stdout.readline().strip() for child in children]
            found += erase(history, profiles, GONE) is not None
            with history.transaction() as txn:
                for proposition_id in made:
                    with pytest.raises(UnknownProposition):
                        txn.find(proposition_id)
        for child in children:
            child.kill()
        for child in children:
            child.wait()
        erase(history, profiles, GONE)

        assert found >= 1
        assert history.read(*GONE) is None
        assert left_in_files(Stores(tmp_path, history, profiles), []) == []


def test_a_server_that_decides_meanwhile_fails_no_call(bank: Server) -> None:
    """Propose and erasure of one contact at once; what is last decides what is left."""
    token = (bank.data / "admin.token").read_text().strip()
    admin = AdminClient.connect(bank.admin, ClientAccess(token))
    client = Client.connect(bank.decisions, timeout_seconds=30.0)
    request = decision_pb2.ProposeRequest(contact_id="C000200")
    request.spaces.add(space="web_home_hero")
    update = decision_pb2.UpdatePropositionRequest(
        status=decision_pb2.PROPOSITION_STATUS_ACCEPTED
    )
    erasure = contact_pb2.DeleteContactRequest(contact_id="C000200")

    def propose(_: int) -> list[str]:
        asked = decision_pb2.ProposeRequest()
        asked.CopyFrom(request)
        answer = client.propose(asked)
        return [p.proposition_id for p in answer.results[0].propositions]

    try:
        with ThreadPoolExecutor(4) as threads:
            proposing = threads.map(propose, range(200))
            erased = sum(_was_there(admin, erasure) for _ in range(ERASURES))
            # Some answers are empty: presentation rules cap what one contact sees.
            ids = [one for made in proposing for one in made]
        _was_there(admin, erasure)

        assert erased >= 1
        assert len(set(ids)) == len(ids) >= 1
        for proposition_id in ids:
            update.proposition_id, update.request_id = proposition_id, ""
            with pytest.raises(CallFailed) as raised:
                client.update_proposition(update)
            assert raised.value.reason == "UNKNOWN_PROPOSITION"
        assert not _was_there(admin, erasure)
    finally:
        client.close()
        admin.close()


def _was_there(admin: AdminClient, erasure: contact_pb2.DeleteContactRequest) -> bool:
    try:
        admin.delete_contact(erasure)
    except CallFailed as failure:
        if failure.code != "NOT_FOUND":
            raise
        return False
    return True
