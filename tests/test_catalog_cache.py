"""Files that did not change are not parsed again, and nobody can tell."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compiler.catalog_check import check_catalog
from compiler.source import Refused
from server.files import catalog_cache, catalog_files, read_catalog
from server.files.catalog_cache import read_catalog_again
from tests.servers import BANK


class Folder:
    """The bank's files, and what was kept of them."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = root / "files"
        self.kept = root / "kept"
        self.parsed: list[str] = []
        shutil.copytree(BANK, self.files)
        parse = catalog_files.parse

        def counted(source: Any, report: Any) -> Any:
            self.parsed.append(source.name.rpartition("/")[2])
            return parse(source, report)

        monkeypatch.setattr(catalog_files, "parse", counted)

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.files / "recipient" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def read(self) -> list[str]:
        """Read with what is kept, as without it; the files that were parsed."""
        expected = read_catalog(self.files).catalog
        self.parsed.clear()
        assert read_catalog_again(self.files, self.kept).catalog == expected
        return sorted({*self.parsed} - {"environment.yaml"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path, monkeypatch)


def refusal(read: Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as raised:
        read()
    return [one.render() for one in raised.value.diagnostics]


def test_a_file_is_parsed_when_it_is_new_or_another(folder: Folder) -> None:
    """All of them, then none, then the one that was changed; back again, none."""
    assert len(folder.read()) > 10
    assert folder.read() == []
    folder.edit("offers/cards.yaml", "gold_card:", "golden_card:")
    assert folder.read() == ["cards.yaml"]
    folder.edit("offers/cards.yaml", "golden_card:", "gold_card:")
    assert folder.read() == []


def test_times_are_read_in_the_zone_of_their_environment(folder: Folder) -> None:
    """Another zone, other times, of files that did not change."""
    folder.edit(
        "offers/cards.yaml", "gold_card:\n", "gold_card:\n    end: 2027-01-01\n"
    )
    folder.read()
    before = read_catalog_again(folder.files, folder.kept).catalog
    path = folder.files / "recipient" / "environment.yaml"
    lines = [x for x in path.read_text().splitlines() if not x.startswith("time_zone")]
    path.write_text("\n".join([*lines, "time_zone: Asia/Tokyo", ""]))

    assert "cards.yaml" in folder.read()
    assert read_catalog_again(folder.files, folder.kept).catalog != before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("offers/cards.yaml", "gold_card:", "gold_card: ["),
        ("offers/cards.yaml", "category:", "catgory:"),
        ("segments.yaml", "segments:", "segmants:"),
        ("spaces.yaml", "spaces:", "time_zone: UTC\nspaces:"),
        ("environment.yaml", "contact_attributes:", "contact_atributes:"),
    ],
)
def test_mistakes_are_those_of_the_files(
    folder: Folder, name: str, old: str, new: str
) -> None:
    """At their places, all of them, although most files are known."""
    folder.read()
    folder.edit(name, old, new)
    expected = refusal(lambda: read_catalog(folder.files))

    assert refusal(lambda: read_catalog_again(folder.files, folder.kept)) == expected


def test_a_name_in_two_files_is_a_mistake(folder: Folder) -> None:
    """Of which neither is wrong by itself, and both are known."""
    folder.read()
    offers = folder.files / "recipient" / "offers"
    shutil.copy(offers / "cards.yaml", offers / "cards_again.yaml")
    expected = refusal(lambda: read_catalog(folder.files))

    assert refusal(lambda: read_catalog_again(folder.files, folder.kept)) == expected


def test_what_is_found_later_is_at_its_place_too(folder: Folder) -> None:
    """A reference to nothing is found in the records, and shown in the file."""
    folder.edit("offers/cards.yaml", "category: ", "category: no_")
    for _ in range(2):
        found = []
        for files in (
            read_catalog(folder.files),
            read_catalog_again(folder.files, folder.kept),
        ):
            diagnostics = check_catalog(files.catalog)
            found.append([files.relocate(one).render() for one in diagnostics])

        assert found[0] == found[1] != []
        assert "cards.yaml:" in found[0][0]


def test_what_is_damaged_is_read_anew(folder: Folder) -> None:
    """Every byte of what is kept counts."""
    folder.read()
    for path in folder.kept.iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0x01
        path.write_bytes(bytes(data))

    assert len(folder.read()) > 10
    assert folder.read() == []


def test_another_version_finds_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may read the same text otherwise."""
    folder.read()
    monkeypatch.setattr(catalog_cache, "_fingerprint", lambda: b"another")

    assert len(folder.read()) > 10


def test_without_a_place_for_it_nothing_is_kept(folder: Folder) -> None:
    """It is slower, and the same."""
    folder.kept.write_text("a file, and no folder")

    assert len(folder.read()) > 10
    assert len(folder.read()) > 10


def test_what_is_kept_is_bounded(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was used longest ago goes; what is used now stays."""
    monkeypatch.setattr(catalog_cache, "KEPT_MAX", 12)
    for number in range(3):
        folder.edit("offers/cards.yaml", "gold_card", f"gold_card{number}")
        folder.read()

    assert len(list(folder.kept.iterdir())) <= 12
