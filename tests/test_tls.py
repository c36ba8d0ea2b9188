"""TLS and mTLS over real ports: who gets in, and certificates replaced meanwhile."""

import os
import ssl
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from server.access.access_list import Identity, change_access_list, with_identity
from server.access.pem_files import PemFiles, TlsFiles
from server.access.roles import Role
from server.addresses import CannotServe, split_address
from server.client import CallFailed, Client, call_failed
from server.client_access import ClientAccess
from server.wire import decision_pb2 as pb
from tests.access import Method, bearer, give_token, outcome
from tests.certificates import Authority, Issued
from tests.servers import DEADLINE_SECONDS, PROPONO, Server, run, serving, wait_until

PROPOSE = Method("/propono.v1.DecisionService/Propose")
LIST_REVISIONS = Method("/propono.v1.AdminService/ListRevisions")
ROLLBACK = Method("/propono.v1.AdminService/Rollback")
ANN = "spiffe://bank/ann"


class Encrypted(NamedTuple):
    """A server with TLS on the decision port, and mTLS on the admin port."""

    server: Server
    authority: Authority
    folder: Path
    token: str
    log: Path


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Generator[Encrypted]:
    folder = tmp_path_factory.mktemp("tls")
    data = folder / "data"
    data.mkdir()
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.certificate)
    options = list[object]()
    for name, prefix in (("decisions", ""), ("admin", "admin-")):
        certificate, key = authority.issue().write(folder, name)
        options += [f"--{prefix}tls-cert", certificate, f"--{prefix}tls-key", key]
    options += ["--admin-client-ca", folder / "ca.pem"]
    ann = Identity(ANN, "ann", Role.AUDITOR, 0)
    change_access_list(data / "access", lambda access: with_identity(access, ann))
    token = give_token(data, Role.DECISION_CLIENT)
    with (
        (folder / "log").open("w") as log,
        serving(
            data, 1, "--admin-failed", "1000", *map(str, options), stderr=log
        ) as server,
    ):
        yield Encrypted(server, authority, folder, token, folder / "log")


def channel(
    at: Encrypted, client: Issued | None = None, *, admin: bool = False
) -> grpc.Channel:
    access = ClientAccess(
        tls_ca=at.authority.certificate,
        certificate=client and client.certificate,
        key=client and client.key,
    )
    return access.channel(at.server.admin if admin else at.server.decisions)


def served_certificate(address: str) -> bytes:
    """What a new connection is shown."""
    pem = ssl.get_server_certificate(split_address(address), timeout=DEADLINE_SECONDS)
    return pem.encode()


def test_decisions_are_encrypted_and_still_open_on_loopback(
    encrypted: Encrypted,
) -> None:
    """TLS alone asks nobody who they are."""
    with channel(encrypted) as secure:
        for metadata in ((), bearer(encrypted.token)):
            error = outcome(secure, PROPOSE, metadata)
            assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_plaintext_is_no_way_in(encrypted: Encrypted) -> None:
    """Nor is an authority that did not sign."""
    strange = ClientAccess(tls_ca=Authority("another").certificate)
    for address in (encrypted.server.decisions, encrypted.server.admin):
        for access in (ClientAccess(), strange):
            with access.channel(address) as refused:
                error = outcome(refused, PROPOSE)
                assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_a_client_without_a_good_certificate_cannot_connect(
    encrypted: Encrypted,
) -> None:
    """None, one of another authority, one that is over: the handshake fails."""
    authority = encrypted.authority
    for client in (None, Authority().issue(ANN), authority.issue(ANN, days=-1)):
        with channel(encrypted, client, admin=True) as refused:
            error = outcome(refused, LIST_REVISIONS)
            assert error.code() is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_is_its_callers_name(encrypted: Encrypted) -> None:
    """Allowed and denied by its role, without any token."""
    with channel(encrypted, encrypted.authority.issue(ANN), admin=True) as ann:
        assert outcome(ann, LIST_REVISIONS).code() is grpc.StatusCode.OK
        denied = call_failed(outcome(ann, ROLLBACK))

    assert denied.code == "PERMISSION_DENIED"
    assert str(denied).startswith("ann is auditor; ")


