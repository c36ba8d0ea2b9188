"""Which artifacts may be published: signed by a key that counts, newer than all before.

Asked twice: before an artifact's file arrives, and while nobody else publishes.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from catalog_store.artifact import OldArtifact, UntrustedArtifact, artifact_manifest
from catalog_store.manifest import Manifest, Origin
from catalog_store.signatures import Purpose, verify
from catalog_store.trust import TrustedKey, Untrusted


def accepted_manifest(
    encoded: bytes, signature: bytes, trusted: Mapping[str, TrustedKey], now_ms: int
) -> Manifest:
    """What an artifact is to be installed under; nothing is parsed before it counts.

    Raises UntrustedArtifact, and ArtifactError.
    """
    try:
        key = verify(signature, Purpose.ARTIFACT, encoded, trusted)
        key.check_valid(now_ms)
    except Untrusted as error:
        raise UntrustedArtifact(str(error)) from None
    manifest = artifact_manifest(encoded)
    origin = Origin(
        key_id=key.key_id,
        sequence=manifest.sequence,
        manifest_sha256=hashlib.sha256(encoded).hexdigest(),
        accepted_at_ms=now_ms,
    )
    return msgspec.structs.replace(manifest, sequence=0, origin=origin)


def check_origin(origin: Origin, trusted: Mapping[str, TrustedKey]) -> None:
    """Raises Untrusted unless the key counted when its artifact was accepted.

    An expired key publishes nothing, and what it published goes on to count, rolled
    back or rebuilt as well; of a revoked one nothing does.
    """
    key = trusted.get(origin.key_id)
    if key is None:
        raise Untrusted(f"nobody trusts key {origin.key_id} any more")
    key.check_valid(origin.accepted_at_ms)


def check_newer(
    origin: Origin, accepted: Mapping[str, int], trusted: Mapping[str, TrustedKey]
) -> None:
    """Raises OldArtifact; what a revoked key signed sets no mark."""
    marks = [
        sequence
        for key_id, sequence in accepted.items()
        if key_id in trusted and trusted[key_id].revoked_at_ms is None
    ]
    if origin.sequence <= max(marks, default=0):
        raise OldArtifact(
            f"its sequence is {origin.sequence}, and {max(marks)} was published"
            " already: compile it again, or roll back to an earlier revision"
        )


def is_same(origin: Origin | None, other: Origin) -> bool:
    """Whether they are one artifact, whenever it was accepted."""
    return origin is not None and (origin.key_id, origin.manifest_sha256) == (
        other.key_id,
        other.manifest_sha256,
    )
