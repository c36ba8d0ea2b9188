"""The options that every command with a server has: a token, and certificates.

They are not parameters of the commands: `client_access` gives what was asked for.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from server.client_access import ClientAccess

_Command = Callable[..., Any]
_KEY = "propono.access."


def client_options(command: _Command) -> _Command:
    """Adds the options."""
    path = click.Path(dir_okay=False, exists=True, path_type=Path)
    for name, kind, text in (
        ("client-key", path, "Its key: PEM."),
        ("client-cert", path, "Our own certificate: PEM."),
        ("tls-ca", path, "Who vouches for the server: PEM. Encrypts."),
        ("token", str, "Who calls; better in the variable, where ps shows nothing."),
    ):
        option = click.option(
            f"--{name}",
            type=kind,
            envvar=f"PROPONO_{name.upper().replace('-', '_')}",
            show_envvar=True,
            expose_value=False,
            callback=_keep,
            help=text,
        )
        command = option(command)
    return command


def client_access() -> "ClientAccess":
    """What the command that runs was asked to use."""
    from server.client_access import ClientAccess

    meta = click.get_current_context().meta
    values = {
        name: meta.get(_KEY + name)
        for name in ("token", "tls_ca", "client_cert", "client_key")
    }
    if (values["client_cert"] is None) != (values["client_key"] is None):
        raise click.UsageError("--client-cert and --client-key go together")
    if values["client_cert"] is not None and values["tls_ca"] is None:
        raise click.UsageError("--client-cert needs --tls-ca")
    read = {
        name: None if path is None else path.read_bytes()
        for name, path in values.items()
        if name != "token"
    }
    return ClientAccess(
        values["token"], read["tls_ca"], read["client_cert"], read["client_key"]
    )


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    assert parameter.name is not None
    context.meta[_KEY + parameter.name] = value
