"""A compiled catalog as one file, to be carried to servers and published there.

    8 bytes   "PROPONO1"
    4 bytes   length of the manifest, big-endian
    ...       the manifest
    ...       the LMDB file, to the end

Plain concatenation: an archive format would add names, paths and compression, all of
which would have to be distrusted.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import (
    MANIFEST_BYTES_MAX,
    Manifest,
    ManifestError,
    decode_manifest,
    encode_manifest,
)
from catalog_store.revision_file import write_revision

_MAGIC = b"PROPONO1"
_CHUNK_BYTES = 1 << 20


class ArtifactError(Exception):
    """The file is not an artifact, or not whole; says what is wrong with it."""


def write_artifact(path: Path, catalog: CompiledCatalog) -> Manifest:
    """Write a compiled catalog as an artifact, replacing the path atomically."""
    data_path = path.with_name(path.name + ".data")
    whole_path = path.with_name(path.name + ".new")
    data_path.unlink(missing_ok=True)
    try:
        write_revision(data_path, catalog)
        manifest = describe(data_path, catalog)
        encoded = encode_manifest(manifest)
        with whole_path.open("wb") as whole, data_path.open("rb") as data:
            whole.write(_MAGIC + len(encoded).to_bytes(4, "big") + encoded)
            for chunk in _chunks(data):
                whole.write(chunk)
            whole.flush()
            os.fsync(whole.fileno())
        whole_path.replace(path)
    finally:
        data_path.unlink(missing_ok=True)
        whole_path.unlink(missing_ok=True)
    return manifest


def extract_artifact(path: Path, data_path: Path) -> Manifest:
    """Verify an artifact and write the LMDB file in it to `data_path`, fsynced.

    The bytes that are hashed are the bytes that are written. Raises ArtifactError;
    then `data_path` does not exist.
    """
    try:
        with path.open("rb") as whole:
            manifest = _read_manifest(whole)
            sha256 = hashlib.sha256()
            size_bytes = 0
            with data_path.open("xb") as data:
                for chunk in _chunks(whole):
                    size_bytes += len(chunk)
                    if size_bytes > manifest.file_bytes:
                        raise ArtifactError("longer than its manifest says")
                    sha256.update(chunk)
                    data.write(chunk)
                data.flush()
                os.fsync(data.fileno())
        if size_bytes != manifest.file_bytes:
            raise ArtifactError(
                f"{size_bytes} bytes of {manifest.file_bytes}: the file is cut short"
            )
        if sha256.hexdigest() != manifest.file_sha256:
            raise ArtifactError("its bytes do not have the sha256 of its manifest")
    except BaseException:
        data_path.unlink(missing_ok=True)
        raise
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


def _read_manifest(whole: BinaryIO) -> Manifest:
    head = whole.read(len(_MAGIC) + 4)
    if not head.startswith(_MAGIC) or len(head) != len(_MAGIC) + 4:
        raise ArtifactError("not a compiled catalog; make one with `catalog compile`")
    length = int.from_bytes(head[len(_MAGIC) :], "big")
    if length > MANIFEST_BYTES_MAX:
        raise ArtifactError("its manifest is too large")
    try:
        return decode_manifest(whole.read(length))
    except ManifestError as error:
        raise ArtifactError(f"its manifest: {error}") from None


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
