"""Artifacts and revisions of which a byte is another: none is opened, none decides."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog_store import revisions as revisions_module
from catalog_store.artifact import ArtifactError, UntrustedArtifact, write_artifact
from catalog_store.keys import PrivateKey
from catalog_store.manifest import Manifest
from catalog_store.records import Catalog
from catalog_store.revisions import DamagedRevision, Revisions, UntrustedRevision
from compiler.revision import compile_catalog
from tests.bank import NOON_MS, environment, offer, publish
from tests.signing import trusted_key

#: Bits turned over in files; the seed is in the tests' ids.
FLIPS = 2_000
SEED = 20_261_122
#: Before the manifest: what it is, and two lengths.
HEAD_BYTES = 16
SIGNATURE_BYTES = 80


class Target(NamedTuple):
    """A folder with a revision, and an artifact that it would accept."""

    revisions: Revisions
    key: PrivateKey
    artifact: bytes
    manifest: Manifest
    path: Path

    @property
    def file_start(self) -> int:
        return len(self.artifact) - self.manifest.file_bytes

    def install(self, artifact: bytes) -> Manifest:
        self.path.write_bytes(artifact)
        return self.revisions.install_artifact(self.path, NOON_MS)

    def refusal(self, artifact: bytes) -> type[ArtifactError]:
        """How it is refused; nothing of it is left in the folder."""
        with pytest.raises(ArtifactError) as raised:
            self.install(artifact)
        return raised.type


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    revisions, _ = publish(tmp_path / "catalog", environment([offer("card")]))
    before = revisions.current()
    files = {path.name for path in (revisions.folder / "files").iterdir()}
    key = trusted_key(revisions)
    artifact, manifest = _artifact(tmp_path / "built", key, "loan")
    yield Target(revisions, key, artifact, manifest, tmp_path / "sent")
    assert revisions.current() == before
    assert {path.name for path in (revisions.folder / "files").iterdir()} == files


@pytest.fixture
def never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever maps a file fails the test."""

    def opened(path: Path) -> None:
        pytest.fail(f"{path} was opened")

    monkeypatch.setattr(revisions_module, "RevisionFile", opened)


def _artifact(path: Path, key: PrivateKey, *names: str) -> tuple[bytes, Manifest]:
    record = environment([offer(name, rule="contact.age >= 18") for name in names])
    catalog = compile_catalog(Catalog(environments=(record,))).catalog
    manifest = write_artifact(path, catalog, key)
    return path.read_bytes(), manifest


def _a_bit_of_each_byte(start: int, end: int) -> list[int]:
    """Another one in each."""
    return [place * 8 + place % 8 for place in range(start, end)]


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.usefixtures("never_opened")
def test_no_byte_of_manifest_or_signature_can_change(target: Target) -> None:
    """Each is covered, the lengths before them as well; nobody trusts the result."""
    for bit in _a_bit_of_each_byte(HEAD_BYTES, target.file_start):
        assert target.refusal(_flipped(target.artifact, bit)) is UntrustedArtifact
    for bit in range(HEAD_BYTES * 8):
        target.refusal(_flipped(target.artifact, bit))


@pytest.mark.usefixtures("never_opened")
@pytest.mark.parametrize("seed", [SEED])
def test_no_bit_of_the_file_can_change(target: Target, seed: int) -> None:
    """Each is refused by its sha256, before anybody opens the file."""
    bits = range(target.file_start * 8, len(target.artifact) * 8)

    for bit in random.Random(seed).sample(bits, FLIPS):
        assert target.refusal(_flipped(target.artifact, bit)) is ArtifactError, bit


@pytest.mark.usefixtures("never_opened")
def test_no_byte_can_be_missing_or_too_many(target: Target) -> None:
    """Cut at every place of the head, at pages of the file, and made longer."""
    whole = target.artifact
    for end in (
        *range(target.file_start + 1),
        *range(target.file_start, len(whole), 4_096),
        len(whole) - 1,
    ):
        target.refusal(whole[:end])
    for more in (b"\0", b"\0" * 4_096, whole):
        assert target.refusal(whole + more) is ArtifactError


def _pages_swapped(target: Target, other: bytes) -> bytes:
    start = target.file_start
    page = 4_096
    data = target.artifact
    first, second = data[start : start + page], data[start + page : start + 2 * page]
    return data[:start] + second + first + data[start + 2 * page :]


