"""Which revision a publication takes rules from: its own work, and nothing else."""

import shutil
from pathlib import Path

import msgspec
import pytest

from catalog_store.artifact import write_artifact
from catalog_store.compiled import CompiledCatalog, StoredRule
from catalog_store.revisions import Revisions
from compiler import revision
from server import publication
from server.data_folder import DataFolder
from tests.bank import NOON_MS
from tests.servers import BANK
from tests.signing import trusted_key


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    publish(folder)
    return folder


@pytest.fixture
def compiled_texts(monkeypatch: pytest.MonkeyPatch, data: DataFolder) -> list[str]:
    """The texts of rules that are compiled from now on."""
    texts: list[str] = []
    compile_rule = revision._compile_rule

    def noting(field, *arguments):
        texts.append(field.source.text)
        return compile_rule(field, *arguments)

    monkeypatch.setattr(revision, "_compile_rule", noting)
    return texts


def publish(data: DataFolder, folder: Path = BANK) -> None:
    publication.publish_files(data, folder, publisher="test", now_ms=NOON_MS)


def current(data: DataFolder) -> CompiledCatalog:
    revisions = Revisions(data.catalog)
    mapped = revisions.open(revisions.current())
    try:
        return mapped.catalog()
    finally:
        mapped.close()


def with_rules(
    catalog: CompiledCatalog, rules: dict[str, tuple[StoredRule, ...]]
) -> CompiledCatalog:
    """The same catalog, with other rules in some environments."""
    environments = tuple(
        msgspec.structs.replace(one, rules=rules.get(one.environment.name, one.rules))
        for one in catalog.environments
    )
    return msgspec.structs.replace(catalog, environments=environments)


def test_publishing_again_compiles_what_changed(
    data: DataFolder, compiled_texts: list[str], tmp_path: Path
) -> None:
    """Nothing for the same files, one rule for one edit, and the same digest."""
    publish(data)
    assert compiled_texts == []

    edited = Path(shutil.copytree(BANK, tmp_path / "edited"))
    file = edited / "recipient" / "environment.yaml"
    old, new = "!contact.default", "!contact.default && true"
    file.write_text(file.read_text().replace(f'"{old}"', f'"{new}"'))
    publish(data, edited)

    assert compiled_texts == [new]
    alone = DataFolder(tmp_path / "alone")
    publish(alone, edited)
    assert current(data) == current(alone)


def test_the_rules_of_an_artifact_are_not_taken(
    data: DataFolder, compiled_texts: list[str], tmp_path: Path
) -> None:
    """Its trees may say something else than its texts; files are compiled whole."""
    honest = current(data)
    recipient = honest.environments[0]
    conditions = [rule for rule in recipient.rules if not rule.formula]
    lying = tuple(
        rule if rule.formula else msgspec.structs.replace(rule, tree=conditions[0].tree)
        for rule in recipient.rules
    )
    artifact = tmp_path / "lying.propono"
    other = with_rules(honest, {recipient.environment.name: lying})
    write_artifact(artifact, other, trusted_key(Revisions(data.catalog)))
    publication.publish_artifact(data, artifact, publisher="test", now_ms=NOON_MS)
    assert current(data) != honest

    publish(data)

    assert len(compiled_texts) == sum(len(e.rules) for e in honest.environments)
    assert current(data) == honest


def test_a_file_that_changed_on_the_disk_is_not_taken_from(data: DataFolder) -> None:
    """Its sha256 is looked at before anything in it."""
    honest = current(data)
    rule = honest.environments[0].rules[0]
    manifest = Revisions(data.catalog).current()
    file = data.catalog / "files" / f"{manifest.file_sha256}.mdb"
    whole = file.read_bytes()
    assert rule.code in whole
    file.chmod(0o600)
    file.write_bytes(whole.replace(rule.code, bytes(len(rule.code))))

    publish(data)

    assert current(data) == honest


@pytest.mark.parametrize("note", ["", "x\n", "{sha256} other\n", "\N{SNOWMAN}", None])
def test_what_another_compiler_made_is_not_taken(
    data: DataFolder, compiled_texts: list[str], note: str | None
) -> None:
    """Whatever the note says, other than that this compiler made this file."""
    manifest = Revisions(data.catalog).current()
    path = data.catalog / "compiled_here"
    if note is None:
        path.unlink()
    else:
        path.write_text(note.format(sha256=manifest.file_sha256), "utf-8")
    before = current(data)

    publish(data)

    assert len(compiled_texts) == sum(len(e.rules) for e in before.environments)
    assert current(data) == before


def test_after_a_rollback_everything_is_compiled_once(
    data: DataFolder, compiled_texts: list[str], tmp_path: Path
) -> None:
    """The note is about the file compiled last, which is not the current one."""
    edited = Path(shutil.copytree(BANK, tmp_path / "edited"))
    file = edited / "recipient" / "environment.yaml"
    file.write_text(file.read_text().replace('"!contact.default"', '"true"'))
    publish(data, edited)
    publication.roll_back(data, 1, publisher="test", now_ms=NOON_MS)
    compiled_texts.clear()

    publish(data)
    assert compiled_texts != []

    compiled_texts.clear()
    publish(data)
    assert compiled_texts == []