def test_a_common_name_counts_when_there_is_no_other(encrypted: Encrypted) -> None:
    """And is not found among alternative names."""
    named = Identity("batch-host", "batch", Role.AUDITOR, 0)
    access = encrypted.server.data / "access"
    change_access_list(access, lambda access: with_identity(access, named))
    plain = encrypted.authority.issue(common_name="batch-host")
    with channel(encrypted, plain, admin=True) as batch:
        wait_until(lambda: outcome(batch, LIST_REVISIONS).code() is grpc.StatusCode.OK)


def test_a_certificate_without_a_role_says_its_name(encrypted: Encrypted) -> None:
    """So that whoever gives roles can copy it; a token helps as well."""
    bob = encrypted.authority.issue("spiffe://bank/bob")
    with channel(encrypted, bob, admin=True) as strange:
        refused = call_failed(outcome(strange, LIST_REVISIONS))
        local = (encrypted.server.data / "admin.token").read_text().strip()
        admitted = outcome(strange, LIST_REVISIONS, bearer(local))

    assert refused.code == "UNAUTHENTICATED"
    assert "'spiffe://bank/bob' has no role: `propono identities add`" in str(refused)
    assert admitted.code() is grpc.StatusCode.OK


def test_a_replaced_certificate_is_shown_to_the_next_connection(
    encrypted: Encrypted,
) -> None:
    """On both ports, without a restart; the connection before goes on."""
    ports = {"decisions": encrypted.server.decisions, "admin": encrypted.server.admin}
    with channel(encrypted) as before:
        assert outcome(before, PROPOSE).code() is grpc.StatusCode.INVALID_ARGUMENT
        for name, address in ports.items():
            old = served_certificate(address)
            new = encrypted.authority.issue()
            new.write(encrypted.folder, name)
            assert old != new.certificate
            assert served_certificate(address) == new.certificate
        assert outcome(before, PROPOSE).code() is grpc.StatusCode.INVALID_ARGUMENT
        with channel(encrypted) as after:
            assert outcome(after, PROPOSE).code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_bad_replacement_changes_nothing_and_is_logged_once(
    encrypted: Encrypted,
) -> None:
    """Rubbish, half of a pair, no file at all; and the next good pair is taken."""
    address, folder = encrypted.server.decisions, encrypted.folder
    good = encrypted.authority.issue()
    good.write(folder, "decisions")
    assert served_certificate(address) == good.certificate

    other = encrypted.authority.issue()
    for bad in (
        Issued(b"rubbish", b"rubbish"),
        Issued(other.certificate, good.key),
        Issued(other.certificate, b""),
    ):
        already = encrypted.log.read_text().count("the certificate before stays")
        bad.write(folder, "decisions")
        for _ in range(3):
            assert served_certificate(address) == good.certificate
        now = encrypted.log.read_text().count("the certificate before stays")
        assert now == already + 1
    (folder / "decisions.key").unlink()
    assert served_certificate(address) == good.certificate

    other.write(folder, "decisions")
    assert served_certificate(address) == other.certificate
    assert "PRIVATE KEY" not in encrypted.log.read_text()


