"""Jinja itself is the judge: a template means what it means there.

Names, text, white space control, conditions and half of the filters are Jinja's own;
filters with a definition of ours are written a second time here, in another way.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from random import Random
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from jinja2 import StrictUndefined
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.filters import do_truncate
from jinja2.sandbox import SandboxedEnvironment
from template_examples import CONTACT, CONTENT, CONTEXT, OFFER, render, render_json

from compiler.runtime.template_values import TemplateError
from compiler.runtime.values import MISSING
from compiler.templates import TemplateForm

URL_START = "https://b.example/"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shown(value: Any) -> str:
    match value:
        case None:
            raise JinjaError("null has no text")
        case bool():
            return str(value).lower()
        case float():
            return f"{Decimal(repr(value)).normalize() + 0:f}"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return str(value)


def digits(value: float, decimals: int) -> int:
    """A number as a count of its last decimal, without sign; a half is one more."""
    return floor(abs(Fraction(repr(value))) * 10**decimals + Fraction(1, 2))


def rounded(value: float, decimals: int = 0) -> float:
    if isinstance(value, int):
        return value
    size = float(Fraction(digits(value, decimals), 10**decimals))
    return -size if value < 0 else size


def numbered(value: float, decimals: int = 0, style: str = "1,234.5") -> str:
    count = digits(value, decimals)
    whole, rest = divmod(count, 10**decimals)
    groups = [f"{whole % 1000:03}"]
    while whole := whole // 1000:
        groups.insert(0, f"{whole % 1000:03}")
    text = style[1:-5].join(groups)
    text = text.lstrip("0" + style[1:-5]) or "0"
    if decimals:
        text += f"{style[-2]}{rest:0{decimals}}"
    return f"-{text}" if value < 0 and count else text


def environment(form: TemplateForm) -> SandboxedEnvironment:
    def quoted(value: Any) -> str:
        return quote(shown(value), safe="")

    env = SandboxedEnvironment(
        autoescape=form is TemplateForm.HTML,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=quoted if form is TemplateForm.URL else shown,
    )
    env.filters.update(
        truncate=lambda text, length: do_truncate(env, text, length, leeway=0),
        round=rounded,
        number=numbered,
        date=lambda moment, pattern, zone="Europe/Lisbon": moment.astimezone(
            ZoneInfo(zone)
        ).strftime(pattern),
        urlencode=lambda text: quote(text, safe=""),
    )
    return env


ENVIRONMENTS = {form: environment(form) for form in TemplateForm}


def rendered_by_jinja(text: str, form: TemplateForm, **contact: Any) -> str:
    """What Jinja makes of a template; raises whatever it raises."""
    known = {name: contact.get(name, value) for name, (_, value) in CONTACT.items()}
    joined = known["joined"]
    if isinstance(joined, int):
        known["joined"] = EPOCH + timedelta(microseconds=joined)
    names = {n: value for n, value in known.items() if value is not MISSING}
    offer = {**OFFER, "attributes": {}}
    return (
        ENVIRONMENTS[form]
        .from_string(text)
        .render(contact=names, context=CONTEXT, offer=offer, content=CONTENT)
    )


#: What one run of a test tries.
TEMPLATES = 300

TEXT_SIGNS = "ab \n\r\t<>&\"'.,-/%#{}|\u00e9\u00df"
HTML_SIGNS = TEXT_SIGNS.replace("<", "")
URL_SIGNS = "ab-_~:@?=&;"
VALUE_SIGNS = "aB cd-e'(\u00e9\u00df<&>\"\n"
STRINGS = ("contact.first_name", "contact.country", "offer.label")
STRING_FILTERS = (
    *("upper", "lower", "capitalize", "title", "trim"),
    *("truncate(4)", "truncate(7)", "urlencode"),
)
INSERTED = (
    "contact.age",
    "contact.balance",
    "contact.in_arrears",
    "contact.joined",
    "content.title",
    "context.page",
    "contact.age | default(7)",
    "contact.age | default('n/a')",
    "contact.balance | default(0.5) | round(1)",
    "contact.balance | round",
    "contact.balance | round(2)",
    "contact.age | number(2)",
    "contact.balance | number(2, '1.234,5')",
    "contact.balance | number(0, '1 234.5')",
    "contact.balance | number",
    "contact.joined | date('%a %-d %b %Y, %-I:%M %p %%')",
    "contact.joined | date('%A %d.%m.%y %B %H:%M:%S', 'UTC') | upper",
    "contact.tags | join(' & ')",
    "contact.tags | join('') | title",
)
COMPARISONS = (
    "contact.in_arrears",
    "contact.age > 1",
    "contact.age <= -2",
    "contact.age != 1",
    "contact.age in [1, 2, -3]",
    "contact.age not in [0]",
    "contact.age is defined",
    "contact.age is not defined",
    "contact.age is undefined",
    "contact.balance is none",
    "contact.balance is not none",
    "contact.balance >= 1",
    "contact.balance < 2.5e3",
    "contact.balance == 0",
    "contact.first_name == 'a'",
    'contact.first_name < "b"',
    "contact.first_name | lower | trim == 'a'",
    "contact.in_arrears == true",
    "contact.in_arrears | default(false)",
    "contact.country in ['PT', 'ES']",
    "'a' in contact.tags",
    "'a' not in contact.tags",
    "offer.name == 'gold_card'",
)


class Templates(Random):
    """Templates and contacts, one after the other."""

    def __init__(self, seed: int, signs: str) -> None:
        super().__init__(seed)
        self.signs = signs

    def letters(self, signs: str, count_max: int) -> str:
        return "".join(self.choices(signs, k=self.randrange(count_max + 1)))

    def text(self) -> str:
        text = self.letters(self.signs, 8)
        is_tag = any(sign in f"{text}{{" for sign in ("{{", "{%", "{#"))
        return self.text() if is_tag else text

    def dash(self) -> str:
        return self.choice(("", "", "", "-"))

    def inserted(self) -> str:
        chain = self.choice(INSERTED)
        if self.random() < 0.5:
            default = self.choice(("", "", " | default('<n/a>')"))
            filters = self.sample(STRING_FILTERS, self.randrange(3))
            chain = " | ".join([self.choice(STRINGS) + default, *filters])
        return f"{{{{{self.dash()} {chain} {self.dash()}}}}}"

    def condition(self, depth: int = 0) -> str:
        def part() -> str:
            return self.condition(depth + 1)

        match self.randrange(8) if depth < 3 else 0:
            case 5:
                return f"not {part()}"
            case 6:
                return f"({part()})"
            case 7:
                return f"{part()} {self.choice(('and', 'or'))} {part()}"
            case _:
                return self.choice(COMPARISONS)

    def tag(self, content: str) -> str:
        return f"{{%{self.dash()} {content} {self.dash()}%}}"

    def choices_of(self, depth: int) -> str:
        text = self.tag(f"if {self.condition()}") + self.template(depth + 1)
        for _ in range(self.randrange(3)):
            text += self.tag(f"elif {self.condition()}") + self.template(depth + 1)
        if self.random() < 0.7:
            text += self.tag("else") + self.template(depth + 1)
        return text + self.tag("endif")

    def template(self, depth: int = 0) -> str:
        text = ""
        for _ in range(self.randrange(1, 5)):
            kind = self.randrange(10)
            if kind < 4:
                text += self.inserted()
            elif kind < 6 and depth < 3:
                text += self.choices_of(depth)
            elif kind == 6:
                text += f"{{#{self.dash()} note {self.dash()}#}}"
            elif kind == 7 and self.signs != URL_SIGNS:
                text += f"{self.tag('raw')} {{{{ x }}}} {self.tag('endraw')}"
            else:
                text += self.text()
        return text

    def contact(self) -> dict[str, Any]:
        known = {
            "first_name": self.letters(VALUE_SIGNS, 12),
            "country": self.choice(("PT", "FR")),
            "age": self.choice((-3, 0, 1, 2, 40, -(2**63), 2**63 - 1)),
            "balance": self.choice((None, 0.0, self.randrange(-(10**9), 10**9) / 1000)),
            "in_arrears": self.random() < 0.5,
            # Whole seconds after the year 1000, where strftime is the same everywhere.
            "joined": self.randrange(-30_000_000_000, 250_000_000_000) * 1_000_000,
            "tags": tuple(
                self.letters(VALUE_SIGNS, 4) for _ in range(self.randrange(3))
            ),
        }
        return {
            name: MISSING if self.random() < 0.05 else value
            for name, value in known.items()
        }


def result(function: Any, *arguments: Any, **contact: Any) -> str | Exception:
    try:
        return function(*arguments, **contact)
    except (JinjaError, TemplateError, TypeError, ValueError) as error:
        return error


def agree(text: str, form: TemplateForm, contact: dict[str, Any]) -> bool:
    """Whether both have a result, which is then the same.

    Otherwise both fail; where they may differ is said here.
    """
    expected = result(rendered_by_jinja, text, form, **contact)
    actual = result(render, text, form, **contact)
    if isinstance(actual, TemplateError):
        # Jinja compares null with anything.
        assert isinstance(expected, Exception) or actual.reason == "is null", text
    elif not isinstance(expected, Exception):
        assert expected == actual, (text, contact)
        return True
    else:
        # A default stands in for a null, and behind other filters, too.
        assert "default(" in text, text
    return False


@pytest.mark.parametrize("form", TemplateForm)
def test_a_template_is_what_jinja_makes(form: TemplateForm) -> None:
    """Every construct of the language, in any order; values escaped or quoted."""
    signs = {TemplateForm.HTML: HTML_SIGNS, TemplateForm.URL: URL_SIGNS}
    start = f"{URL_START}p" if form is TemplateForm.URL else ""
    made = Templates(1, signs.get(form, TEXT_SIGNS))
    agreed = [
        agree(start + made.template(), form, made.contact()) for _ in range(TEMPLATES)
    ]

    assert agreed.count(True) >= TEMPLATES // 2


def test_a_condition_is_what_jinja_answers() -> None:
    """Precedence, short circuits and comparisons."""
    made = Templates(2, TEXT_SIGNS)
    agreed = [
        agree(
            f"{{% if {made.condition()} %}}yes{{% else %}}no{{% endif %}}",
            TemplateForm.TEXT,
            made.contact(),
        )
        for _ in range(TEMPLATES)
    ]

    assert agreed.count(True) >= TEMPLATES // 2


def test_json_holds_the_texts_that_the_same_templates_make() -> None:
    """Each text of a structure, unless it is one tag and keeps its type."""
    made = Templates(3, TEXT_SIGNS)
    compared = 0
    for _ in range(TEMPLATES):
        texts, contact = [f"- {made.template()}" for _ in range(2)], made.contact()
        expected = [result(render, text, **contact) for text in texts]
        if not any(isinstance(text, Exception) for text in expected):
            compared += 1
            assert {"texts": expected, "more": [1, None]} == json.loads(
                render_json({"texts": texts, "more": [1, None]}, **contact)
            )

    assert compared >= TEMPLATES // 3
