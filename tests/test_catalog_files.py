"""How catalogs are written, and the bounds of what is read."""

import os
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Channel,
    ContentField,
    Environment,
    Multiplier,
    Segment,
    Typology,
    WeightRow,
    Window,
)
from compiler.catalog_check import check_catalog
from compiler.catalog_diagnostics import FINDINGS_MAX
from compiler.revision import compile_catalog
from compiler.source import Diagnostic, Refused
from server.files import catalog_folder, read_catalog
from server.files.yaml_scalars import moment, number, period_ms, whole_number

ROOT = Path(__file__).parent.parent
LISBON = ZoneInfo("Europe/Lisbon")
DAY_MS = 86_400_000


def folder(tmp_path: Path, **texts: str) -> Path:
    """A catalog of one environment, `bank`; keys are file names without .yaml."""
    (tmp_path / "bank").mkdir(exist_ok=True)
    for name, text in {"environment": "", **texts}.items():
        (tmp_path / "bank" / f"{name}.yaml").write_text(text)
    return tmp_path


def read(tmp_path: Path, **texts: str) -> Environment:
    return read_catalog(folder(tmp_path, **texts)).catalog.environments[0]


def refusal(path: Path) -> str:
    with pytest.raises(Refused) as refused:
        read_catalog(path)
    return str(refused.value)


def test_words_keep_their_letters(tmp_path: Path) -> None:
    """What YAML 1.1 would turn into a boolean or a number stays text in a text."""
    offer = read(
        tmp_path,
        a="offers:\n  no: {label: no, category: 0x10, "
        "content: {a: yes, b: 012, c: 1_0, d: 2027-01-01, e: ~, f: 1:30}}",
    ).offers[0]

    assert (offer.name, offer.label, offer.category) == ("no", "no", "0x10")
    assert offer.content == {
        "a": "yes", "b": "012", "c": "1_0", "d": "2027-01-01", "e": "~", "f": "1:30"
    }  # fmt: skip


@pytest.mark.parametrize("word", ["true", "yes", "On", "TRUE"])
def test_truth_has_several_words(tmp_path: Path, word: str) -> None:
    """Where truth is asked for, yes and on are true."""
    assert read(tmp_path, environment=f"default: {word}").default


def test_weights_are_rows_numbers_or_formulas(tmp_path: Path) -> None:
    """A row may be its weight alone, and one row may stand for the list."""
    environment = read(
        tmp_path,
        environment="weights: 2.5",
        a="categories:\n  a: {weights: [1, double(contact.age), '3']}\n"
        "  b: {weights: {weight: 4, spaces: home, start: 2027-01-01}}",
    )
    window = Window(start=1_798_761_600_000)

    assert (WeightRow(weight=2.5),) == environment.weights
    assert [row.weight for row in environment.categories[0].weights[1:]] == [
        "double(contact.age)",
        "3",
    ]
    assert (WeightRow(weight=4.0, spaces=("home",), window=window),) == (
        environment.categories[1].weights
    )


def test_named_things_are_mappings(tmp_path: Path) -> None:
    """A name stands above its body, or above the one value that the body needs."""
    environment = read(
        tmp_path,
        environment="contact_attributes: {age: int, tags: {type: list(string)}}",
        a="segments: {old: contact.age > 70, rich: {rule: 'true', label: Rich}}",
        b="typologies: {care: [a, b]}",
        c="spaces: {home: {channel: email, fields: {title: {required: true}, x: }}}",
        d="categories: {cards: , deals: {multiplier: 2}}",
    )

    assert (
        Attribute(name="age", type=AttributeType.INT),
        Attribute(name="tags", type=AttributeType.STRING_LIST),
    ) == environment.contact_attributes
    assert (
        Segment(name="old", rule="contact.age > 70"),
        Segment(name="rich", rule="true", label="Rich"),
    ) == environment.segments
    assert (Typology(name="care", rules=("a", "b")),) == environment.typologies
    assert Channel.EMAIL is environment.spaces[0].channel
    assert (
        ContentField(name="title", required=True),
        ContentField(name="x"),
    ) == environment.spaces[0].fields
    assert [None, Multiplier(factor=2.0)] == [
        each.multiplier for each in environment.categories
    ]


