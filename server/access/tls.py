"""A port with certificates of our own, replaced without a restart.

gRPC asks before each handshake whether there are other ones: replacing the files is
enough, the certificate first or the key first. Whatever is wrong with the new ones is
logged, and those before go on; connections that are open keep what they began with.
"""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable
from typing import Any, Protocol, cast

import grpc

from server.access.pem_files import Pem, PemFiles, TlsFiles


class Listening(Protocol):
    """A server of gRPC's that has no port yet."""

    def add_insecure_port(self, address: str) -> int: ...

    def add_secure_port(self, address: str, server_credentials: Any) -> int: ...


def listen(server: Listening, address: str, tls: TlsFiles | None) -> int:
    """Add a port, and return its number; raises CannotServe."""
    if tls is None:
        return server.add_insecure_port(address)
    pem = PemFiles(tls)
    credentials = cast(Any, grpc).dynamic_ssl_server_credentials(
        _configuration(pem.read()),
        _fetcher(pem),
        require_client_authentication=tls.client_ca is not None,
    )
    return server.add_secure_port(address, credentials)


def _fetcher(files: PemFiles) -> Callable[[], Any]:
    """What gRPC asks, from a thread of its own, before each handshake."""

    def fetch() -> Any:
        found = files.read_if_changed()
        return None if found is None else _configuration(found)

    return fetch


def _configuration(pem: Pem) -> Any:
    return cast(Any, grpc).ssl_server_certificate_configuration(
        [(pem.key, pem.certificate)], root_certificates=pem.client_ca
    )
