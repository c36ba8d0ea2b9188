"""Roles and methods over the wire: all of them, on both ports of a real server."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from server.access.access_list import change_access_list, without_token
from server.access.permissions import PERMISSIONS, Need
from server.access.roles import Role
from server.access.tokens import id_of
from server.client import call_failed
from tests.access import (
    ADMIN_PORT,
    DECISION_PORT,
    STANDARD,
    Method,
    bearer,
    give_token,
    methods_in,
    outcome,
)
from tests.servers import Server, serving, wait_until

REFUSALS = {"UNAUTHENTICATED", "PERMISSION_DENIED"}
#: What a request with nothing in it may come to where it is let through.
ANSWERS = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "UNAVAILABLE", "UNIMPLEMENTED"}
#: An empty design cannot be published.
ANSWERS |= {"FAILED_PRECONDITION"}
PROPOSE = Method("/propono.v1.DecisionService/Propose")
LIST_REVISIONS = Method("/propono.v1.AdminService/ListRevisions")


class Closed(NamedTuple):
    """A server that asks everybody, and a token of each role."""

    server: Server
    tokens: dict[Role, str]
    log: Path


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Closed]:
    folder = tmp_path_factory.mktemp("closed")
    data = folder / "data"
    data.mkdir()
    tokens = {role: give_token(data, role) for role in Role}
    with (
        (folder / "log").open("w") as log,
        serving(
            data, 1, "--auth", "required", "--admin-failed", "1000", stderr=log
        ) as server,
    ):
        yield Closed(server, tokens, folder / "log")


def ports(server: Server) -> list[tuple[str, list[Method]]]:
    """Both addresses, and everything that is served there."""
    return [
        (server.decisions, [*methods_in(DECISION_PORT), *STANDARD]),
        (server.admin, [*methods_in(ADMIN_PORT), *STANDARD]),
    ]


def test_every_row_of_the_table_is_served_somewhere(closed: Closed) -> None:
    """So that the tests below try all of it."""
    tried = {method.path for _, methods in ports(closed.server) for method in methods}

    assert tried == PERMISSIONS.keys()


@pytest.mark.parametrize("role", Role)
def test_each_role_may_call_what_the_table_says(closed: Closed, role: Role) -> None:
    """Every method of both ports: let through, or PERMISSION_DENIED; nothing else."""
    wrong = list[str]()
    tried = 0
    for address, methods in ports(closed.server):
        with grpc.insecure_channel(address) as channel:
            for method in methods:
                code = outcome(channel, method, bearer(closed.tokens[role])).code().name
                may = role in PERMISSIONS[method.path].roles
                if code not in (ANSWERS if may else {"PERMISSION_DENIED"}):
                    wrong.append(f"{method.path}: {code}")
                tried += 1

    assert wrong == []
    assert tried == len(PERMISSIONS) + len(STANDARD)


def test_without_a_token_only_health_answers(closed: Closed) -> None:
    """On loopback too, where everybody is asked; with a reason and a remedy."""
    answered = set[str]()
    for address, methods in ports(closed.server):
        with grpc.insecure_channel(address) as channel:
            for method in methods:
                error = outcome(channel, method)
                if error.code() is not grpc.StatusCode.UNAUTHENTICATED:
                    answered.add(method.path)
                    continue
                failed = call_failed(error)
                assert failed.reason == "UNAUTHENTICATED"
                assert "propono tokens create" in str(failed)

    assert answered == {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}


def test_refusals_carry_reasons_that_programs_read(closed: Closed) -> None:
    """ErrorInfo tells an expired token from an unknown one and from a wrong role."""
    data = closed.server.data
    expired = give_token(data, Role.DECISION_CLIENT, expires_at_ms=1)
    auditor = closed.tokens[Role.AUDITOR]
    forged = auditor[:-64] + "0" * 64
    with grpc.insecure_channel(closed.server.decisions) as channel:

        def refusal(token: str) -> tuple[str, str]:
            failed = call_failed(outcome(channel, PROPOSE, bearer(token)))
            return failed.code, failed.reason

        # The server has to notice first that it was given.
        wait_until(lambda: refusal(expired) == ("UNAUTHENTICATED", "TOKEN_EXPIRED"))
        assert refusal(forged) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
        assert refusal(auditor) == ("PERMISSION_DENIED", "PERMISSION_DENIED")


def test_tokens_come_and_go_beside_a_running_server(closed: Closed) -> None:
    """On both ports, over connections that stay open, and without a restart."""
    data = closed.server.data
    with (
        grpc.insecure_channel(closed.server.decisions) as decisions,
        grpc.insecure_channel(closed.server.admin) as admin,
    ):
        token = give_token(data, Role.ADMINISTRATOR, "visiting")

        def refused(channel: grpc.Channel, method: Method) -> bool:
            return outcome(channel, method, bearer(token)).code().name in REFUSALS

        for channel, method in ((decisions, PROPOSE), (admin, LIST_REVISIONS)):
            wait_until(lambda c=channel, m=method: not refused(c, m))
        change_access_list(data / "access", lambda a: without_token(a, id_of(token)))
        for channel, method in ((decisions, PROPOSE), (admin, LIST_REVISIONS)):
            wait_until(lambda c=channel, m=method: refused(c, m))


def test_the_local_token_opens_both_ports_of_this_machine(closed: Closed) -> None:
    """DATA/admin.token is an administrator's."""
    text = (closed.server.data / "admin.token").read_text().strip()
    for address, method in (
        (closed.server.decisions, PROPOSE),
        (closed.server.admin, LIST_REVISIONS),
    ):
        with grpc.insecure_channel(address) as channel:
            assert outcome(channel, method, bearer(text)).code().name in ANSWERS