SWAPS: dict[str, tuple[Callable[[Target, bytes], bytes], type[ArtifactError]]] = {
    "pages": (_pages_swapped, ArtifactError),
    "the file of another": (
        lambda t, other: t.artifact[: t.file_start] + other[t.file_start :],
        ArtifactError,
    ),
    "the signature of another": (
        lambda t, other: (
            t.artifact[: t.file_start - SIGNATURE_BYTES]
            + other[t.file_start - SIGNATURE_BYTES : t.file_start]
            + t.artifact[t.file_start :]
        ),
        UntrustedArtifact,
    ),
    "the manifest of another": (
        lambda t, other: (
            other[: t.file_start - SIGNATURE_BYTES]
            + t.artifact[t.file_start - SIGNATURE_BYTES :]
        ),
        UntrustedArtifact,
    ),
}


@pytest.mark.usefixtures("never_opened")
@pytest.mark.parametrize("what", SWAPS)
def test_no_part_can_be_that_of_another(
    target: Target, tmp_path: Path, what: str
) -> None:
    """Both artifacts are good, of one key, and as long as each other."""
    other, manifest = _artifact(tmp_path / "other", target.key, "gold")
    make, kind = SWAPS[what]

    assert len(other) - manifest.file_bytes == target.file_start
    assert target.refusal(make(target, other)) is kind


def test_it_does_not_matter_how_an_artifact_is_cut(target: Target) -> None:
    """One byte at a time through the head, then in parts of any size."""
    with target.revisions.begin_artifact(NOON_MS) as installation:
        for place in range(target.file_start):
            installation.feed(target.artifact[place : place + 1])
        rest = target.artifact[target.file_start :]
        while rest:
            installation.feed(rest[:70_001])
            rest = rest[70_001:]
        installed = installation.finish()
    file = target.revisions.folder / "files" / f"{installed.file_sha256}.mdb"
    found = file.read_bytes()
    file.unlink()

    assert found == target.artifact[target.file_start :]


@pytest.mark.usefixtures("never_opened")
def test_no_byte_of_a_published_manifest_can_change(tmp_path: Path) -> None:
    """Neither of the signature beside it; and it is whole, or does not count."""
    revisions, _ = publish(tmp_path, environment([offer("card")]))
    for kind in ("json", "sig"):
        path = tmp_path / "revisions" / f"1.{kind}"
        data = path.read_bytes()
        for bit in _a_bit_of_each_byte(0, len(data)):
            path.write_bytes(_flipped(data, bit))
            with pytest.raises(UntrustedRevision, match="revision 1: "):
                revisions.current()
        for end in range(len(data)):
            path.write_bytes(data[:end])
            with pytest.raises(UntrustedRevision):
                revisions.current()
        path.write_bytes(data)
    assert revisions.current().number == 1
    (tmp_path / "revisions" / "1.sig").unlink()
    with pytest.raises(UntrustedRevision, match="revision 1: it is not signed"):
        revisions.current()


@pytest.mark.usefixtures("never_opened")
@pytest.mark.parametrize("seed", [SEED])
def test_no_bit_of_a_published_file_can_change(tmp_path: Path, seed: int) -> None:
    """Hashed at the start of a server, and when nobody noted that somebody did."""
    revisions, manifest = publish(tmp_path, environment([offer("card")]))
    path = tmp_path / "files" / f"{manifest.file_sha256}.mdb"
    data = path.read_bytes()
    path.chmod(0o600)

    for bit in random.Random(seed).sample(range(len(data) * 8), FLIPS // 10):
        path.write_bytes(_flipped(data, bit))
        with pytest.raises(DamagedRevision, match="revision 1: its file is damaged"):
            revisions.verify_current()
        with pytest.raises(DamagedRevision):
            revisions.open(manifest)


def test_a_revision_under_the_number_of_another_is_not_one(tmp_path: Path) -> None:
    """Its signature is good, and its number says which it is."""
    publish(tmp_path, environment([offer("card")]))
    revisions, _ = publish(tmp_path, environment([offer("loan")]))
    for kind in ("json", "sig"):
        first = (tmp_path / "revisions" / f"1.{kind}").read_bytes()
        (tmp_path / "revisions" / f"2.{kind}").write_bytes(first)

    with pytest.raises(DamagedRevision, match="it is the manifest of 1"):
        revisions.current()


def test_a_pointer_to_an_earlier_revision_is_not_followed(tmp_path: Path) -> None:
    """That would be a rollback that nobody signed and no number tells of."""
    publish(tmp_path, environment([offer("card")]))
    revisions, _ = publish(tmp_path, environment([offer("loan")]))
    (tmp_path / "CURRENT").write_text("1\n")

    with pytest.raises(DamagedRevision, match="names revision 1, but 2 decided"):
        revisions.current()
