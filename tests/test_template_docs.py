"""The page about templates says what is so."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from catalog_store.records import Attribute, AttributeType
from compiler.runtime.rendering import load_template
from compiler.runtime.template_values import PROPOSITION_FIELDS
from compiler.runtime.value_texts import DIRECTIVES
from compiler.runtime.values import MISSING
from compiler.schema import Schema
from compiler.source import Refused, Source
from compiler.template_filters import FILTER_NAMES
from compiler.template_scope import TemplateScope
from compiler.templates import TemplateForm, compile_json_template, compile_template

PAGE = (Path(__file__).parents[1] / "docs" / "templates.md").read_text()
EXAMPLES = re.findall(
    r"```(jinja|html|url|json)\n(.*?)\n```\n\n```text\n(.*?)\n```", PAGE, re.DOTALL
)
CONTACT = {
    "first_name": ("string", "maria"),
    "nickname": ("string", MISSING),
    "country": ("string", "PT"),
    "age": ("int", 42),
    "balance": ("double", 1234567.5),
    "in_arrears": ("bool", False),
    "joined": ("timestamp", 1_769_850_000_000_000),
    "waiting": ("duration", 60_000_000),
    "tags": ("list(string)", ("gold", "travel")),
    "site": ("string", "javascript:alert(1)"),
}
SCOPE = TemplateScope.for_content(
    Schema.of(
        tuple(Attribute(name=n, type=AttributeType(t)) for n, (t, _) in CONTACT.items())
    ),
    time_zone="Europe/Lisbon",
).with_content(("title", "target_url"))
VALUES = (
    tuple(value for _, value in CONTACT.values()),
    (0, "inbound_web", "home_page"),
    ("gold_card", "Gold", "cards"),
    ("Gold & lounges", "https://www.bank.example/gold"),
    ("p-1", 20.5, 1, "i-1", "accepted"),
    ("home_page",),
)


def compiled(kind: str, text: str) -> bytes:
    if kind == "json":
        return compile_json_template("page", json.loads(text), SCOPE)
    form = TemplateForm("text" if kind == "jinja" else kind)
    return compile_template(Source("page", text), form, SCOPE)


@pytest.mark.parametrize(("kind", "text", "expected"), EXAMPLES)
def test_every_example_makes_what_stands_under_it(
    kind: str, text: str, expected: str
) -> None:
    """What the page shows can be copied into a catalog."""
    assert expected == load_template(compiled(kind, text)).render(VALUES)


def test_every_block_is_an_example() -> None:
    """None is left out because of how it is written."""
    assert len(EXAMPLES) == 8
    assert len(re.findall(r"```(?:jinja|html|url|json)\n", PAGE)) == len(EXAMPLES)


def test_every_condition_compiles() -> None:
    """Those that stand in the list of what a condition is."""
    section = PAGE.partition("A condition is\n")[2].partition("White space")[0]
    conditions = re.findall(r"`((?:contact\.|'gold' )[^`]*)`", section)
    for condition in conditions:
        assert compiled("jinja", f"{{% if {condition} %}}{{% endif %}}"), condition

    assert len(conditions) == 8


def test_every_filter_name_and_directive_is_on_the_page() -> None:
    """The page is the list that people go by."""
    table = PAGE.partition("## Filters")[2]
    missing = [name for name in FILTER_NAMES if not re.search(rf"`{name}[`(]", table)]
    missing += [d for d in DIRECTIVES if d not in re.split(r"[\s`]", table)]
    missing += [name for name, _ in PROPOSITION_FIELDS if f".{name}`" not in PAGE]

    assert missing == []


def test_the_page_is_right_about_links() -> None:
    """The one is fine, the other refused."""
    fine, refused = re.findall(r'`(href="[^`]*")`', PAGE)

    assert compiled("html", f"<a {fine}>")
    with pytest.raises(Refused, match="the start of href"):
        compiled("html", f"<a {refused}>")


def test_the_mistake_on_the_page_is_reported_so() -> None:
    """Message, line and caret."""
    shown = re.search(r"## Mistakes.*?```\n(.*?)\n```", PAGE, re.DOTALL)
    assert shown is not None
    name = "environments/recipient/offers/gold_card:content.title"
    source = Source(name, "Dear {{ contact.firstname }},")

    with pytest.raises(Refused) as refused:
        compile_template(source, TemplateForm.TEXT, SCOPE)
    assert shown[1] == str(refused.value)


def test_limits_are_those_of_the_code() -> None:
    """Each row of the table names a constant, and has its value."""
    rows = re.findall(r"\| ([\d,]+) \| `([\w.]+)\.(\w+)` \|", PAGE)
    for value, module, name in rows:
        assert getattr(import_module(module), name) == int(value.replace(",", "")), name

    assert len(rows) == 10
