"""From the field of a record to the place where its value was written."""

from pathlib import Path

import pytest

from compiler.source import Diagnostic, Source, Span, field_source
from server.files import read_catalog
from server.files.catalog_places import Places
from server.files.yaml_nodes import Mapping, Scalar, parse
from server.files.yaml_positions import span_in_file

SCALARS = {
    "plain": "contact.agee > 1 && true",
    "plain, several lines": "contact.age > 1\n    && contact.agee < 2",
    "single quotes": "'contact.name == ''x'' && contact.agee > 1'",
    "double quotes": '"contact.agee > 1"',
    "escapes": '"\\x63ontact.name == \\"\\u00e9\\\\n\\" && contact.agee > 1"',
    "escaped line end": '"contact.age > 1 \\\n    && contact.agee > 1"',
    "double quotes, several lines": '"contact.age > 1\n\n    && contact.agee > 1"',
    "literal": "| # a comment\n    contact.age > 1\n      && contact.agee < 2\n",
    "literal, kept": "|+\n\n    contact.agee > 1\n\n",
    "literal, stripped and indented": "|2-\n      contact.agee > 1\n    + 2\n",
    "folded": ">\n    contact.age > 1\n    && contact.agee < 2\n\n    || true\n",
    "folded, stripped": ">-\n    contact.age > 1\n    && contact.agee < 2\n",
    "beyond ASCII": "\"'😀é' == '' || contact.agee > 1\"",
}


@pytest.mark.parametrize("written", SCALARS.values(), ids=SCALARS)
def test_part_of_a_scalar(written: str) -> None:
    """The caret stands under the word that is wrong, however it was quoted."""
    source = Source("x.yaml", f"# first\na:\n  rule: {written}\n  other: agee\n")
    scalar = scalar_of(source)
    start = scalar.value.index("agee")
    span = span_in_file(source, scalar, Span(start, start + 4))

    assert source.text.index("agee") == span.start
    assert source.text[span.start : span.stop] == "agee"


@pytest.mark.parametrize("written", SCALARS.values(), ids=SCALARS)
def test_every_character_of_a_scalar(written: str) -> None:
    """Each character that is no space is found where it was written."""
    source = Source("x.yaml", f"a:\n  rule: {written}\n")
    scalar = scalar_of(source)
    for index, character in enumerate(scalar.value):
        span = span_in_file(source, scalar, Span(index, index + 1))
        found = source.text[span.start]

        assert scalar.start <= span.start <= span.stop <= scalar.stop
        assert character.isspace() or found in (character, "\\")


@pytest.mark.parametrize("written", ["''", '""', '"\\n"', "|\n", "' '"])
@pytest.mark.parametrize("span", [Span(0, 0), Span(0, 9), Span(7, 9)])
def test_scalar_without_characters(written: str, span: Span) -> None:
    """Nothing, and a span beyond the end, are shown at the scalar all the same."""
    source = Source("x.yaml", f"a:\n  rule: {written}\n")
    scalar = scalar_of(source)
    found = span_in_file(source, scalar, span)

    assert scalar.start <= found.start <= found.stop <= len(source.text)


def test_scalar_that_reads_differently() -> None:
    """Were a value ever not what stands in the file, its first line is shown."""
    source = Source("x.yaml", "a: |\n  first\n  second\n")
    scalar = Scalar("first other", 3, len(source.text), "|")

    assert span_in_file(source, scalar, Span(6, 11)) == Span(3, 4)


def test_end_of_a_text() -> None:
    """A mistake at the end of a rule is shown behind its last character."""
    source = Source("x.yaml", "a:\n  rule: contact.\n")
    found = span_in_file(source, scalar_of(source), Span(8, 8))

    assert source.text.index("contact.") + 8 == found.start


def scalar_of(source: Source) -> Scalar:
    root = parse(source, lambda found: pytest.fail(found.message))
    assert isinstance(root, Mapping)
    body = root.entries[0][1]
    assert isinstance(body, Mapping)
    scalar = body.entries[0][1]
    assert isinstance(scalar, Scalar)
    return scalar


