"""Who is let through: credentials, roles, expiry and revocation, with a clock."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.access.access_list import (
    AccessError,
    Identity,
    change_access_list,
    with_identity,
    without_identity,
    without_token,
)
from server.access.gate import NOTICE_SECONDS, Gate, GateRules
from server.access.roles import Role
from server.access.tokens import id_of
from server.requests import PermissionDenied, TokenExpired, Unauthenticated
from tests.access import give_token

PROPOSE = "/propono.v1.DecisionService/Propose"
BATCH = "/propono.v1.DecisionService/ProposeBatch"
PUBLISH = "/propono.v1.AdminService/Publish"
CHECK = "/grpc.health.v1.Health/Check"
SPIFFE = "spiffe://bank/web"


class Door:
    """A gate in front of a folder, and its two clocks."""

    def __init__(
        self, folder: Path, *, is_required: bool = True, admin_token: str | None = None
    ) -> None:
        self.folder = folder
        self.now_ms = 1_000
        self.seconds = 0.0
        self.gate = Gate(
            folder / "access",
            GateRules(is_required, admin_token),
            lambda: self.now_ms,
            lambda: self.seconds,
        )

    def knock(
        self,
        method: str,
        *tokens: str,
        headers: Sequence[str] = (),
        names: Sequence[str] = (),
    ) -> str:
        """The name of the caller who is let through."""
        sent = [*headers, *(f"Bearer {token}" for token in tokens)]
        return self.gate.admit(method, sent, lambda: names).name

    def wait(self) -> None:
        self.seconds += NOTICE_SECONDS


def test_a_token_is_admitted_under_its_name_as_its_role(tmp_path: Path) -> None:
    """What the role may not is refused, and says who may."""
    web = give_token(tmp_path, Role.DECISION_CLIENT, "web")
    door = Door(tmp_path)

    assert door.knock(PROPOSE, web) == "web"
    with pytest.raises(PermissionDenied, match=r"web is decision_client; .*Publish is"):
        door.knock(PUBLISH, web)


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize(
    "headers",
    [
        [""],
        ["Bearer "],
        ["Bearer propono_000000000000_" + "0" * 64],
        ["Bearer " + "x" * 8_000],
        ["Basic dXNlcjpwYXNz"],
        ["bearer"],
    ],
)
def test_a_wrong_token_is_refused_even_where_none_is_needed(
    tmp_path: Path, is_required: bool, headers: list[str]
) -> None:
    """A mistake shows at home, before it is made abroad."""
    door = Door(tmp_path, is_required=is_required)
    with pytest.raises(Unauthenticated):
        door.knock(PROPOSE, headers=headers)


def test_two_tokens_are_none(tmp_path: Path) -> None:
    """A second authorization header is not a second chance."""
    web = give_token(tmp_path, Role.DECISION_CLIENT)
    with pytest.raises(Unauthenticated):
        Door(tmp_path).knock(PROPOSE, web, web)


def test_without_credentials_only_an_open_port_decides(tmp_path: Path) -> None:
    """Decisions are open on loopback; what administrators do never is."""
    closed, open_ = Door(tmp_path), Door(tmp_path, is_required=False)

    assert open_.knock(PROPOSE) == "anyone"
    for door, method in ((closed, PROPOSE), (closed, PUBLISH), (open_, PUBLISH)):
        with pytest.raises(Unauthenticated, match="propono tokens create"):
            door.knock(method)


def test_health_asks_nobody(tmp_path: Path) -> None:
    """A load balancer has no token, and a wrong one does not matter."""
    door = Door(tmp_path)

    assert door.knock(CHECK) == door.knock(CHECK, "wrong") == "anyone"


def test_the_secret_is_what_counts(tmp_path: Path) -> None:
    """A good id with another secret is nobody's token."""
    web = give_token(tmp_path, Role.DECISION_CLIENT)
    forged = web[:-1] + ("0" if web[-1] != "0" else "1")
    with pytest.raises(Unauthenticated, match="not known"):
        Door(tmp_path).knock(PROPOSE, forged)


def test_a_token_expires_to_the_millisecond(tmp_path: Path) -> None:
    """The first moment at which it is refused; no list has to change for that."""
    web = give_token(tmp_path, Role.DECISION_CLIENT, expires_at_ms=2_000)
    door = Door(tmp_path)
    door.now_ms = 1_999
    assert door.knock(PROPOSE, web) == "decision_client"

    door.now_ms = 2_000
    with pytest.raises(TokenExpired, match=f"{id_of(web)} of decision_client"):
        door.knock(PROPOSE, web)


