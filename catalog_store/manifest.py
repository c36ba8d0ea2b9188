"""What a revision is: its number, what it says, and the bytes to trust."""

import re

import msgspec

#: Bytes of a manifest; a larger one is not read.
MANIFEST_BYTES_MAX = 65_536
#: Bytes of a revision's file.
FILE_BYTES_MAX = 4 << 30

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ManifestError(Exception):
    """The manifest is not one, or does not fit its file; says which part."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One revision. `number` is 0 until it is published."""

    format: int = 1
    number: int = 0
    #: Of what the catalog says: equal digests decide alike.
    digest: str
    #: Of the LMDB file, which is named after it.
    file_sha256: str
    file_bytes: int
    #: The Python and the ABI that the code objects are for.
    code_tag: str
    offer_count: int
    rule_count: int
    #: UTC milliseconds; 0 until it is published.
    published_at_ms: int = 0
    publisher: str = ""
    #: The revision that this one repeats; None for a new state.
    rollback_of: int | None = None


_decoder = msgspec.json.Decoder(Manifest)


def encode_manifest(manifest: Manifest) -> bytes:
    """The exact bytes that are kept (and signed): never encoded again."""
    encoded = msgspec.json.encode(manifest, order="sorted")
    return msgspec.json.format(encoded, indent=2) + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Parse and check a manifest; raises ManifestError."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise ManifestError(f"larger than {MANIFEST_BYTES_MAX} bytes")
    try:
        manifest = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(str(error)) from None
    if manifest.format != 1:
        raise ManifestError(f"format {manifest.format}; this version reads format 1")
    for field in ("digest", "file_sha256"):
        if not _SHA256.fullmatch(getattr(manifest, field)):
            raise ManifestError(f"{field} is not a sha256")
    if not 0 < manifest.file_bytes <= FILE_BYTES_MAX:
        raise ManifestError(f"file_bytes is not between 1 and {FILE_BYTES_MAX}")
    if manifest.number < 0:
        raise ManifestError("number is negative")
    return manifest
