"""What a server was asked to ask of its callers; refused when that is unsafe."""

from typing import NamedTuple

from server.access.pem_files import PemFiles, TlsFiles
from server.addresses import CannotServe, is_loopback


class ServeAccess(NamedTuple):
    """What `propono serve` was asked for."""

    #: Whether every caller must say who they are, on loopback too.
    is_required: bool = False
    #: Of the decision port; None for plaintext.
    tls: TlsFiles | None = None
    admin_tls: TlsFiles | None = None
    #: Whether other machines may be talked to without TLS.
    insecure_plaintext: bool = False


def check_access(
    access: ServeAccess, listen: str, admin_listen: str, metrics_listen: str
) -> None:
    """Raises CannotServe for what other machines could read, and for bad files."""
    ports = ((listen, access.tls, ""), (admin_listen, access.admin_tls, "admin-"))
    for address, tls, prefix in ports:
        if tls is not None:
            PemFiles(tls).read()
        elif not is_loopback(address) and not access.insecure_plaintext:
            raise CannotServe(
                f"{address} is for other machines, and what they send could be read on"
                f" the way, tokens as well: give --{prefix}tls-cert and"
                f" --{prefix}tls-key, or say --insecure-plaintext if something else"
                " encrypts it"
            )
    if not is_loopback(metrics_listen) and not access.insecure_plaintext:
        raise CannotServe(
            f"{metrics_listen} is for other machines, and metrics are neither encrypted"
            " nor asked for with a token: choose a loopback address, or say"
            " --insecure-plaintext"
        )
