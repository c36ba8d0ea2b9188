"""How commands reach the admin port: its address, and the token that it wants."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cli.catalog import data_option
from server.cli.client_options import client_access, client_options
from server.cli.output import Refusal
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from server.admin_client import AdminClient
    from server.client_access import ClientAccess

#: Where `propono serve` listens unless it is told otherwise.
_ADMIN_SERVER = "127.0.0.1:50052"

_Command = Callable[..., Any]


def admin_options(command: _Command) -> _Command:
    """Adds `admin_server`, `token_file` and `data`, and what `client_access` gives."""
    server = admin_server_option("The admin port.", default=_ADMIN_SERVER)
    return server(token_file_option()(data_option(client_options(command))))


def place_options(command: _Command) -> _Command:
    """The same for what can be done in a data folder too: without `admin_server`."""
    server = admin_server_option(
        "Go through a server's admin port.  [default: in the data folder]"
    )
    return data_option(server(token_file_option()(client_options(command))))


def many_servers_options(command: _Command) -> _Command:
    """The same for one port after the other: `admin_servers` and `token_files`."""
    server = admin_server_option(
        "An admin port; may be given several times.",
        "admin_servers",
        multiple=True,
        default=[_ADMIN_SERVER],
    )
    token = token_file_option(
        " Once for all ports, or once for each, in their order.",
        "token_files",
        multiple=True,
    )
    return server(token(data_option(client_options(command))))


def admin_server_option(text: str, *names: str, **settings: Any) -> _Command:
    """`--admin-server`, the same wherever it stands."""
    return click.option(
        "--admin-server",
        *names,
        envvar="PROPONO_ADMIN_SERVER",
        show_envvar=True,
        show_default="default" in settings,
        metavar="HOST:PORT",
        help=text,
        **settings,
    )


def token_file_option(text: str = "", *names: str, **settings: Any) -> _Command:
    """`--token-file`, the same wherever it stands."""
    return click.option(
        "--token-file",
        *names,
        envvar="PROPONO_TOKEN_FILE",
        show_envvar=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"A file with a token, instead of --token.{text}  [default: admin.token of"
        " the data folder]",
        **settings,
    )


@contextmanager
def admin_client(
    admin_server: str, token_file: Path | None, data: Path
) -> "Generator[AdminClient]":
    """A connection; what the server refuses is our refusal."""
    from server.admin_client import AdminClient
    from server.client import CallFailed

    client = AdminClient.connect(admin_server, admin_access(token_file, data))
    try:
        yield client
    except CallFailed as failure:
        raise Refusal(f"{failure.code}: {failure}") from None
    finally:
        client.close()


def admin_access(token_file: Path | None, data: Path) -> "ClientAccess":
    """What `client_options` gave, or a token in a file; raises Refusal."""
    access = client_access()
    # A certificate says who calls; then no token is looked for, only sent if given.
    is_known = access.token is not None or access.certificate is not None
    if token_file is not None or not is_known:
        path = token_file or DataFolder(data).root / "admin.token"
        access = access._replace(token=_token_in(path))
    return access


def _token_in(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise Refusal(
            f"{path} cannot be read as a token ({error}): name the server's data folder"
            " with --data, or a token with --token or --token-file"
        ) from None
