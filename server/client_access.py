"""How a client says who it is, and how it knows the server: tokens and certificates."""

# grpc's own stubs leave these calls untyped; what is around them is not.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Sequence
from typing import NamedTuple

import grpc


class ClientAccess(NamedTuple):
    """What one client has; without any of it, plaintext and no token."""

    #: Sent with every call.
    token: str | None = None
    #: Authorities of the server, in PEM: with them the connection is encrypted.
    tls_ca: bytes | None = None
    #: The client's own certificate and key, in PEM, for servers with --client-ca.
    certificate: bytes | None = None
    key: bytes | None = None

    def channel(
        self, address: str, options: Sequence[tuple[str, str]] = ()
    ) -> grpc.Channel:
        """Connects at the first call; nothing fails here."""
        if self.tls_ca is None:
            return grpc.insecure_channel(address, options=options)
        credentials = grpc.ssl_channel_credentials(
            self.tls_ca, self.key, self.certificate
        )
        return grpc.secure_channel(address, credentials, options=options)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What each call sends beside its request."""
        if self.token is None:
            return ()
        return (("authorization", f"Bearer {self.token}"),)


#: For servers on this machine that ask nobody.
NO_ACCESS = ClientAccess()
