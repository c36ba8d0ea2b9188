"""A published revision as a message."""

from catalog_store.manifest import Manifest
from catalog_store.records import UnixMs
from server.translation import timestamp
from server.wire import admin_pb2 as pb


def revision_message(manifest: Manifest, current: int) -> pb.Revision:
    """`current` is the number of the revision that decides now."""
    return pb.Revision(
        name=f"revisions/{manifest.number}",
        number=manifest.number,
        digest=manifest.digest,
        publish_time=timestamp(UnixMs(manifest.published_at_ms)),
        publisher=manifest.publisher,
        rollback_of=manifest.rollback_of or 0,
        offer_count=manifest.offer_count,
        rule_count=manifest.rule_count,
        current=manifest.number == current,
    )
