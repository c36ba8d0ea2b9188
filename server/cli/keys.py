"""`propono keys`: who may sign the catalogs that a server publishes."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from catalog_store.trust import TrustedKey, TrustStore

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@click.group()
def keys() -> None:
    """Make keys that sign catalogs; trust, revoke and list them."""


@keys.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    show_default=True,
    help="The folder for propono.key and propono.pub.",
)
@output_option
def generate(out: Path, output: str) -> None:
    """Make a pair of keys: propono.key signs, propono.pub is trusted.

    \b
    propono keys generate --out .
    """
    from catalog_store.keys import PrivateKey, public_pem

    key = PrivateKey.generate()
    private, public = out / "propono.key", out / "propono.pub"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if public.exists():
            raise FileExistsError(f"{public} is there already")
        key.write(private)
        public.write_bytes(public_pem(key.public))
    except FileExistsError as error:
        raise Refusal(
            f"{error.filename or error}: nothing is replaced; choose another folder"
        ) from None
    except OSError as error:
        raise Refusal(str(error)) from None
    if output == "json":
        files = {"private": str(private), "public": str(public)}
        print_json({"key_id": key.key_id, **files})
        return
    click.echo(
        f"key {key.key_id}: sign with {private}, and keep it to yourself;"
        f" have servers trust {public}"
    )


@keys.command()
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)
@click.option("--name", help="What to call it.  [default: the file's name]")
@click.option(
    "--from",
    "valid_from",
    type=click.DateTime(_TIMES),
    help="When it becomes valid, in UTC.  [default: always was]",
)
@click.option(
    "--until",
    "valid_until",
    type=click.DateTime(_TIMES),
    help="When it expires, in UTC.  [default: never]",
)
@data_option
@output_option
def trust(
    file: Path,
    name: str | None,
    valid_from: datetime | None,
    valid_until: datetime | None,
    data: Path,
    output: str,
) -> None:
    """Trust a public key; again, to change its name or when it is valid.

    \b
    propono keys trust propono.pub --until 2027-12-31
    """
    from catalog_store.keys import read_public_key

    with _trust_store(data) as store:
        key = store.trust(
            read_public_key(file),
            name=file.stem if name is None else name,
            valid_from_ms=_time_ms(valid_from) or 0,
            valid_until_ms=_time_ms(valid_until),
        )
    _say(key, f"key {key.key_id} ({key.name}) is trusted", output)


@keys.command()
@click.argument("key_id", metavar="ID")
@data_option
@output_option
def revoke(key_id: str, data: Path, output: str) -> None:
    """Let nothing count that a key ever signed. There is no way back.

    ID is a key's id, or the beginning of one. What decides now goes on until another
    revision is published, or the server is started again.
    """
    with _trust_store(data) as store:
        key = store.revoke(key_id, _now_ms())
    _say(key, f"key {key.key_id} ({key.name}) is revoked", output)


@keys.command("list")
@data_option
@output_option
def list_(data: Path, output: str) -> None:
    """List the keys that a data folder trusts, and the revoked ones."""
    with _trust_store(data) as store:
        found = list(store.keys().values())
    if output == "json":
        print_json([_plain(key) for key in found])
        return
    columns = {"key": "", "name": "", "valid from": "", "until": "", "now": ""}
    print_table(
        columns,
        [
            (
                key.key_id,
                key.name,
                _date(key.valid_from_ms or None),
                _date(key.valid_until_ms),
                _standing(key),
            )
            for key in found
        ],
    )


@contextmanager
def _trust_store(data: Path) -> "Generator[TrustStore]":
    """The keys of a data folder, while nobody publishes."""
    from catalog_store.keys import InvalidKey
    from catalog_store.revisions import PublicationBusy, Revisions
    from catalog_store.trust import DamagedTrust

    folder = DataFolder(data)
    try:
        folder.create()
        revisions = Revisions(folder.catalog)
        with revisions.locked():
            yield revisions.trust
    except (DamagedTrust, InvalidKey, OSError, PublicationBusy) as error:
        raise Refusal(str(error)) from None


def _say(key: "TrustedKey", text: str, output: str) -> None:
    if output == "json":
        print_json(_plain(key))
    else:
        click.echo(text)


def _plain(key: "TrustedKey") -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "valid_from": _date(key.valid_from_ms or None) or None,
        "valid_until": _date(key.valid_until_ms) or None,
        "revoked": _date(key.revoked_at_ms) or None,
        "own": key.own,
        "standing": _standing(key),
    }


def _standing(key: "TrustedKey") -> str:
    from catalog_store.trust import Untrusted

    try:
        key.check_valid(_now_ms())
    except Untrusted as error:
        return str(error).rpartition(") ")[2]
    return "valid"


def _date(time_ms: int | None) -> str:
    if time_ms is None:
        return ""
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="seconds")


def _time_ms(time: datetime | None) -> int | None:
    return None if time is None else int(time.replace(tzinfo=UTC).timestamp() * 1_000)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