CATALOG = """\
label: Bank
context_attributes:
  page: string
  cart: {type: double, description: Euros}
weights: [1, {weight: 2, rule: contact.a}]
categories:
  cards: {multiplier: {factor: 2, start: 2027-01-01, end: 2028-01-01}}
  deals: {multiplier: 3}
offers:
  gold_card:
    label: Gold
    category: cards
    end: 2030-01-01
    weights: double(contact.age)
    content: {title: Shine, target_url: https://bank.example}
segments:
  rich: contact.balance > 1
presentation_rules:
  once: {period: 1d, maximum: 1, offers: gold_card}
typologies:
  care: [once]
spaces:
  home: {channel: email, fields: {title: , text: {required: true}}}
"""
DOUBLE = "14:14 double(contact.age)"


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("bank:label", "Bank", "1:8 Bank"),
        ("bank:name", "bank", "1:1 label: Bank"),
        ("bank:time_zone", "UTC", "1:1 label: Bank"),
        ("bank:context_attributes[0].name", "page", "3:3 page"),
        ("bank:context_attributes[0].type", "string", "3:9 string"),
        ("bank:context_attributes[1].description", "Euros", "4:37 Euros"),
        ("bank:context_attributes[7].type", "int", "2:1 context_attributes"),
        ("bank:weights[0].weight", "1.0", "5:11 1"),
        ("bank:weights[1].rule", "contact.a", "5:32 contact.a"),
        ("bank/categories/cards:multiplier.factor", "2.0", "7:32 2"),
        ("bank/categories/cards:multiplier.window.end", "x", "7:59 2028-01-01"),
        ("bank/categories/deals:multiplier.factor", "3.0", "8:23 3"),
        ("bank/offers/gold_card:name", "gold_card", "10:3 gold_card"),
        ("bank/offers/gold_card:window.end", "x", "13:10 2030-01-01"),
        ("bank/offers/gold_card:window.start", "x", "10:3 gold_card"),
        ("bank/offers/gold_card:rule", "", "10:3 gold_card"),
        ("bank/offers/gold_card:weights[0].weight", "double(contact.age)", DOUBLE),
        ("bank/offers/gold_card:content.title", "Shine", "15:22 Shine"),
        ("bank/offers/gold_card:content.title", "title", "15:15 title"),
        ("bank/offers/gold_card:content", "", "15:5 content"),
        ("bank/offers/gold_card:content.legal", "", "15:5 content"),
        ("bank/segments/rich:rule", "contact.balance > 1", "17:9 contact.balance > 1"),
        ("bank/presentation_rules/once:period_ms", "86400000", "19:18 1d"),
        ("bank/presentation_rules/once:offers[0]", "gold_card", "19:42 gold_card"),
        ("bank/typologies/care:rules[0]", "once", "21:10 once"),
        ("bank/spaces/home:fields[1].required", "true", "23:61 true"),
        ("bank/spaces/home:fields[0].name", "title", "23:35 title"),
    ],
)  # fmt: skip
def test_place_of_a_field(field: str, text: str, expected: str, tmp_path: Path) -> None:
    """A field's value is found, or the nearest name above it if it was not written."""
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "environment.yaml").write_text(CATALOG)
    resource, _, path = f"environments/{field}".partition(":")
    source = field_source(resource, path, text)
    found = read_catalog(tmp_path).relocate(Diagnostic(source, source.whole(), "?"))
    line, column = found.source.line_and_column(found.span.start)
    shown = found.source.text[found.span.start : found.span.stop]

    assert expected == f"{line}:{column} {shown}"
    assert found.source.name.endswith("bank/environment.yaml")


def test_place_of_a_part(tmp_path: Path) -> None:
    """A mistake within a rule keeps its own carets."""
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "environment.yaml").write_text(CATALOG)
    text = "contact.balance > 1"
    source = field_source("environments/bank/segments/rich", "rule", text)
    found = read_catalog(tmp_path).relocate(Diagnostic(source, Span(8, 15), "?"))

    assert found.source.line_and_column(found.span.start) == (17, 17)
    assert found.source.text[found.span.start : found.span.stop] == "balance"


@pytest.mark.parametrize("name", ["elsewhere", "environments/x:rule", "a:b:c", ":"])
def test_unknown_resource(name: str) -> None:
    """What stands in no file is left as it is."""
    diagnostic = Diagnostic(Source(name, "text"), Span(0, 1), "?")

    assert diagnostic == Places().relocate(diagnostic)
