"""A revision's file in chunks: all of it comes back, and no damage goes unnoticed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import msgspec
import pytest

from catalog_store.compiled import CompiledCatalog
from catalog_store.counting import Counted
from catalog_store.manifest import Manifest
from catalog_store.records import (
    Catalog,
    Category,
    Multiplier,
    PresentationRule,
    Typology,
)
from catalog_store.revision_file import RevisionFile, write_revision
from catalog_store.revision_file.chunks import sealed
from catalog_store.revisions import DamagedRevision
from compiler.revision import compile_catalog
from server.live_loading import load
from tests.bank import (
    DAY_MS,
    NOON_MS,
    environment,
    offer,
    publish,
    row,
    space,
    title,
    window,
)
from tests.servers import BANK, ROOT

REMEDY = "publish the catalog's files again"


@pytest.fixture(scope="module")
def compiled() -> CompiledCatalog:
    """A catalog of which no part is empty, and some have several chunks."""
    old = window(NOON_MS - 9, NOON_MS + 9)
    categories = (
        Category(name="base", weights=(row(1, rule="contact.age > 1"),)),
        Category(name="best", themes=("gold",), multiplier=Multiplier(factor=2.0)),
    )
    offers = [
        offer(
            f"offer_{number}",
            row(number + 1, rule=f"contact.balance * 2 > {number}", window=old),
            row(0),
            category=("base", "best")[number % 2],
            rule="contact.age >= 18" if number % 3 else None,
            content={"title": "x" * 300} if number % 5 else {},
            enabled=number % 7 > 0,
            window=old if number % 11 == 0 else window(),
            attributes={"line": str(number % 4)},
        )
        for number in range(300)
    ]
    line = PresentationRule(
        name="line",
        maximum=1,
        period_ms=DAY_MS,
        counted=Counted.SAME_ATTRIBUTE,
        attribute="line",
    )
    record = environment(
        offers,
        categories=categories,
        rules=(line,),
        spaces=(space("banner", fields=(title(),)), space("side")),
    )
    return compile_catalog(Catalog(environments=(record,))).catalog


@pytest.fixture
def path(tmp_path: Path, compiled: CompiledCatalog) -> Path:
    write_revision(tmp_path / "file", compiled)
    return tmp_path / "file"


def test_every_part_comes_back_from_its_chunks(
    path: Path, compiled: CompiledCatalog
) -> None:
    """Records, rules, uses and index, and the digest does not know of chunks."""
    revision = RevisionFile(path)
    read = revision.catalog()
    revision.close()

    assert compiled == read
    assert compiled.digest() == read.digest()
    assert sum(key.startswith("offers/") for key in _keys(path)) > 1


def test_what_is_read_is_unmapped_after_some_megabytes(
    path: Path, compiled: CompiledCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is opened anew while it is read, and nobody notices."""
    monkeypatch.setattr("catalog_store.revision_file.reader.MAPPED_BYTES_MAX", 10_000)
    revision = RevisionFile(path)
    first = revision._lmdb_env
    read = revision.catalog()
    reopened = revision._lmdb_env is not first
    revision.close()

    assert compiled == read
    assert reopened


def test_the_same_catalog_gives_the_same_bytes(
    tmp_path: Path, path: Path, compiled: CompiledCatalog
) -> None:
    """In one process, and in two with different hash seeds."""
    write_revision(tmp_path / "again", compiled)
    sha256s = set()
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
        found = re.search(rb'"file_sha256": "([0-9a-f]{64})"', out.read_bytes()[:4_096])
        assert found is not None
        sha256s.add(found[1])

    assert path.read_bytes() == (tmp_path / "again").read_bytes()
    assert len(sha256s) == 1


def test_a_chunk_that_is_missing_is_named(path: Path) -> None:
    """Whichever it is: nothing is loaded, and the remedy is said."""
    keys = _keys(path)
    for key in keys:
        value = _put(path, key, None)
        with pytest.raises(DamagedRevision, match=REMEDY) as refused:
            _read_all(path)
        _put(path, key, value)

        assert key == "header" or key in str(refused.value)
    _read_all(path)

    assert len(keys) > 40


def test_a_chunk_that_has_changed_is_named(path: Path) -> None:
    """A flipped bit or a cut anywhere in a chunk."""
    for key in _keys(path):
        whole = _put(path, key, None)
        assert whole is not None
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 0x40
        for damaged in (bytes(flipped), whole[:-1], whole[:3], b""):
            _put(path, key, damaged)
            with pytest.raises(DamagedRevision, match=REMEDY):
                _read_all(path)
        _put(path, key, whole)
    _read_all(path)


