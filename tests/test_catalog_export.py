"""A catalog written to files is read again as it was."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.design_records import RECORD_OF_KIND, catalog_records
from catalog_store.records import (
    Catalog,
    Category,
    Channel,
    Environment,
    Offer,
    Rendering,
    Segment,
    Space,
    WeightRow,
    Window,
)
from server.files import catalog_export, read_catalog
from server.files.catalog_export import ExportRefused, export_catalog
from server.files.catalog_files import SECTIONS
from server.files.catalog_folder import FILE_BYTES_MAX
from tests.bank import environment, offer
from tests.design_generation import NAMES, TEXTS, records
from tests.servers import BANK

YAML_SIGNS = " \n'\"#:-ab\t\\!|>%@`{}[]&*?,"


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Whatever records can hold, whether or not it would be published."""
    made: list[Environment] = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=2, unique=True)):
        own: Any = draw(records(Environment))
        zone = draw(st.sampled_from(["UTC", "Europe/Lisbon", "Asia/Tokyo", "nowhere"]))
        sections = {
            section: tuple(
                draw(
                    st.lists(
                        records(RECORD_OF_KIND[section]),
                        max_size=3,
                        unique_by=lambda one: one.name,
                    )
                )
            )
            for section in draw(st.sets(st.sampled_from(SECTIONS), max_size=2))
        }
        if "offers" in sections:
            filed: Any = sections["offers"]
            names = draw(st.lists(NAMES, min_size=len(filed), max_size=len(filed)))
            sections["offers"] = tuple(
                replace(one, category=name)
                for one, name in zip(filed, names, strict=True)
            )
        made.append(replace(own, name=name, time_zone=zone, **sections))
    return Catalog(environments=tuple(made))


def text_catalog(text: str) -> Catalog:
    """One text wherever a text can stand."""
    space = Space(
        name="s",
        channel=Channel.SMS,
        rendering=Rendering(json={"a": text, text: [text, {}, []]}),
        default_content=text,
    )
    segment = Segment(name="s", rule=text)
    row = WeightRow(weight=text, rule=text or None)
    own = Environment(
        name="e", label=text, spaces=(space,), segments=(segment,), weights=(row,)
    )
    return Catalog(environments=(own,))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(catalogs())
def test_a_catalog_comes_back_from_its_files(
    tmp_path_factory: pytest.TempPathFactory, catalog: Catalog
) -> None:
    """Every record, whatever it holds; environments in order of name."""
    folder = tmp_path_factory.mktemp("export") / "catalog"
    count = export_catalog(catalog, folder)
    read = read_catalog(folder).catalog

    assert catalog_records(read) == catalog_records(catalog)
    assert len(list(folder.rglob("*.yaml"))) == count


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    TEXTS | st.text(max_size=30) | st.text(" \n'\"#:-ab\t\\!|>%@`{}[]&*?,", max_size=9)
)
@example("a\n\n b\n\n")
@example("\ufeff")
@example("\u2028\x85\ud7ff\ue000\U0001f600")
@example("x" * 500 + "\n" + "y " * 300)
def test_any_text_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """As a label, a rule, a formula, a key and a part of JSON."""
    folder = tmp_path_factory.mktemp("export") / "catalog"
    catalog = text_catalog(text)
    export_catalog(catalog, folder)

    assert read_catalog(folder).catalog == catalog


def test_the_bank_is_written_as_people_would(tmp_path: Path) -> None:
    """Words without quotes, dates, periods, shorthand; offers by category."""
    export_catalog(read_catalog(BANK).catalog, tmp_path / "bank")
    offers = (tmp_path / "bank/recipient/offers/cards.yaml").read_text()
    rules = (tmp_path / "bank/recipient/presentation_rules.yaml").read_text()
    segments = (tmp_path / "bank/recipient/segments.yaml").read_text()
    own = (tmp_path / "bank/recipient/environment.yaml").read_text()

    assert offers.startswith("offers:\n  ")
    assert "category: cards\n" in offers
    assert "period: 30d\n" in rules
    assert segments.startswith("segments:\n  affluent: contact.balance >= 20000\n")
    assert "time_zone: Europe/Lisbon\n" in own
    assert "description: married, single or divorced; widowed counts" in own


@pytest.mark.parametrize(
    ("zone", "at_ms", "written"),
    [
        ("UTC", 1_777_593_600_000, "2026-05-01"),
        ("Europe/Lisbon", 1_777_590_000_000, "2026-05-01"),
        ("Europe/Lisbon", 1_777_593_600_000, "2026-05-01T00:00Z"),
        ("UTC", 1_777_593_600_001, "2026-05-01T00:00:00.001Z"),
        ("UTC", 1_777_593_601_000, "2026-05-01T00:00:01Z"),
        ("Asia/Tokyo", 253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        # Midnight comes twice, and the second is no date.
        ("America/Havana", 1_793_509_200_000, "2026-11-01T05:00Z"),
    ],
)
def test_times_are_dates_where_dates_say_them(
    tmp_path: Path, zone: str, at_ms: Any, written: str
) -> None:
    """Midnight of the environment's zone; else a time in UTC."""
    window = Window(start=at_ms)
    made = replace(environment([offer("a")]), time_zone=zone)
    made = replace(made, offers=(replace(made.offers[0], window=window),))
    export_catalog(Catalog(environments=(made,)), tmp_path / "c")
    (path,) = (tmp_path / "c").rglob("offers/*.yaml")

    assert f"start: {written}\n" in path.read_text().replace("'", "")
    read = read_catalog(tmp_path / "c").catalog.environments[0]
    assert read.offers[0].window == window


def test_long_sections_are_in_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which none is longer than a file may be, and no two have one name."""
    monkeypatch.setattr(catalog_export, "_LONG_BYTES", 400)
    offers = [
        Offer(name=f"offer_{n}", label="x" * 100, category=name)
        for n, name in enumerate(["cards", "cards", "cards", "cards_2", "cards_2"] * 2)
    ]
    categories = (Category(name="cards"), Category(name="cards_2"))
    own = Environment(name="e", offers=tuple(offers), categories=categories)
    catalog = Catalog(environments=(own,))
    export_catalog(catalog, tmp_path / "c")

    paths = {path.name for path in (tmp_path / "c/e/offers").iterdir()}
    assert {"cards.yaml", "cards-2.yaml", "cards_2.yaml"} <= paths
    read = read_catalog(tmp_path / "c").catalog
    assert catalog_records(read) == catalog_records(catalog)
    monkeypatch.setattr(catalog_export, "_CATEGORY_FILES_MAX", 1)
    export_catalog(catalog, tmp_path / "d")
    assert not (tmp_path / "d/e/offers").exists()
    read = read_catalog(tmp_path / "d").catalog
    assert catalog_records(read) == catalog_records(catalog)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """A folder that has something in it, a record that no file can hold."""
    catalog = read_catalog(BANK).catalog
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").touch()
    (tmp_path / "file").touch()
    for path in (tmp_path / "full", tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(ExportRefused):
            export_catalog(catalog, path)
    long = Offer(name="a", label="", category="c", content={"t": "x" * FILE_BYTES_MAX})
    own = Environment(name="e", offers=(long,))
    with pytest.raises(ExportRefused, match="at most"):
        export_catalog(Catalog(environments=(own,)), tmp_path / "long")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]
    (tmp_path / "empty").mkdir()
    assert export_catalog(catalog, tmp_path / "empty") > 5
