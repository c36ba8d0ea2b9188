"""From files to what is served: refused whole, or published whole."""

import hashlib
import marshal
import re
import shutil
import subprocess
import sys
from collections.abc import Set
from pathlib import Path
from typing import Any

import lmdb
import msgspec
import pytest

from catalog_store.artifact import (
    ArtifactError,
    UntrustedArtifact,
    head_of,
    write_artifact,
)
from catalog_store.keys import PrivateKey
from catalog_store.manifest import encode_manifest
from catalog_store.revisions import DamagedRevision, Revisions
from catalog_store.signatures import Purpose, sign
from compiler.runtime.linker import CODE_TAG
from compiler.source import Refused
from server import publication
from server.data_folder import DataFolder
from server.requests import UnknownName
from tests.bank import NOON_MS
from tests.servers import BANK, ROOT, Server, run, wait_until
from tests.signing import trusted_key


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    publication.publish_files(folder, BANK, publisher="test", now_ms=NOON_MS)
    return folder


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A copy of the bank's files to edit."""
    return Path(shutil.copytree(BANK, tmp_path / "edited"))


def _replace(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_catalog_that_does_not_compile_is_refused_whole(
    data: DataFolder, edited: Path
) -> None:
    """All mistakes at once, with file, line and caret; the old revision stays."""
    _replace(
        edited, "recipient/environment.yaml", "!contact.default", "!contact.defalt"
    )
    survey = "label: What should we do better?"
    _replace(
        edited,
        "recipient/offers/good_to_know.yaml",
        survey,
        f"{survey}\n    enabled: maybe",
    )
    before = Revisions(data.catalog).current()

    with pytest.raises(Refused) as refused:
        publication.publish_files(data, edited, publisher="test", now_ms=NOON_MS)

    rule, kind = (d.render() for d in refused.value.diagnostics)
    assert "recipient/environment.yaml:38:17: error: unknown attribute" in rule
    assert "contact.defalt; did you mean 'default'?" in rule
    assert rule.splitlines()[1:] == [
        '  rule: "!contact.defalt"',
        "                  ^^^^^^",
    ]
    assert "recipient/offers/good_to_know.yaml:" in kind
    assert "maybe" in kind
    assert Revisions(data.catalog).current() == before


def test_compiling_is_deterministic(tmp_path: Path) -> None:
    """Two processes with different hash seeds make the same digest."""
    digests = set()
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.propono"
        subprocess.run(
            [
                *(sys.executable, "-m", "server.cli"),
                *("catalog", "compile", str(BANK), "-o", str(out)),
            ],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        digests.add(compiled_digest(out))

    assert len(digests) == 1


def compiled_digest(artifact: Path) -> str:
    """What an artifact's manifest says of its catalog, whoever signed it."""
    found = re.search(rb'"digest": "([0-9a-f]{64})"', artifact.read_bytes()[:4_096])
    assert found is not None
    return found[1].decode()


def test_code_for_another_python_is_rebuilt_from_the_trees(data: DataFolder) -> None:
    """What was published elsewhere decides here, with the same digest."""
    revisions = Revisions(data.catalog)
    current = revisions.current()
    revision = revisions.open(current)
    foreign = msgspec.structs.replace(
        revision.catalog(),
        code_tag="cpython-399",
        environments=tuple(
            msgspec.structs.replace(
                e, rules=tuple(msgspec.structs.replace(r, code=b"?") for r in e.rules)
            )
            for e in revision.catalog().environments
        ),
    )
    revision.close()
    installed = revisions.install_catalog(foreign)
    revisions.publish(installed, publisher="test", now_ms=NOON_MS)

    publication.ensure_runnable(data, NOON_MS)

    rebuilt = revisions.current()
    assert rebuilt.code_tag == CODE_TAG
    assert rebuilt.digest == current.digest
    assert rebuilt.number == current.number + 2


def hostile_artifact(data: DataFolder, artifact: Path, key, code_tag: str) -> None:
    """The current catalog, with code that would end the process."""
    revisions = Revisions(data.catalog)
    revision = revisions.open(revisions.current())
    catalog = revision.catalog()
    revision.close()
    hostile = marshal.dumps(compile("raise SystemExit(99)", "hostile", "exec"))
    environments = tuple(
        msgspec.structs.replace(
            e, rules=tuple(msgspec.structs.replace(r, code=hostile) for r in e.rules)
        )
        for e in catalog.environments
    )
    changed = msgspec.structs.replace(
        catalog, environments=environments, code_tag=code_tag
    )
    write_artifact(artifact, changed, key)


def test_code_that_nobody_trusted_signed_is_never_opened(
    tmp_path: Path, data: DataFolder
) -> None:
    """Not signed, or by a stranger: refused, and nothing of it is kept."""
    before = Revisions(data.catalog).current()
    for key in (None, PrivateKey.generate()):
        hostile_artifact(data, tmp_path / "hostile.propono", key, CODE_TAG)
        with pytest.raises(UntrustedArtifact):
            publication.publish_artifact(
                data, tmp_path / "hostile.propono", publisher="x", now_ms=NOON_MS
            )

    assert Revisions(data.catalog).current() == before
    files = {path.name for path in (data.catalog / "files").iterdir()}
    assert files == {f"{before.file_sha256}.mdb"}


def test_code_for_another_python_is_never_run(tmp_path: Path, data: DataFolder) -> None:
    """It is rebuilt from the signed trees; the revision tells whose artifact it was."""
    revisions = Revisions(data.catalog)
    key = trusted_key(revisions)
    revision = revisions.open(revisions.current())
    catalog = revision.catalog()
    revision.close()
    hostile_artifact(data, tmp_path / "foreign.propono", key, "cpython-399")

    manifest = publication.publish_artifact(
        data, tmp_path / "foreign.propono", publisher="test", now_ms=NOON_MS
    )

    revision = revisions.open(manifest)
    rebuilt = revision.catalog()
    revision.close()
    assert rebuilt == catalog
    assert manifest.origin is not None
    assert manifest.origin.key_id == key.key_id


def test_an_artifact_that_is_not_what_its_manifest_says_is_refused(
    tmp_path: Path, data: DataFolder
) -> None:
    """Whole by its sha256, signed, and still another catalog than the digest names."""
    revisions = Revisions(data.catalog)
    key = trusted_key(revisions)
    artifact = tmp_path / "bank.propono"
    manifest, _ = publication.compile_to_artifact(BANK, artifact, key)
    whole = artifact.read_bytes()
    lying = encode_manifest(msgspec.structs.replace(manifest, digest="0" * 64))
    signed = head_of(lying, sign(key, Purpose.ARTIFACT, lying))
    artifact.write_bytes(signed + whole[-manifest.file_bytes :])
    before = revisions.current()

    with pytest.raises(ArtifactError, match="not hold what its manifest says"):
        publication.publish_artifact(data, artifact, publisher="x", now_ms=NOON_MS)

    assert revisions.current() == before


def test_a_file_of_an_earlier_format_is_refused_with_the_remedy(
    data: DataFolder,
) -> None:
    """Rolled back to, or found at the start with code for another Python."""
    revisions = Revisions(data.catalog)
    current = revisions.current()
    old = data.catalog / "old"
    lmdb_env = lmdb.open(str(old), subdir=False, lock=False)
    with lmdb_env.begin(write=True) as txn:
        txn.put(b"catalog", msgspec.msgpack.encode({"environments": ["recipient"]}))
    lmdb_env.close()
    sha256 = hashlib.sha256(old.read_bytes()).hexdigest()
    size = old.stat().st_size
    old.rename(data.catalog / "files" / f"{sha256}.mdb")
    manifest = msgspec.structs.replace(current, file_sha256=sha256, file_bytes=size)
    published = revisions.publish(manifest, publisher="test", now_ms=NOON_MS)
    remedy = "earlier version of Propono; publish the catalog's files again"

    with pytest.raises(DamagedRevision, match=remedy):
        publication.roll_back(data, published.number, publisher="x", now_ms=NOON_MS)
    foreign = msgspec.structs.replace(manifest, code_tag="cpython-399")
    revisions.publish(foreign, publisher="test", now_ms=NOON_MS)
    with pytest.raises(DamagedRevision, match=remedy):
        publication.ensure_runnable(data, NOON_MS)


def test_a_rollback_tries_what_no_worker_decided_with(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And hashes the file in any case, since it may have changed on disk."""
    revisions = Revisions(data.catalog)
    sha256 = revisions.current().file_sha256
    tried: list[int] = []
    load = publication.load

    def counted(*arguments: Any) -> object:
        tried.append(1)
        return load(*arguments)

    monkeypatch.setattr(publication, "load", counted)

    def roll_back(served: Set[str]) -> None:
        publication.roll_back(data, 1, publisher="test", now_ms=NOON_MS, served=served)

    roll_back(frozenset())
    assert len(tried) == 1
    roll_back({sha256})
    assert len(tried) == 1
    file = data.catalog / "files" / f"{sha256}.mdb"
    file.chmod(0o600)
    with file.open("r+b") as damaged:
        damaged.seek(20_000)
        damaged.write(b"other")
    with pytest.raises(DamagedRevision, match="its file is damaged"):
        roll_back({sha256})
    assert revisions.current_number() == 3


def test_the_schema_of_a_published_environment_is_read(data: DataFolder) -> None:
    """For imports; an unknown environment comes with near misses."""
    attributes = publication.contact_attributes(data.root, "recipient")

    assert "balance" in {attribute.name for attribute in attributes}
    with pytest.raises(UnknownName, match="did you mean 'recipient'"):
        publication.contact_attributes(data.root, "recipent")


def test_a_running_server_switches_and_goes_back(bank: Server, edited: Path) -> None:
    """Publish and roll back under a running server, without a restart."""
    ask = ("propose", "--space", "web_home_side", "--contact", "C000002", "--dry-run")
    ask = (*ask, "--server", bank.decisions, "--output", "json")

    def revision() -> int:
        return int(msgspec.json.decode(run(*ask))["revision"])

    before = revision()
    _replace(
        edited,
        "recipient/offers/good_to_know.yaml",
        "title: A branch near you",
        "title: Around the corner",
    )
    run("catalog", "publish", edited, "--data", bank.data)
    wait_until(lambda: revision() == before + 1)
    run("catalog", "rollback", before, "--data", bank.data)
    wait_until(lambda: revision() == before + 2)

    history = msgspec.json.decode(
        run("catalog", "history", "--data", bank.data, "--output", "json")
    )
    assert [entry["revision"] for entry in history[:3]] == [
        before + 2,
        before + 1,
        before,
    ]
    assert history[0]["digest"] == history[2]["digest"] != history[1]["digest"]
    assert history[0]["repeats"] == before


def test_a_damaged_revision_leaves_the_one_before_deciding(
    bank: Server, edited: Path
) -> None:
    """A pointer to nonsense is logged, and decisions go on."""
    ask = ("propose", "--space", "web_home_side", "--contact", "C000002", "--dry-run")
    ask = (*ask, "--server", bank.decisions, "--output", "json")
    revisions = Revisions(DataFolder(bank.data).catalog)
    current = revisions.current()
    pointer = revisions.folder / "CURRENT"
    pointer.write_text("999\n")
    revisions.signal().raise_()
    answers = [msgspec.json.decode(run(*ask)) for _ in range(3)]
    pointer.write_text(f"{current.number}\n")
    revisions.signal().raise_()

    assert {int(answer["revision"]) for answer in answers} == {current.number}
