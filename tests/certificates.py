"""Authorities and certificates, made for one test."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Issued(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """As two files, each replaced at once: `<name>.pem` and `<name>.key`."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        for path, data in zip(paths, self, strict=True):
            partial = path.with_suffix(".partial")
            partial.write_bytes(data)
            partial.replace(path)
        return paths


class Authority:
    """Vouches for servers on this machine, and for clients by a URI."""

    def __init__(self, name: str = "test authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.certificate = _pem(self._signed(self._name, self._key, None, is_ca=True))

    def issue(
        self, uri: str = "", *, common_name: str = "", days: int = 1, password: str = ""
    ) -> Issued:
        """For 127.0.0.1, and for whoever has that URI; a common name stands alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri)] * bool(
            uri
        )
        names.append(x509.IPAddress(ip_address("127.0.0.1")))
        subject = _named(common_name or "a test")
        signed = self._signed(subject, key, [] if common_name else names, days=days)
        encryption = (
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption()
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        return Issued(_pem(signed), pem)

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[x509.GeneralName] | None,
        *,
        days: int = 1,
        is_ca: bool = False,
    ) -> x509.Certificate:
        # Not from now: clocks differ; and possibly over already.
        end = datetime.now(UTC) + timedelta(days=days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(end, datetime.now(UTC)) - timedelta(days=1))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