def test_a_revoked_token_is_refused_within_the_notice(tmp_path: Path) -> None:
    """And one that was given is admitted, without a restart; a second is too long."""
    web = give_token(tmp_path, Role.DECISION_CLIENT)
    door = Door(tmp_path)
    assert door.knock(PROPOSE, web)

    change_access_list(tmp_path / "access", lambda a: without_token(a, id_of(web)))
    other = give_token(tmp_path, Role.DECISION_CLIENT)
    door.wait()
    with pytest.raises(Unauthenticated):
        door.knock(PROPOSE, web)
    assert door.knock(PROPOSE, other)
    assert NOTICE_SECONDS < 1


def test_a_list_that_goes_away_takes_every_token_with_it(tmp_path: Path) -> None:
    """Nothing is remembered that is written nowhere."""
    web = give_token(tmp_path, Role.DECISION_CLIENT)
    door = Door(tmp_path)
    (tmp_path / "access" / "list.json").unlink()
    door.wait()
    with pytest.raises(Unauthenticated):
        door.knock(PROPOSE, web)


def test_a_damaged_list_leaves_the_one_before_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged once, and the next good one counts; a start refuses it."""
    web = give_token(tmp_path, Role.DECISION_CLIENT)
    door = Door(tmp_path)
    path = tmp_path / "access" / "list.json"
    good = path.read_bytes()
    path.write_text("{")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            door.wait()
            assert door.knock(PROPOSE, web)
    assert len(caplog.records) == 1
    with pytest.raises(AccessError):
        Door(tmp_path)

    path.write_bytes(good.replace(b'"decision_client"', b'"auditor"'))
    door.wait()
    with pytest.raises(PermissionDenied):
        door.knock(PROPOSE, web)


def test_the_local_token_is_an_administrators_where_it_is_good(tmp_path: Path) -> None:
    """The one that `serve` writes; on a port for other machines it is nobody's."""
    local, abroad = Door(tmp_path, admin_token="secret"), Door(tmp_path)

    assert local.knock(PUBLISH, "secret") == "admin"
    for wrong in ("Secret", "secret ", ""):
        with pytest.raises(Unauthenticated):
            local.knock(PUBLISH, wrong)
    with pytest.raises(Unauthenticated):
        abroad.knock(PUBLISH, "secret")


def test_a_certificate_is_known_by_one_of_its_names(tmp_path: Path) -> None:
    """Within the notice after it was given a role, and until that is taken away."""
    door = Door(tmp_path)
    with pytest.raises(Unauthenticated, match=f"certificate of '{SPIFFE}' has no role"):
        door.knock(PROPOSE, names=[SPIFFE])

    given = Identity(SPIFFE, "web", Role.DECISION_CLIENT, 0)
    change_access_list(tmp_path / "access", lambda a: with_identity(a, given))
    door.wait()
    assert door.knock(PROPOSE, names=["web.bank.example", SPIFFE]) == "web"
    with pytest.raises(PermissionDenied):
        door.knock(BATCH, names=[SPIFFE])

    change_access_list(tmp_path / "access", lambda a: without_identity(a, SPIFFE))
    door.wait()
    with pytest.raises(Unauthenticated):
        door.knock(PROPOSE, names=[SPIFFE])


def test_a_token_counts_before_a_certificate(tmp_path: Path) -> None:
    """Also when it is wrong: nothing falls back to more than was asked for."""
    auditor = give_token(tmp_path, Role.AUDITOR)
    given = Identity(SPIFFE, "web", Role.DECISION_CLIENT, 0)
    change_access_list(tmp_path / "access", lambda a: with_identity(a, given))
    door = Door(tmp_path)
    with pytest.raises(PermissionDenied):
        door.knock(PROPOSE, auditor, names=[SPIFFE])
    with pytest.raises(Unauthenticated):
        door.knock(PROPOSE, "wrong", names=[SPIFFE])


def test_refusals_never_repeat_a_secret(tmp_path: Path) -> None:
    """Of a token its id may be said; of what is no token, nothing."""
    expired = give_token(tmp_path, Role.DECISION_CLIENT, "old", expires_at_ms=1)
    auditor = give_token(tmp_path, Role.AUDITOR)
    door = Door(tmp_path, admin_token="local-secret")
    said = list[str]()
    for token in (expired, auditor, auditor[:-1] + "x", "no token at all"):
        with pytest.raises((PermissionDenied, TokenExpired, Unauthenticated)) as raised:
            door.knock(PROPOSE, token)
        said.append(str(raised.value))

    for secret in (expired[21:], auditor[21:-1], "no token at all", "local-secret"):
        assert all(secret not in text for text in said)
