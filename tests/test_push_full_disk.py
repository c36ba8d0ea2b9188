"""Pushes to a server whose disk has room for a part of what publishing writes."""

import os
from pathlib import Path

import pytest

from catalog_store.artifact import write_artifact
from catalog_store.records import Catalog
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from server.client import CallFailed
from server.client_access import ClientAccess
from server.data_folder import DataFolder
from server.publication_client import PublicationClient
from tests.bank import environment, offer, publish
from tests.faulty_disks import fill, small_disk
from tests.servers import DEADLINE_SECONDS, serving
from tests.signing import trusted_key

DISK_BYTES = 32 << 20
BLOCK_BYTES = 4_096


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_a_push_without_room_changes_nothing(tmp_path: Path, kind: str) -> None:
    """With a block more each time, until all of it can be written."""
    artifact = tmp_path / "artifact"
    with small_disk(kind, tmp_path, DISK_BYTES) as disk:
        # By another function: what it maps would keep the disk in use.
        refused = refused_until_there_is_room(disk, artifact)

    assert refused > artifact.stat().st_size // BLOCK_BYTES // 2


def refused_until_there_is_room(disk: Path, artifact: Path) -> int:
    """How often a push was refused, each time with nothing changed."""
    folder = DataFolder(disk / "data")
    revisions, _ = publish(folder.catalog, environment([offer("card")]))
    loan = Catalog(environments=(environment([offer("loan")]),))
    write_artifact(artifact, compile_catalog(loan).catalog, trusted_key(revisions))
    filler = disk / "filler"
    with serving(folder.root) as server:
        token = (folder.root / "admin.token").read_text().strip()
        client = PublicationClient.connect(server.admin, ClientAccess(token=token))
        client = client._replace(timeout_seconds=DEADLINE_SECONDS)
        fill(filler)
        before = left_in(revisions)
        refused = 0
        while (refusal := refusal_of(client, artifact)) is not None:
            refused += 1
            # What cannot be written into the audit log is not even begun.
            code, reason = refusal
            assert code == "UNAVAILABLE"
            assert reason in ("AUDIT_FAILED", "CATALOG_FOLDER_FAILED")
            assert revisions.current().number == 1
            # The whole file may have its name, and no revision that names it.
            left = left_in(revisions)
            assert left >= before
            assert not any(name.startswith("new-") for name in left)
            os.truncate(filler, filler.stat().st_size - BLOCK_BYTES)
        client.close()
    assert revisions.current().number > 1
    return refused


def refusal_of(client: PublicationClient, artifact: Path) -> tuple[str, str] | None:
    try:
        client.push(artifact, lambda sent, size: None)
    except CallFailed as failed:
        return failed.code, failed.reason
    return None


def left_in(revisions: Revisions) -> set[str]:
    return {path.name for path in (revisions.folder / "files").iterdir()}