def test_an_open_port_decides_for_anyone_but_not_for_a_wrong_token(
    bank: Server,
) -> None:
    """Loopback without `--auth`: a token is not needed, and checked if it is sent."""
    with grpc.insecure_channel(bank.decisions) as channel:
        for method in methods_in(DECISION_PORT):
            needs = PERMISSIONS[method.path].need
            assert needs is Need.WHERE_REQUIRED
            assert outcome(channel, method).code().name not in REFUSALS
            wrong = outcome(channel, method, bearer("wrong"))
            assert wrong.code() is grpc.StatusCode.UNAUTHENTICATED


def test_refused_decisions_are_counted(closed: Closed) -> None:
    """Whoever watches the metrics sees a client that lost its token."""
    from urllib.request import urlopen

    with grpc.insecure_channel(closed.server.decisions) as channel:
        outcome(channel, PROPOSE)
    with urlopen(f"http://{closed.server.metrics}/metrics", timeout=10) as page:
        text = page.read().decode()

    assert 'propono_calls_total{code="UNAUTHENTICATED",method="Propose"}' in text


def test_secrets_are_in_no_log_and_no_file(closed: Closed) -> None:
    """Tokens right and wrong: their secrets stay with whoever sent them."""
    local = closed.server.data / "admin.token"
    made_up = ["propono_00112233aabb_" + "7e" * 32, "guess-me-if-you-can"]
    with grpc.insecure_channel(closed.server.admin) as channel:
        for token in (*closed.tokens.values(), *made_up):
            outcome(channel, LIST_REVISIONS, bearer(token))
    written = closed.log.read_text()
    for path in closed.server.data.rglob("*"):
        if path.is_file() and path != local and path.stat().st_size < 1 << 20:
            written += path.read_bytes().decode("latin-1")
    sent = [token.rpartition("_")[2] for token in (*closed.tokens.values(), *made_up)]
    # The machine's own token has no parts: a "_" in it is one of its characters.
    secrets = [*sent, local.read_text().strip()]

    assert "decision_client" in written
    assert [secret for secret in secrets if secret in written] == []
