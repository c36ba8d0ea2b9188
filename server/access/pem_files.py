"""A certificate and its key in files: read, checked, and noticed when they change."""

import logging
import os
import ssl
from typing import NamedTuple, TypeAlias

import msgspec

from server.addresses import CannotServe

#: Bytes of one file; a larger one is not a certificate.
PEM_BYTES_MAX = 1 << 20

_log = logging.getLogger(__name__)

#: When and what each file was last.
_Stamp: TypeAlias = tuple[tuple[int, int, int], ...]


class TlsFiles(msgspec.Struct, frozen=True):
    """Paths of PEM files."""

    #: The server's certificate, and those between it and its authority.
    certificate: str
    key: str
    #: Authorities of clients: with it, who has no certificate of theirs cannot connect.
    client_ca: str | None = None


class Pem(NamedTuple):
    """What is in the files."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


class PemFiles:
    """The files of one port, and what they were when last read."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._seen: _Stamp | None = None

    def read(self) -> Pem:
        """What is in the files now; raises CannotServe when that is not good."""
        files = self._files
        # Before reading: what is replaced meanwhile is seen to be new the next time.
        self._seen = self._stamp()
        try:
            certificate, key = _bytes(files.certificate), _bytes(files.key)
            client_ca = None if files.client_ca is None else _bytes(files.client_ca)
            checked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            checked.load_cert_chain(files.certificate, files.key, _no_password)
            if client_ca is not None:
                checked.load_verify_locations(cadata=client_ca.decode("ascii"))
        except (OSError, ValueError) as error:
            # An SSLError is an OSError; its text is of files, never of keys.
            raise CannotServe(
                f"{files.certificate} and {files.key} are no certificate and its key"
                f" in PEM without a password"
                + (f", or {files.client_ca} no certificates" if files.client_ca else "")
                + f": {error}"
            ) from None
        return Pem(certificate, key, client_ca)

    def read_if_changed(self) -> Pem | None:
        """What is in the files if it is new and good; what is not good is logged.

        Once: a half of a pair that was replaced is looked at again when the other half
        is.
        """
        if self._stamp() == self._seen:
            return None
        try:
            found = self.read()
        except CannotServe as error:
            _log.error("the certificate before stays in use: %s", error)
            return None
        _log.info("the certificate was replaced by what is in %s", self._files)
        return found

    def _stamp(self) -> _Stamp:
        files = self._files
        paths = [files.certificate, files.key, files.client_ca]
        return tuple(_stamp_of(path) for path in paths if path is not None)


def _stamp_of(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_ino, found.st_size


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        data = file.read(PEM_BYTES_MAX + 1)
    if len(data) > PEM_BYTES_MAX:
        raise ValueError(f"{path} has more than {PEM_BYTES_MAX} bytes")
    return data


def _no_password() -> str:
    # Without this, OpenSSL would ask whoever sits at the terminal.
    raise ValueError("the key has a password: take it off, a server has nobody to ask")