def test_a_sealed_chunk_of_something_else_is_refused(path: Path) -> None:
    """Whole by its seal, and not what its part holds."""
    for key in _keys(path):
        whole = _put(path, key, sealed(msgspec.msgpack.encode([b"?", {}])))
        with pytest.raises(DamagedRevision, match=REMEDY):
            _read_all(path)
        _put(path, key, whole)


def test_a_file_of_before_chunks_is_refused(tmp_path: Path) -> None:
    """It is of another version, and the remedy is said."""
    old = {"environments": ["bank"], "code_tag": "cpython-311"}
    lmdb_env = lmdb.open(str(tmp_path / "old"), subdir=False, lock=False)
    with lmdb_env.begin(write=True) as txn:
        txn.put(b"catalog", msgspec.msgpack.encode(old))
        txn.put(b"environment/bank", b"\xc0")
    lmdb_env.close()
    later = {**old, "format": 3}

    with pytest.raises(DamagedRevision, match=f"an earlier version.*{REMEDY}"):
        RevisionFile(tmp_path / "old")
    _put(tmp_path / "old", "header", sealed(msgspec.msgpack.encode(later)))
    with pytest.raises(DamagedRevision, match=f"format 3.*reads format 2; {REMEDY}"):
        RevisionFile(tmp_path / "old")


def test_a_damaged_file_leaves_nothing_mapped(tmp_path: Path) -> None:
    """It can be opened again in the same process once it is whole."""
    _, manifest = publish(tmp_path, environment([offer("card")]))
    path = tmp_path / "files" / f"{manifest.file_sha256}.mdb"
    path.chmod(0o600)
    value = _put(path, "header", b"?")
    with pytest.raises(DamagedRevision):
        RevisionFile(path)
    _put(path, "header", value)
    revision = RevisionFile(path)
    names = revision.environment_names
    revision.close()

    assert names == ("bank",)


def test_every_part_of_an_environment_is_loaded_or_read(path: Path) -> None:
    """The catalog of these tests leaves no part of the format out."""
    parts = {key.partition("/")[0] for key in _keys(path)}
    expected = {
        *("header", "head", "categories", "offers", "spaces", "typologies"),
        *("uses", "offer_uses", "rules", "rows", "groups"),
        *("live_offers", "live_rows", "windows", "space_limits", "contents"),
        *("space_sets", "category_sets", "theme_sets", "always_included"),
        *("offer_attributes", "disabled_offers", "offer_windows", "approvals"),
        *("lacks", "open_rows", "open_rows.moments", "open_rows.always"),
        *("open_offers", "open_offers.moments", "open_offers.always"),
        *("row_index.residual", "row_index.predicates", "offer_index.tables"),
    }

    assert expected <= parts


def test_typologies_are_bounded_parts_too() -> None:
    """A record's long fields are all parts: what is left of it stays small."""
    from catalog_store.revision_file.parts import head_of

    record = environment([offer("card")])
    many = tuple(Typology(name=f"t_{n}", rules=()) for n in range(500))
    record = msgspec.structs.replace(record, typologies=(*record.typologies, *many))
    compiled = compile_catalog(Catalog(environments=(record,))).catalog
    head = msgspec.msgpack.encode(head_of(compiled.environments[0]))

    assert len(head) < 2_000


def _read_all(path: Path) -> None:
    """As a worker does, and as an export does."""
    revision = RevisionFile(path)
    try:
        load(revision, _MANIFEST)
        revision.catalog()
    finally:
        revision.close()


_MANIFEST = Manifest(
    digest="0" * 64,
    file_sha256="0" * 64,
    file_bytes=1,
    code_tag="",
    offer_count=0,
    rule_count=0,
)


def _keys(path: Path) -> list[str]:
    def found() -> Iterator[str]:
        with lmdb_env.begin() as txn:
            for key, _ in txn.cursor():
                yield key.decode()

    lmdb_env = lmdb.open(str(path), subdir=False, lock=False, readonly=True)
    keys = list(found())
    lmdb_env.close()
    return keys


def _put(path: Path, key: str, value: bytes | None) -> bytes | None:
    """Put another value, or none; returns the one before."""
    lmdb_env = lmdb.open(str(path), subdir=False, lock=False, map_size=1 << 26)
    with lmdb_env.begin(write=True) as txn:
        before = txn.get(key.encode())
        if value is None:
            txn.delete(key.encode())
        else:
            txn.put(key.encode(), value)
    lmdb_env.close()
    return before
