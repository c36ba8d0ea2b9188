"""The options of `propono serve` that say who may call, and over what."""

from collections.abc import Callable
from functools import reduce, wraps
from os.path import abspath
from pathlib import Path
from typing import Any

import click

_Command = Callable[..., Any]


def access_options(command: _Command) -> _Command:
    """Adds `access`: a `server.access.serving.ServeAccess`."""

    @wraps(command)
    def with_access(
        *arguments: Any, auth: str, insecure_plaintext: bool, **options: Any
    ) -> Any:
        from server.access.serving import ServeAccess

        tls = _tls_files("", options)
        access = ServeAccess(
            is_required=auth == "required",
            tls=tls,
            # The admin port has the same certificate, unless it has its own.
            admin_tls=_tls_files("admin_", options) or tls,
            insecure_plaintext=insecure_plaintext,
        )
        return command(*arguments, access=access, **options)

    return reduce(lambda made, option: option(made), reversed(_options()), with_access)


def _options() -> list[Callable[[_Command], _Command]]:
    """In the order of `--help`."""
    return [
        click.option(
            "--auth",
            type=click.Choice(["loopback", "required"]),
            default="loopback",
            show_default=True,
            help="Who must say who they are: other machines, or everybody.",
        ),
        _file("--tls-cert", "The certificate of both ports: PEM, with its chain."),
        _file("--tls-key", "Its key: PEM, without a password."),
        _file("--client-ca", "Authorities of clients; others cannot connect."),
        _file("--admin-tls-cert", "Another certificate for the admin port."),
        _file("--admin-tls-key", "Its key."),
        _file("--admin-client-ca", "Authorities of the admin port's clients."),
        click.option(
            "--insecure-plaintext",
            is_flag=True,
            help="Listen for other machines without TLS.",
        ),
    ]


def _file(name: str, help_text: str) -> Callable[[_Command], _Command]:
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option(name, type=kind, help=help_text)


def _tls_files(prefix: str, options: dict[str, Any]) -> Any:
    """The files of one port; takes them out of the options."""
    from server.access.pem_files import TlsFiles

    certificate, key, client_ca = (
        options.pop(f"{prefix}{name}") for name in ("tls_cert", "tls_key", "client_ca")
    )
    dashed = prefix.replace("_", "-")
    if (certificate is None) != (key is None):
        raise click.UsageError(f"--{dashed}tls-cert and --{dashed}tls-key go together")
    if certificate is None:
        if client_ca is not None:
            raise click.UsageError(
                f"--{dashed}client-ca needs --{dashed}tls-cert and --{dashed}tls-key"
            )
        return None
    # Not resolved: a link that is set to another file is how certificates are replaced.
    return TlsFiles(
        abspath(certificate), abspath(key), client_ca and abspath(client_ca)
    )
