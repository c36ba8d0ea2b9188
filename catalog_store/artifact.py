"""A compiled catalog as one file, to be carried to servers and published there.

    8 bytes   "PROPONO2"
    4 bytes   length of the manifest, big-endian
    4 bytes   length of the signature: 80, or 0 when nobody signed
    ...       the manifest
    ...       the signature over it
    ...       the LMDB file, to the end

Plain concatenation: an archive format would add names, paths and compression, all of
which would have to be distrusted. The signed manifest comes first, so that an artifact
that nobody trusts is refused before its file arrives.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from catalog_store.compiled import CompiledCatalog
from catalog_store.keys import PrivateKey
from catalog_store.manifest import (
    MANIFEST_BYTES_MAX,
    Manifest,
    ManifestError,
    decode_manifest,
    encode_manifest,
)
from catalog_store.revision_file import write_revision
from catalog_store.signatures import SIGNATURE_BYTES, Purpose, sign

_MAGIC = b"PROPONO2"
_HEAD_BYTES = len(_MAGIC) + 8
_CHUNK_BYTES = 1 << 20

#: Learns how many bytes are done, and of how many.
Progress = Callable[[int, int], None]
#: Whether a manifest with this signature may be installed: the manifest to install it
#: under, or ArtifactError.
Accept = Callable[[bytes, bytes], Manifest]


class ArtifactError(Exception):
    """The file is not an artifact, or not whole; says what is wrong with it."""


class UntrustedArtifact(ArtifactError):
    """Nobody who is trusted signed it."""


class OldArtifact(ArtifactError):
    """A newer one was accepted already: publishing it would be a silent downgrade."""


def write_artifact(
    path: Path,
    catalog: CompiledCatalog,
    key: PrivateKey | None = None,
    *,
    sequence: int = 1,
) -> Manifest:
    """Write a compiled catalog as an artifact, replacing the path atomically.

    Without a key it is not signed, and no server accepts it.
    """
    data_path = path.with_name(path.name + ".data")
    whole_path = path.with_name(path.name + ".new")
    data_path.unlink(missing_ok=True)
    try:
        write_revision(data_path, catalog)
        described = describe(data_path, catalog)
        manifest = msgspec.structs.replace(described, sequence=sequence)
        encoded = encode_manifest(manifest)
        signature = b"" if key is None else sign(key, Purpose.ARTIFACT, encoded)
        with whole_path.open("wb") as whole, data_path.open("rb") as data:
            whole.write(head_of(encoded, signature))
            for chunk in chunks_of(data):
                whole.write(chunk)
            whole.flush()
            os.fsync(whole.fileno())
        whole_path.replace(path)
    finally:
        data_path.unlink(missing_ok=True)
        whole_path.unlink(missing_ok=True)
    return manifest


def head_of(manifest: bytes, signature: bytes) -> bytes:
    """What comes before the LMDB file."""
    lengths = len(manifest).to_bytes(4, "big") + len(signature).to_bytes(4, "big")
    return _MAGIC + lengths + manifest + signature


class ArtifactReader:
    """Takes an artifact in parts, and writes the LMDB file in it.

    What is hashed is what is written; nothing is written before the manifest is
    accepted, and nothing is opened here.
    """

    def __init__(self, data: BinaryIO, accept: Accept) -> None:
        self._data = data
        self._accept = accept
        self._head = b""
        self._manifest: Manifest | None = None
        self._sha256 = hashlib.sha256()
        self._size_bytes = 0

    def feed(self, part: bytes) -> None:
        """Take the next bytes; raises ArtifactError."""
        if self._manifest is None:
            self._head += part
            split = _split_head(self._head)
            if split is None:
                return
            encoded, signature, part = split
            self._head = b""
            self._manifest = self._accept(encoded, signature)
        self._size_bytes += len(part)
        if self._size_bytes > self._manifest.file_bytes:
            raise ArtifactError("longer than its manifest says")
        self._sha256.update(part)
        self._data.write(part)

    def finish(self) -> Manifest:
        """The manifest, when all bytes are those that it promises; ArtifactError."""
        manifest = self._manifest
        if manifest is None:
            raise ArtifactError(
                "it ends before its manifest does; make one with `catalog compile`"
            )
        if self._size_bytes != manifest.file_bytes:
            raise ArtifactError(
                f"{self._size_bytes} bytes of {manifest.file_bytes}: it is cut short"
            )
        if self._sha256.hexdigest() != manifest.file_sha256:
            raise ArtifactError("its bytes do not have the sha256 of its manifest")
        return manifest


def artifact_manifest(encoded: bytes) -> Manifest:
    """Parse the manifest of an artifact; raises ArtifactError."""
    try:
        manifest = decode_manifest(encoded)
    except ManifestError as error:
        raise ArtifactError(f"its manifest: {error}") from None
    if manifest.number or not manifest.sequence:
        raise ArtifactError("its manifest is that of a revision, not of an artifact")
    return manifest


def describe(data_path: Path, catalog: CompiledCatalog) -> Manifest:
    """The manifest of a file that holds a catalog, not yet published."""
    with data_path.open("rb") as data:
        file_sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    return Manifest(
        digest=catalog.digest(),
        file_sha256=file_sha256,
        file_bytes=data_path.stat().st_size,
        code_tag=catalog.code_tag,
        offer_count=sum(len(c.environment.offers) for c in catalog.environments),
        rule_count=sum(len(c.rules) for c in catalog.environments),
    )


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _split_head(data: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Manifest, signature, and what follows; None when there is more to come."""
    if not data.startswith(_MAGIC[: len(data)]):
        raise ArtifactError("not a compiled catalog; make one with `catalog compile`")
    if len(data) < _HEAD_BYTES:
        return None
    manifest_bytes = int.from_bytes(data[len(_MAGIC) : len(_MAGIC) + 4], "big")
    signature_bytes = int.from_bytes(data[len(_MAGIC) + 4 : _HEAD_BYTES], "big")
    if manifest_bytes > MANIFEST_BYTES_MAX:
        raise ArtifactError("its manifest is too large")
    if signature_bytes not in (0, SIGNATURE_BYTES):
        raise ArtifactError("its signature is not one")
    manifest_end = _HEAD_BYTES + manifest_bytes
    end = manifest_end + signature_bytes
    if len(data) < end:
        return None
    return data[_HEAD_BYTES:manifest_end], data[manifest_end:end], data[end:]
