"""What a revision or an artifact is: what it says, and the bytes to trust."""

import re

import msgspec

#: Bytes of a manifest; a larger one is not read.
MANIFEST_BYTES_MAX = 65_536
#: Bytes of a revision's file.
FILE_BYTES_MAX = 4 << 30
#: The highest number that an artifact may have; milliseconds of the year 2255.
SEQUENCE_MAX = 9 * 10**12

_FORMAT = 2
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY_ID = re.compile(r"[0-9a-f]{32}")


class ManifestError(Exception):
    """The manifest is not one, or does not fit its file; says which part."""


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The artifact that a revision was published from."""

    #: Who signed it.
    key_id: str
    sequence: int
    #: Of its manifest's bytes.
    manifest_sha256: str
    #: By the clock of the server that did, in UTC milliseconds.
    accepted_at_ms: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One revision, or one artifact: then `number` is 0 and `sequence` is not."""

    format: int = _FORMAT
    #: Grows by one with each publication on a server.
    number: int = 0
    #: Grows with each artifact: a lower one than was ever accepted is refused.
    sequence: int = 0
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
    #: Whether one offer was switched in it at once, whatever its golden decisions say.
    switched: bool = False
    #: None when it was compiled where it was published.
    origin: Origin | None = None
    #: Key id -> the highest sequence of an artifact that was ever accepted from it.
    accepted: dict[str, int] = {}


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
    if manifest.format != _FORMAT:
        text = f"format {manifest.format}; this version reads format {_FORMAT}"
        raise ManifestError(f"{text}: publish the catalog's files again")
    for field in ("digest", "file_sha256"):
        if not _SHA256.fullmatch(getattr(manifest, field)):
            raise ManifestError(f"{field} is not a sha256")
    if not 0 < manifest.file_bytes <= FILE_BYTES_MAX:
        raise ManifestError(f"file_bytes is not between 1 and {FILE_BYTES_MAX}")
    if manifest.number < 0:
        raise ManifestError("number is negative")
    origin = manifest.origin
    sequences = [manifest.sequence, *manifest.accepted.values()]
    key_ids = [*manifest.accepted]
    if origin is not None:
        sequences.append(origin.sequence)
        key_ids.append(origin.key_id)
        if not _SHA256.fullmatch(origin.manifest_sha256):
            raise ManifestError("origin.manifest_sha256 is not a sha256")
    if not all(0 <= sequence <= SEQUENCE_MAX for sequence in sequences):
        raise ManifestError(f"a sequence is not between 0 and {SEQUENCE_MAX}")
    if not all(map(_KEY_ID.fullmatch, key_ids)):
        raise ManifestError("a key id is not one")
    return manifest
