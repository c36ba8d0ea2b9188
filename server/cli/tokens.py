"""`propono tokens` and `propono identities`: who may call a server."""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.access.roles import Role
from server.cli.audited import audited
from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from server.access.access_list import AccessList, Identity, Token

#: The longest that a token may be good for, other than for ever.
EXPIRY_DAYS_MAX = 3_650

_HOUR_MS = 3_600_000

role_option = click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the caller may do: see docs/access.md.",
)


def _expiry(_: click.Context, __: click.Parameter, text: str) -> int | None:
    """`90d`, `12h` or `never`, as milliseconds."""
    if text == "never":
        return None
    found = re.fullmatch("([1-9][0-9]{0,5})([dh])", text)
    hours = int(found[1]) * {"d": 24, "h": 1}[found[2]] if found else 0
    if not 0 < hours <= EXPIRY_DAYS_MAX * 24:
        raise click.BadParameter(
            f"{text!r} is not never, or such as 90d or 12h, up to {EXPIRY_DAYS_MAX}d"
        )
    return hours * _HOUR_MS


@click.group()
def tokens() -> None:
    """Give, list and revoke the tokens that callers send."""


@tokens.command("create")
@role_option
@click.option("--name", help="Who will call with it.  [default: one of its own]")
@click.option(
    "--expires",
    "valid_ms",
    callback=_expiry,
    default="90d",
    show_default=True,
    metavar="90d|12h|never",
    help="How long it is good for.",
)
@data_option
@output_option
def create_token(
    role: str, name: str | None, valid_ms: int | None, data: Path, output: str
) -> None:
    """Make a token, and print it: this once, since only its hash is kept.

    A server of the data folder admits it within a second. Tokens of one name are one
    caller: to replace one, make the next, hand it out, and revoke the first.

    \b
    propono tokens create --role decision_client --name web
    propono tokens create --role offer_manager --name ann --expires 12h
    """
    from server.access.access_list import Token, with_token
    from server.access.tokens import hash_of, new_token

    made = new_token(os.urandom)
    now_ms = time.time_ns() // 1_000_000
    token = Token(
        id=made.id,
        name=name if name is not None else f"{role}-{made.id}",
        role=Role(role),
        sha256=hash_of(made.text),
        created_at_ms=now_ms,
        expires_at_ms=None if valid_ms is None else now_ms + valid_ms,
    )
    _change(
        data,
        f"tokens/{token.id}",
        lambda access: with_token(access, token),
        after=_shown_token(token),
    )
    if output == "json":
        print_json({"token": made.text, **_shown_token(token)})
        return
    click.echo(made.text)
    until = "for ever" if valid_ms is None else f"until {_moment(token.expires_at_ms)}"
    click.echo(
        f"{token.id} is good for {token.name} as {role} {until}; it is not shown again",
        err=True,
    )


@tokens.command("list")
@data_option
@output_option
def list_tokens(data: Path, output: str) -> None:
    """List tokens; the secret in them is not kept, and so not shown."""
    now_ms = time.time_ns() // 1_000_000
    rows: list[dict[str, object]] = [
        {
            **_shown_token(token),
            "expired": token.expires_at_ms is not None
            and token.expires_at_ms <= now_ms,
        }
        for token in _access(data).tokens
    ]
    _print(rows, output)


@tokens.command("revoke")
@click.argument("token_id", metavar="ID")
@data_option
def revoke_token(token_id: str, data: Path) -> None:
    """Take a token back: servers refuse it within a second."""
    from server.access.access_list import without_token

    _change(
        data,
        f"tokens/{token_id}",
        lambda access: without_token(access, token_id),
        before=[
            _shown_token(each) for each in _access(data).tokens if each.id == token_id
        ],
    )
    click.echo(f"revoked {token_id}")


@click.group()
def identities() -> None:
    """Say which clients' certificates may call, for servers with --client-ca."""


@identities.command("add")
@click.argument("certificate")
@role_option
@click.option("--name", required=True, help="Who calls with it.")
@data_option
def add_identity(certificate: str, role: str, name: str, data: Path) -> None:
    """Give a role to a certificate: to an alternative name of its subject, such as
    spiffe://bank/web, or to its common name when it has no other.

    \b
    propono identities add spiffe://bank/web --role decision_client --name web
    """
    from server.access.access_list import Identity, with_identity

    now_ms = time.time_ns() // 1_000_000
    identity = Identity(certificate, name, Role(role), now_ms)
    _change(
        data,
        f"identities/{certificate}",
        lambda access: with_identity(access, identity),
        after=_shown_identity(identity),
    )
    click.echo(f"{certificate} may call as {role}")


@identities.command("list")
@data_option
@output_option
def list_identities(data: Path, output: str) -> None:
    """List certificates that have a role."""
    rows: list[dict[str, object]] = [
        dict(_shown_identity(identity)) for identity in _access(data).identities
    ]
    _print(rows, output)


@identities.command("remove")
@click.argument("certificate")
@data_option
def remove_identity(certificate: str, data: Path) -> None:
    """Take a certificate's role away: servers refuse it within a second."""
    from server.access.access_list import without_identity

    _change(
        data,
        f"identities/{certificate}",
        lambda access: without_identity(access, certificate),
        before=[
            _shown_identity(each)
            for each in _access(data).identities
            if each.certificate == certificate
        ],
    )
    click.echo(f"removed {certificate}")


def _access(data: Path) -> "AccessList":
    from server.access.access_list import AccessError, read_access_list

    try:
        return read_access_list(DataFolder(data).access)
    except AccessError as error:
        raise Refusal(str(error)) from None


def _change(
    data: Path,
    resource: str,
    change: "Callable[[AccessList], AccessList]",
    *,
    before: Sequence[Mapping[str, str]] = (),
    after: Mapping[str, str] | None = None,
) -> None:
    """Change the list, and say in the audit log who could call and can from now on."""
    from server.access.access_list import AccessError, change_access_list

    if not data.is_dir():
        raise Refusal(f"there is no folder {data}: give a server's data folder")
    with audited(data, resource) as made:
        try:
            change_access_list(DataFolder(data).access, change)
        except (AccessError, OSError) as error:
            raise Refusal(str(error)) from None
        made.before, made.after = next(iter(before), None), after


def _shown_token(token: "Token") -> dict[str, str]:
    """All of it but the hash."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "created": _moment(token.created_at_ms),
        "expires": _moment(token.expires_at_ms),
    }


def _shown_identity(identity: "Identity") -> dict[str, str]:
    return {
        "certificate": identity.certificate,
        "name": identity.name,
        "role": identity.role.value,
        "created": _moment(identity.created_at_ms),
    }


def _print(rows: list[dict[str, object]], output: str) -> None:
    if output == "json":
        print_json(rows)
    else:
        columns = dict.fromkeys(rows[0] if rows else ("nobody has access",), "")
        print_table(columns, [list(row.values()) for row in rows])


def _moment(at_ms: int | None) -> str:
    if at_ms is None:
        return "never"
    at = datetime.fromtimestamp(at_ms // 1_000, UTC)
    return at.isoformat().replace("+00:00", "Z")