def test_files_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    """The catalog's order, which ties are drawn in, does not depend on the disk."""
    (tmp_path / "bank" / "a").mkdir(parents=True)
    (tmp_path / "bank" / "a" / "z.yaml").write_text("segments: {third: 'true'}")
    environment = read(
        tmp_path,
        environment="segments: {second: 'true', first: 'true'}",
        b="segments: {fourth: 'true'}",
    )

    assert [segment.name for segment in environment.segments] == [
        "second",
        "first",
        "third",
        "fourth",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-15", 1_799_971_200_000),
        ("2027-07-15", 1_815_606_000_000),
        ("2027-07-15T12:30", 1_815_651_000_000),
        ("2027-07-15 12:30:00.250", 1_815_651_000_250),
        ("2027-07-15T12:30Z", 1_815_654_600_000),
        ("2027-07-15T12:30-05:00", 1_815_672_600_000),
    ],
)
def test_moment(text: str, expected: int) -> None:
    """A time without an offset is the environment's, summer time included."""
    assert expected == moment(text, LISBON)


@pytest.mark.parametrize(
    "text",
    [
        "20270115",
        "2027-W03",
        "2027-02-29",
        "2027-01-01T25:00",
        "12:30",
        "now",
        "0000-01-01",
        "2027-01-01T10:00+99:00",
        "\u0662\u0660\u0662\u0667-01-01",
    ],
)
def test_no_moment(text: str) -> None:
    """What is no date of the calendar gets words and no number."""
    assert isinstance(moment(text, LISBON), str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15d", 15 * DAY_MS),
        ("2d 6h", 54 * 3_600_000),
        ("90m", 5_400_000),
        ("2w", 14 * DAY_MS),
        ("400d", 400 * DAY_MS),
        ("1s", 1_000),
    ],
)
def test_period(text: str, expected: int) -> None:
    """Periods are counts with units, the larger unit first."""
    assert expected == period_ms(text)


@pytest.mark.parametrize(
    "text", ["", " ", "15", "6h 2d", "0d", "401d", "1.5d", "-1d", "1 d", "999999w"]
)
def test_no_period(text: str) -> None:
    """A period without a unit, out of order or out of bounds is refused."""
    assert isinstance(period_ms(text), str)


@pytest.mark.parametrize(
    "text", ["", "inf", ".nan", "1e999", "0x1", "1_0", "\u0661", "1."]
)
def test_no_number(text: str) -> None:
    """Only finite decimal numbers are numbers."""
    assert isinstance(number(text), str)
    assert isinstance(whole_number(text), str)


def test_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    """A file of another editor reads the same, and its mistakes keep their lines."""
    path = folder(tmp_path)
    file = path / "bank" / "environment.yaml"
    file.write_bytes(b"\xef\xbb\xbflabel: B\r\ndefault: yes\r\n")
    environment = read_catalog(path).catalog.environments[0]
    file.write_bytes(b"\xef\xbb\xbflabel: B\r\nfault: yes\r\n")

    assert (environment.label, environment.default) == ("B", True)
    assert "environment.yaml:2:1: error: unknown key 'fault'" in refusal(path)