def test_the_commands_bring_their_token_and_the_authority(
    encrypted: Encrypted,
) -> None:
    """`propono propose` and `contacts`, by options or by variables."""
    ann = encrypted.authority.issue(ANN).write(encrypted.folder, "ann")
    ca = encrypted.folder / "ca.pem"
    said = run(
        *("propose", "--space", "x", "--contact", "c"),
        *("--server", encrypted.server.decisions, "--tls-ca", ca),
        *("--token", "wrong"),
        status=1,
    )
    assert said.startswith("UNAUTHENTICATED: ")

    environment = {
        "PROPONO_ADMIN_SERVER": encrypted.server.admin,
        "PROPONO_TLS_CA": str(ca),
        "PROPONO_CLIENT_CERT": str(ann[0]),
        "PROPONO_CLIENT_KEY": str(ann[1]),
        "PROPONO_TOKEN": encrypted.token,
    }

    def shown() -> str:
        done = subprocess.run(
            [PROPONO, "contacts", "show", "c"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            cwd=encrypted.folder / "data" / "access",
        )
        return done.stderr

    assert shown().startswith("PERMISSION_DENIED: decision_client is ")
    # Without a token it is the certificate that says who calls.
    del environment["PROPONO_TOKEN"]
    assert shown().startswith("PERMISSION_DENIED: ann is auditor")


@pytest.mark.parametrize("scheme", ["tls", "plaintext"])
def test_for_other_machines_everybody_is_asked(tmp_path: Path, scheme: str) -> None:
    """Any address but loopback: a token is needed, and the local one is nobody's."""
    authority = Authority()
    certificate, key = authority.issue().write(tmp_path, "server")
    data = tmp_path / "data"
    data.mkdir()
    token = give_token(data, Role.ADMINISTRATOR)
    tls = {
        "tls": ("--tls-cert", str(certificate), "--tls-key", str(key)),
        "plaintext": ("--insecure-plaintext",),
    }[scheme]
    everywhere = ("--listen", "0.0.0.0:0", "--admin-listen", "0.0.0.0:0")
    with serving(data, 1, *everywhere, *tls) as server:
        local = (data / "admin.token").read_text().strip()
        for address, method in (
            (server.decisions, PROPOSE),
            (server.admin, LIST_REVISIONS),
        ):
            at = address.replace("0.0.0.0", "127.0.0.1")
            ca = authority.certificate if scheme == "tls" else None
            with ClientAccess(tls_ca=ca).channel(at) as outside:
                for metadata in ((), bearer(local)):
                    error = outcome(outside, method, metadata)
                    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
                    assert "admin.token" not in error.details()
                code = outcome(outside, method, bearer(token)).code().name
                assert code in {"OK", "INVALID_ARGUMENT"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--listen", "0.0.0.0:0"), "--tls-cert and --tls-key, or say --insecure"),
        (("--listen", "[::]:0"), "could be read on the way"),
        (("--admin-listen", "192.0.2.1:0"), "give --admin-tls-cert and"),
        (("--metrics-listen", "0.0.0.0:0"), "choose a loopback address"),
    ],
)
def test_plaintext_for_other_machines_must_be_asked_for_by_name(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    """The server does not start, and says what to do."""
    refused = run("serve", "--data", tmp_path / "data", *options, status=1)

    assert said in refused
    assert not (tmp_path / "data").exists()


def test_files_that_are_no_pair_are_refused_at_the_start(tmp_path: Path) -> None:
    """Named, with why; a key with a password asks nobody for it."""
    authority = Authority()
    certificate, key = authority.issue().write(tmp_path, "good")
    _, other_key = authority.issue().write(tmp_path, "other")
    _, locked = authority.issue(password="secret").write(tmp_path, "locked")
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"x" * (1 << 20) + b"x")

    def read(certificate: Path, key: Path, ca: Path | None = None) -> str:
        with pytest.raises(CannotServe) as raised:
            PemFiles(TlsFiles(str(certificate), str(key), ca and str(ca))).read()
        return str(raised.value)

    assert "KEY_VALUES_MISMATCH" in read(certificate, other_key)
    assert "take it off" in read(certificate, locked)
    assert str(tmp_path / "gone") in read(certificate, tmp_path / "gone")
    assert "1048576 bytes" in read(tmp_path / "large", key)
    read(certificate, key, ca=tmp_path / "empty")
    read(key, certificate)
    PemFiles(TlsFiles(str(certificate), str(key), str(certificate))).read()


@pytest.mark.parametrize(
    "options", [("--tls-cert",), ("--tls-key",), ("--client-ca",), ("--admin-tls-key",)]
)
def test_half_of_what_tls_needs_is_wrong_usage(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A certificate and its key go together, and clients' authorities need both."""
    path, _ = Authority().issue().write(tmp_path, "half")
    said = run("serve", options[0], path, "--data", tmp_path / "data", status=2)

    assert options[0] in said


def test_the_client_example_of_tls(encrypted: Encrypted) -> None:
    """`Client.connect` takes the token and the authority."""
    access = ClientAccess("wrong", encrypted.authority.certificate)
    client = Client.connect(encrypted.server.decisions, DEADLINE_SECONDS, access)
    with pytest.raises(CallFailed) as failed:
        client.propose(pb.ProposeRequest())
    client.close()

    assert failed.value.code == "UNAUTHENTICATED"
