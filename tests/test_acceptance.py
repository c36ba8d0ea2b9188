"""Which artifacts may be published, over the life of their keys."""

from pathlib import Path

import pytest

from catalog_store.artifact import OldArtifact, UntrustedArtifact, write_artifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.keys import PrivateKey
from catalog_store.manifest import Manifest
from catalog_store.records import Catalog
from catalog_store.revisions import Revisions, UntrustedRevision
from compiler.revision import compile_catalog
from server.data_folder import DataFolder
from server.publication import publish_artifact, roll_back
from tests.bank import NOON_MS, environment, offer
from tests.signing import trusted_key

HOUR_MS = 3_600_000


def compiled(*names: str) -> CompiledCatalog:
    record = environment([offer(name, rule="contact.age >= 18") for name in names])
    return compile_catalog(Catalog(environments=(record,))).catalog


CARD, LOAN = compiled("card"), compiled("loan")


class Folder:
    """A data folder, and artifacts that are written beside it."""

    def __init__(self, root: Path) -> None:
        self.data = DataFolder(root / "data")
        self.revisions = Revisions(self.data.catalog)
        self.artifact = root / "artifact"

    def publish(
        self,
        catalog: CompiledCatalog,
        key: PrivateKey,
        sequence: int,
        now_ms: int = NOON_MS,
    ) -> Manifest:
        write_artifact(self.artifact, catalog, key, sequence=sequence)
        return publish_artifact(
            self.data, self.artifact, publisher="test", now_ms=now_ms
        )

    def roll_back(self, number: int, now_ms: int = NOON_MS) -> Manifest:
        return roll_back(self.data, number, publisher="test", now_ms=now_ms)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_an_expired_key_published_can_be_rolled_back_to(folder: Folder) -> None:
    """It counted when its artifact was accepted; it publishes nothing new."""
    key = trusted_key(folder.revisions, valid_until_ms=NOON_MS + HOUR_MS)
    other = trusted_key(folder.revisions, "other")
    folder.publish(CARD, key, 1)
    folder.publish(LOAN, other, 2)
    later = NOON_MS + HOUR_MS

    with pytest.raises(UntrustedArtifact, match="has expired"):
        folder.publish(CARD, key, 3, later)
    back = folder.roll_back(1, later)

    assert folder.revisions.current() == back
    assert (back.number, back.digest) == (3, CARD.digest())


def test_a_key_is_replaced_by_another(folder: Folder) -> None:
    """Both count, then the first has an end; what it signed before goes on deciding."""
    first = trusted_key(folder.revisions, "first")
    folder.publish(CARD, first, 1)
    second = trusted_key(folder.revisions, "second")
    folder.publish(LOAN, second, 2)
    folder.publish(CARD, first, 3)
    folder.revisions.trust.trust(
        first.public, name="first", valid_from_ms=0, valid_until_ms=NOON_MS + HOUR_MS
    )
    later = NOON_MS + 2 * HOUR_MS

    assert folder.revisions.current().digest == CARD.digest()
    with pytest.raises(UntrustedArtifact, match="has expired"):
        folder.publish(LOAN, first, 4, later)
    assert folder.publish(LOAN, second, 4, later).number == 4


def test_a_stolen_key_publishes_nothing_and_blocks_nothing(folder: Folder) -> None:
    """What it signed counts no more, and neither does the high sequence it used."""
    stolen = trusted_key(folder.revisions, "stolen")
    ours = trusted_key(folder.revisions, "ours")
    folder.publish(CARD, ours, 1)
    folder.publish(LOAN, stolen, 9_000_000)
    with pytest.raises(OldArtifact, match="9000000 was published already"):
        folder.publish(CARD, ours, 2)

    folder.roll_back(1)
    folder.roll_back(2)
    folder.revisions.trust.revoke(stolen.key_id, NOON_MS)

    with pytest.raises(UntrustedRevision, match=r"revision 4: key .* is revoked"):
        folder.revisions.current()
    with pytest.raises(UntrustedRevision):
        folder.roll_back(2)
    # It remembers the high sequence, from before.
    assert folder.roll_back(3).accepted[stolen.key_id] == 9_000_000
    assert folder.publish(CARD, ours, 2).number == 6
    assert folder.revisions.current().number == 6


def test_a_key_revoked_while_its_artifact_is_tried_publishes_nothing(
    folder: Folder,
) -> None:
    """Asked again when nobody else can publish, or change who is trusted."""
    key = trusted_key(folder.revisions)
    before = folder.publish(CARD, key, 1)
    write_artifact(folder.artifact, LOAN, key, sequence=2)
    installed = folder.revisions.install_artifact(folder.artifact, NOON_MS)
    folder.revisions.trust.revoke(key.key_id, NOON_MS)

    with pytest.raises(UntrustedArtifact, match="is revoked"):
        folder.revisions.publish(installed, publisher="test", now_ms=NOON_MS)
    with pytest.raises(UntrustedRevision, match=r"revision 1: key .* is revoked"):
        folder.revisions.publish(
            before, publisher="test", now_ms=NOON_MS, rollback_of=1
        )

    assert folder.revisions.current_number() == 1


def test_a_rollback_lets_no_older_artifact_in(folder: Folder) -> None:
    """The highest sequence stays where it was; the artifact of before is not newer."""
    key = trusted_key(folder.revisions)
    folder.publish(CARD, key, 1)
    folder.publish(LOAN, key, 5)
    folder.roll_back(1)

    for sequence in (1, 4, 5):
        with pytest.raises(OldArtifact):
            folder.publish(LOAN, key, sequence)
    assert folder.publish(LOAN, key, 6).number == 4
