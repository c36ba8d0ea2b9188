"""The audit log of a server: every change and every refusal, on both ports."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from server.access.permissions import PERMISSIONS
from server.access.roles import Role
from server.audit.entries import ASKED, Entry
from server.audit.reading import read_log
from server.client import call_failed
from tests.access import (
    ADMIN_PORT,
    DECISION_PORT,
    Method,
    bearer,
    give_token,
    methods_in,
    outcome,
)
from tests.servers import Server, run, serving, wait_until

CHANGES = [
    method
    for method in methods_in((*ADMIN_PORT, *DECISION_PORT))
    if PERMISSIONS[method.path].is_change
]
ERASE = Method("/propono.v1.ContactService/DeleteContact")
LIST_REVISIONS = Method("/propono.v1.AdminService/ListRevisions")
PROPOSE = Method("/propono.v1.DecisionService/Propose")
UPSERT = Method("/propono.v1.ContactService/UpsertContacts", takes_stream=True)


class Audited(NamedTuple):
    """A server that asks everybody, and a token of each role."""

    server: Server
    tokens: dict[Role, str]

    @property
    def folder(self) -> Path:
        return self.server.data / "audit"

    def call(self, method: Method, role: Role) -> str:
        """The code that a call comes to."""
        return self.send(method, bearer(self.tokens[role])).code().name

    def send(
        self, method: Method, metadata: tuple[tuple[str, str], ...]
    ) -> grpc.RpcError:
        is_decision = "DecisionService" in method.path
        address = self.server.decisions if is_decision else self.server.admin
        with grpc.insecure_channel(address) as channel:
            return outcome(channel, method, metadata)

    def written_by(self, *calls: tuple[Method, Role]) -> list[Entry]:
        """What these calls added to the log."""
        before = len(entries(self.folder))
        for method, role in calls:
            self.call(method, role)
        return entries(self.folder)[before:]


def entries(folder: Path) -> list[Entry]:
    return [line.entry for line in read_log(folder)]


@pytest.fixture
def audited(tmp_path: Path) -> Generator[Audited]:
    data = tmp_path / "data"
    data.mkdir()
    tokens = {role: give_token(data, role) for role in Role}
    with serving(data, 1, "--auth", "required") as server:
        yield Audited(server, tokens)


def test_every_change_is_in_the_log_before_and_after(audited: Audited) -> None:
    """All methods that the table calls changes: who, what, from where, what came."""
    assert len(CHANGES) == 41
    for number, method in enumerate(CHANGES):
        code = audited.call(method, Role.ADMINISTRATOR)
        # A refusal reaches the caller before the log.
        wait_until(lambda n=number: len(entries(audited.folder)) == 2 * n + 2)
        asked, ended = entries(audited.folder)[-2:]
        assert (asked.method, asked.result) == (method.path, ASKED)
        assert (ended.method, ended.result) == (method.path, code)
        assert ended.asked == asked.number
        assert asked.at <= ended.at
        for entry in (asked, ended):
            assert (entry.who, entry.role) == ("administrator", "administrator")
            assert entry.known_by.startswith("token ")
            assert entry.peer.startswith("ipv4:127.0.0.1:")
            assert entry.resource


def test_reading_and_deciding_are_not(audited: Audited) -> None:
    """The history keeps decisions; who reads changes nothing."""
    reads = {*methods_in((*ADMIN_PORT, *DECISION_PORT))} - {*CHANGES}

    assert audited.written_by(*((m, Role.ADMINISTRATOR) for m in reads)) == []


def test_refused_attempts_are_told_apart_by_caller_and_method(audited: Audited) -> None:
    """On both ports; the first of each is written at once."""
    auditor = audited.written_by(
        *[(ERASE, Role.AUDITOR)] * 5, *[(PROPOSE, Role.AUDITOR)] * 3
    )
    assert [(e.who, e.role, e.method, e.result, e.count) for e in auditor] == [
        ("auditor", "auditor", ERASE.path, "PERMISSION_DENIED", 1),
        ("auditor", "auditor", PROPOSE.path, "PERMISSION_DENIED", 1),
    ]


def test_what_was_counted_is_written_when_the_server_stops(tmp_path: Path) -> None:
    """Strangers are one line, and one number for all that they tried after it."""
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, 1, "--auth", "required") as server:
        for address, tried in (
            (server.admin, [LIST_REVISIONS, ERASE, UPSERT]),
            (server.decisions, [PROPOSE] * 6),
        ):
            with grpc.insecure_channel(address) as channel:
                for method in tried:
                    outcome(channel, method, bearer("wrong"))
    found = entries(data / "audit")

    assert {(e.who, e.result) for e in found} == {("", "UNAUTHENTICATED")}
    assert sorted(e.count for e in found) == [1, 1, 2, 5]
    assert all(e.since is not None and e.since <= e.at for e in found if e.count > 1)


def test_what_cannot_be_audited_is_not_done(audited: Audited) -> None:
    """No change, and a reason; what changes nothing goes on."""
    audited.folder.touch()
    for method in (ERASE, UPSERT):
        refused = call_failed(
            audited.send(method, bearer(audited.tokens[Role.ADMINISTRATOR]))
        )
        assert (refused.code, refused.reason) == ("UNAVAILABLE", "AUDIT_FAILED")
        assert "audit log cannot be written" in str(refused)
    assert audited.call(LIST_REVISIONS, Role.ADMINISTRATOR) == "OK"
    assert audited.call(ERASE, Role.AUDITOR) == "PERMISSION_DENIED"

    audited.folder.unlink()
    assert audited.call(ERASE, Role.ADMINISTRATOR) == "INVALID_ARGUMENT"
    wait_until(lambda: len(entries(audited.folder)) == 2)


def test_no_token_gets_into_the_log(audited: Audited) -> None:
    """Good or bad, of callers or of commands."""
    made = run("tokens", "create", "--role", "auditor", "--data", audited.server.data)
    secrets = [*audited.tokens.values(), made.strip(), "propono_guess"]
    for secret in secrets:
        audited.send(ERASE, bearer(secret))
    text = b"".join(p.read_bytes() for p in audited.folder.iterdir()).decode()

    assert "UNAUTHENTICATED" in text
    assert [s for s in secrets if s.rpartition("_")[2] in text] == []
