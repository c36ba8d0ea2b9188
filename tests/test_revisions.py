"""Published revisions on disk: whole or refused, and the pointer never in between."""

import multiprocessing
import os
from pathlib import Path

import msgspec
import pytest

from catalog_store.artifact import write_artifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import ManifestError, decode_manifest, encode_manifest
from catalog_store.records import Catalog
from catalog_store.revision_file import RevisionFile, write_revision
from catalog_store.revisions import (
    DamagedRevision,
    NothingPublished,
    PublicationBusy,
    Revisions,
    UnknownRevision,
)
from compiler.revision import compile_catalog
from tests.bank import NOON_MS, environment, offer, publish
from tests.signing import trusted_key


@pytest.fixture(scope="module")
def compiled() -> CompiledCatalog:
    record = environment([offer("card", rule="contact.age >= 18"), offer("loan", 2)])
    return compile_catalog(Catalog(environments=(record,))).catalog


def test_a_revision_file_gives_back_what_was_written(
    tmp_path: Path, compiled: CompiledCatalog
) -> None:
    """Records, rules, and where the rules are used."""
    write_revision(tmp_path / "file", compiled)
    revision = RevisionFile(tmp_path / "file")
    read = revision.catalog()
    revision.close()

    assert compiled == read
    assert compiled.digest() == read.digest()


def test_numbers_grow_by_one_and_history_is_newest_first(
    tmp_path: Path, compiled: CompiledCatalog
) -> None:
    """A rollback is a new number with the old digest and file."""
    revisions = Revisions(tmp_path)
    with pytest.raises(NothingPublished):
        revisions.current()
    first, _ = (
        revisions.publish(
            revisions.install_catalog(compiled), publisher="ann", now_ms=NOON_MS
        )
        for _ in range(2)
    )
    third = revisions.publish(
        revisions.manifest(1), publisher="bob", now_ms=NOON_MS, rollback_of=1
    )

    assert [m.number for m in revisions.history()] == [3, 2, 1]
    assert revisions.current() == third
    assert (third.digest, third.file_sha256, third.rollback_of) == (
        first.digest,
        first.file_sha256,
        1,
    )
    with pytest.raises(UnknownRevision):
        revisions.manifest(4)


def test_a_publication_raises_the_signal(
    tmp_path: Path, compiled: CompiledCatalog
) -> None:
    """Other processes see it in their mapping, without touching the file system."""
    revisions = Revisions(tmp_path)
    signal = revisions.signal()
    before = signal.value()
    installed = revisions.install_catalog(compiled)

    assert signal.value() == before
    Revisions(tmp_path).publish(installed, publisher="ann", now_ms=NOON_MS)
    assert signal.value() != before


def test_an_artifact_carries_a_catalog(
    tmp_path: Path, compiled: CompiledCatalog
) -> None:
    """Written on one machine, installed on another."""
    revisions = Revisions(tmp_path / "catalog")
    key = trusted_key(revisions)
    manifest = write_artifact(tmp_path / "bank.propono", compiled, key, sequence=7)
    installed = revisions.install_artifact(tmp_path / "bank.propono", NOON_MS)
    revision = revisions.open(installed)
    read = revision.catalog()
    revision.close()

    assert installed.origin is not None
    assert (installed.origin.key_id, installed.origin.sequence) == (key.key_id, 7)
    assert installed == msgspec.structs.replace(
        manifest, sequence=0, origin=installed.origin
    )
    assert read == compiled
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bank.propono", "catalog"]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 3},
        {"digest": "x" * 64},
        {"file_sha256": "0" * 63},
        {"file_bytes": 0},
        {"file_bytes": 2**40},
        {"number": -1},
        {"sequence": 10**14},
        {"accepted": {"x": 1}},
        {"accepted": {"0" * 32: -1}},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """Bounded and typed before anything of it is used."""
    _, manifest = publish(tmp_path, environment([offer("card")]))
    changed = msgspec.structs.replace(manifest, **change)

    with pytest.raises(ManifestError):
        decode_manifest(encode_manifest(changed))
    with pytest.raises(ManifestError):
        decode_manifest(encode_manifest(manifest).replace(b'"digest"', b'"digset"'))


def test_a_file_cut_short_since_is_not_opened(tmp_path: Path) -> None:
    """Mapping it would end the process."""
    revisions, manifest = publish(tmp_path, environment([offer("card")]))
    path = tmp_path / "files" / f"{manifest.file_sha256}.mdb"
    path.chmod(0o600)
    os.truncate(path, 4_096)

    with pytest.raises(DamagedRevision):
        revisions.open(manifest)


def test_a_damaged_pointer_is_not_followed(tmp_path: Path) -> None:
    """CURRENT that names nothing is damage, not an empty catalog."""
    revisions, _ = publish(tmp_path, environment([offer("card")]))
    for text in ("7\n", "x\n", ""):
        (tmp_path / "CURRENT").write_text(text)
        with pytest.raises(DamagedRevision):
            revisions.current()


def test_publishers_take_turns(tmp_path: Path) -> None:
    """Four processes publish 5 times each: 20 numbers, none twice, none missing."""
    spawn = multiprocessing.get_context("spawn")
    publishers = [
        spawn.Process(target=_publish_often, args=(tmp_path,)) for _ in "abcd"
    ]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join(60)

    assert [p.exitcode for p in publishers] == [0] * 4
    assert [m.number for m in Revisions(tmp_path).history()] == list(range(20, 0, -1))


def _publish_often(folder: Path) -> None:
    for _ in range(5):
        publish(folder, environment([offer("card")]))


def test_whoever_cannot_have_a_turn_is_told(tmp_path: Path) -> None:
    """The lock of a publisher that hangs is not waited for without end."""
    import fcntl

    revisions, manifest = publish(tmp_path, environment([offer("card")]))
    with (tmp_path / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(PublicationBusy):
            revisions.publish(manifest, publisher="ann", now_ms=NOON_MS)

    assert revisions.current() == manifest