def test_not_utf8(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is named with its line and column."""
    path = folder(tmp_path)
    (path / "bank" / "x.yaml").write_bytes("a: é\nb: ü".encode() + b"\xfc")

    assert "x.yaml:2:5: error: the byte 0xFC is not UTF-8" in refusal(path)


def test_file_too_large(tmp_path: Path) -> None:
    """A file beyond the limit is not even parsed."""
    text = "#" * (catalog_folder.FILE_BYTES_MAX + 1)

    assert "is larger than 4194304 bytes" in refusal(folder(tmp_path, big=text))


def test_catalog_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of all files together holds."""
    monkeypatch.setattr(catalog_folder, "CATALOG_BYTES_MAX", 10)

    assert "holds more than 10 bytes" in refusal(folder(tmp_path, big="#" * 11))


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are counted with their files, whatever they are called."""
    monkeypatch.setattr(catalog_folder, "ENTRIES_MAX", 5)
    path = folder(tmp_path, a="", b="", c="", d="")

    assert "holds more than 5 files and folders" in refusal(path)


def test_folders_too_deep(tmp_path: Path) -> None:
    """Folders within folders end somewhere."""
    path = folder(tmp_path)
    (path / "bank" / "/".join("abcdefghi")).mkdir(parents=True)

    assert "lies more than 8 folders deep" in refusal(path)


def test_link_to_a_folder_above(tmp_path: Path) -> None:
    """A loop of links is named, not followed."""
    path = folder(tmp_path)
    (path / "bank" / "self").symlink_to(path / "bank")
    (path / "bank" / "top").symlink_to(path)

    assert refusal(path).count("is a link to a folder above it") == 2


def test_links_are_followed(tmp_path: Path) -> None:
    """Mounted configuration is links into hidden folders, and is read."""
    path = folder(tmp_path)
    (path / "bank" / "..data").mkdir()
    (path / "bank" / "..data" / "s.yaml").write_text("segments: {all: 'true'}")
    (path / "bank" / "s.yaml").symlink_to("..data/s.yaml")

    assert len(read_catalog(path).catalog.environments[0].segments) == 1


def test_pipe(tmp_path: Path) -> None:
    """A named pipe is refused without waiting for what it might say."""
    path = folder(tmp_path)
    os.mkfifo(path / "bank" / "pipe.yaml")

    assert "is not a regular file" in refusal(path)


def test_broken_link(tmp_path: Path) -> None:
    """A file that cannot be opened is named with the system's reason."""
    path = folder(tmp_path)
    (path / "bank" / "gone.yaml").symlink_to("nowhere")

    assert "cannot be read: no such file or directory" in refusal(path)


def test_nothing_there(tmp_path: Path) -> None:
    """No folder, and a folder without environments, are mistakes with a remedy."""
    assert "is not a folder" in refusal(tmp_path / "missing")
    assert "holds no environment" in refusal(tmp_path)


def test_file_name_of_any_bytes(tmp_path: Path) -> None:
    """A name that cannot be printed is escaped in messages."""
    path = folder(tmp_path)
    name = os.fsencode(path / "bank") + b"/\xff\x1b[2J.yaml"
    with open(name, "w") as file:
        file.write("x: 1")

    assert "\\udcff\\x1b[2J.yaml:1:1: error: unknown key 'x'" in refusal(path)


def test_mistakes_are_bounded(tmp_path: Path) -> None:
    """Beyond the limit a note says that there are more."""
    text = "".join(f"x{number}: 1\n" for number in range(FINDINGS_MAX + 1))
    with pytest.raises(Refused) as refused:
        read_catalog(folder(tmp_path, a=text))

    assert len(refused.value.diagnostics) == FINDINGS_MAX + 1
    assert "only the first 100 mistakes are shown" in str(refused.value)


def test_references_are_checked_beside_wrong_types(tmp_path: Path) -> None:
    """A value that cannot be read hides no unknown name elsewhere."""
    text = refusal(
        folder(
            tmp_path,
            offers="offers: {gold: {label: G, category: cards, spaces: [hom], end: x}}",
            spaces="spaces: {home: {channel: web}}\ncategories: {cards: }",
        )
    )

    assert text.count(": error: ") == 3
    assert "unknown space 'hom'; did you mean 'home'?" in text


def test_rules_are_not_blamed_for_an_unreadable_attribute(tmp_path: Path) -> None:
    """Only the declaration is wrong, not every rule that uses the attribute."""

    def check(catalog: Catalog) -> list[Diagnostic]:
        try:
            compile_catalog(catalog)
        except Refused as refused:
            return refused.diagnostics
        return []

    path = folder(
        tmp_path,
        environment="contact_attributes: {age: integer}\ndefault: x",
        a="segments: {old: contact.age > 70}",
    )
    with pytest.raises(Refused) as refused:
        read_catalog(path, check)

    assert [found.message.split(";")[0] for found in refused.value.diagnostics] == [
        "'integer' is not possible",
        "'x' is not true or false",
    ]


def test_a_broken_file_hides_its_names(tmp_path: Path) -> None:
    """Names from a file that is not YAML are not called unknown."""
    text = refusal(
        folder(
            tmp_path,
            offers="offers: {gold: {label: G, category: cards}}",
            categories="categories: {cards: ",
        )
    )

    assert text.count(": error: ") == 1


def test_the_guide_is_right(tmp_path: Path) -> None:
    """The example of docs/catalog-files.md is a catalog that compiles."""
    guide = (ROOT / "docs" / "catalog-files.md").read_text()
    parts = re.findall(r"`(\w+)\.yaml`:\n\n```yaml\n(.*?)```", guide, re.DOTALL)
    path = folder(tmp_path, **dict(parts))
    (path / "visitor").mkdir()
    (path / "visitor" / "environment.yaml").write_text(
        "anonymous: true\nspaces: {public_home_page: {channel: inbound_web}}"
    )
    catalog = read_catalog(path).catalog

    assert [name for name, _ in parts] == ["environment", "offers", "spaces"]
    assert [found.message.split(";")[0] for found in check_catalog(catalog)] == [
        "no offer can ever stand in the space 'public_home_page'"
    ]
    assert len(compile_catalog(catalog).catalog.environments[0].rules) == 7
