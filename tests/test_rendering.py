"""Templates at run time: what values become."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from template_examples import SCOPE, render, render_json

from compiler.runtime.rendering import load_template
from compiler.runtime.template_values import TemplateError
from compiler.runtime.value_texts import DIRECTIVES, RENDERED_BYTES_MAX
from compiler.runtime.values import MISSING
from compiler.source import Source
from compiler.templates import TemplateForm, compile_json_template, compile_template

HTML, URL = TemplateForm.HTML, TemplateForm.URL


@pytest.mark.parametrize(
    ("text", "contact", "expected"),
    [
        ("{{ contact.first_name }}, {{ contact.age }}", {}, "Maria, 42"),
        ("{{ contact.in_arrears }}", {}, "false"),
        ("{{ contact.balance }}", {}, "1234567.5"),
        ("{{ contact.balance }}", {"balance": 2.0}, "2"),
        ("{{ contact.balance }}", {"balance": -0.0}, "0"),
        ("{{ contact.balance }}", {"balance": 1e22}, "1" + "0" * 22),
        ("{{ contact.balance }}", {"balance": 1.5e-7}, "0.00000015"),
        ("{{ contact.joined }}", {}, "2026-01-31T09:00:00Z"),
        ("{{ contact.joined }}", {"joined": 1_500_000}, "1970-01-01T00:00:01.5Z"),
        ("{{ contact.waiting }}", {}, "1h30m"),
        ("{{ contact.waiting }}", {"waiting": -2_500_000}, "-2.5s"),
        ("{{ contact.waiting }}", {"waiting": 0}, "0s"),
        ("{{ contact.tags | join(' + ') }}", {}, "gold + a&b"),
        ("{{ contact.scores | join(', ') }}", {}, "1, 2.5"),
        ("{{ contact.balance | number }}", {}, "1,234,568"),
        ("{{ contact.balance | number(2, '1.234,5') }}", {}, "1.234.567,50"),
        ("{{ contact.balance | number(2, '1 234,5') }}", {}, "1 234 567,50"),
        ("{{ contact.balance | number(1, '1234.5') }}", {}, "1234567.5"),
        ("{{ contact.balance | number(2) }}", {"balance": 2.675}, "2.68"),
        ("{{ contact.balance | number }}", {"balance": -0.4}, "0"),
        ("{{ contact.balance | round }}", {"balance": 2.5}, "3"),
        ("{{ contact.balance | round(2) }}", {"balance": 1e300}, "1" + "0" * 300),
        ("{{ contact.age | number(2) }}", {"age": -1234}, "-1,234.00"),
        ("{{ contact.joined | date('%-d %B %Y') }}", {}, "31 January 2026"),
        ("{{ contact.joined | date('%A %H:%M') }}", {}, "Saturday 09:00"),
        ("{{ contact.joined | date('%-I %p, 100%%', '+05:00') }}", {}, "2 PM, 100%"),
        ("{{ contact.joined | date('%H', 'Asia/Tokyo') }}", {}, "18"),
        ("{{ contact.first_name | truncate(9) }}", {"first_name": "x" * 9}, "x" * 9),
        (
            "{{ contact.first_name | truncate(9) }}",
            {"first_name": "ab cde fgh"},
            "ab...",
        ),
        ("{{ contact.first_name | urlencode }}", {"first_name": "a/b c"}, "a%2Fb%20c"),
        ("{{ offer.attributes.colour }}", {"colour": "red"}, "red"),
        ("{{ proposition.weight }} {{ space.name }}", {}, "20.5 home_page"),
        ("{{ contact.age | default('n/a') }}", {"age": MISSING}, "n/a"),
        ("{{ contact.age | default('n/a') }}", {"age": None}, "n/a"),
        ("{{ contact.age | default(0) | number(2) }}", {"age": None}, "0.00"),
        ("{{ contact.balance | number(2) | default('-') }}", {"balance": None}, "-"),
        ("{{ contact.tags | join('') | default('-') }}", {"tags": MISSING}, "-"),
        ("{% if contact.joined < '2026-02-01T00:00:00Z' %}old{% endif %}", {}, "old"),
        ("{% if contact.waiting >= '90m' %}long{% endif %}", {}, "long"),
        ("{% if 2.5 in contact.scores %}yes{% endif %}", {}, "yes"),
        ("{% if 'b' not in contact.tags %}yes{% endif %}", {}, "yes"),
        ("{% if contact.age is defined %}a{% endif %}", {"age": None}, "a"),
        ("{% if contact.age is none %}a{% endif %}", {"age": None}, "a"),
        ("{% if contact.age is not none %}a{% endif %}", {"age": MISSING}, "a"),
        ("{% if contact.age is undefined %}a{% endif %}", {"age": MISSING}, "a"),
        ("{% raw %}{{ x }}{% endraw %}{# note #}", {}, "{{ x }}"),
        (" a {{- contact.age -}} b\n", {}, " a42b\n"),
        ("a\r\nb\rc", {}, "a\nb\nc"),
    ],
)
def test_a_template_renders(text: str, contact: dict[str, Any], expected: str) -> None:
    """What each type, filter and condition makes."""
    assert expected == render(text, **contact)


@pytest.mark.parametrize("value", [MISSING, None])
@pytest.mark.parametrize(
    "text",
    [
        "{{ contact.age }}",
        "{{ contact.age | number(2) }}",
        "{% if contact.age == 3 %}{% endif %}",
        "{% if not contact.age in [3] %}{% endif %}",
        "{% if contact.in_arrears or contact.age > 3 %}{% endif %}",
    ],
)
def test_an_absent_or_null_value_is_an_error(text: str, value: object) -> None:
    """It names the attribute, and the word None never appears."""
    with pytest.raises(TemplateError) as error:
        render(text, age=value)

    assert error.value.field == "contact.age"
    assert str(error.value) == f"contact.age is {'null' if value is None else 'absent'}"


def test_a_condition_stops_where_it_is_decided() -> None:
    """So a value can be asked for before it is used."""
    text = "{% if contact.age is defined and contact.age > 3 %}a{% else %}b{% endif %}"

    assert render(text, age=MISSING) == "b"
    assert render(text, age=4) == "a"


@pytest.mark.parametrize("age", [1, 20, 70])
@pytest.mark.parametrize("late", [True, False])
def test_conditions_combine(age: int, *, late: bool) -> None:
    """As the words say: and binds closer than or, not closer than both."""
    over, senior = "contact.age > 18", "contact.age > 60"

    def answer(condition: str) -> bool:
        text = f"{{% if {condition} %}}yes{{% endif %}}"
        return render(text, age=age, in_arrears=late) == "yes"

    assert answer(f"{over} and not contact.in_arrears") == (age > 18 and not late)
    assert answer(f"{senior} or {over} and contact.in_arrears") == (
        age > 60 or (age > 18 and late)
    )
    assert answer(f"({senior} or {over}) and contact.in_arrears") == (age > 18 and late)
    assert answer(f"not {over} or contact.in_arrears") == (age <= 18 or late)


def test_html_escapes_every_value_and_nothing_else() -> None:
    """Defaults too; constant text is the author's."""
    text = "<b>{{ contact.first_name }}</b>{{ contact.country | default('<&>') }}"

    assert (
        render(text, HTML, first_name="<i a='\"'>&", country=None)
        == "<b>&lt;i a=&#39;&#34;&#39;&gt;&amp;</b>&lt;&amp;&gt;"
    )


def test_a_url_keeps_its_host_and_path_whatever_values_hold() -> None:
    """Values are one part each: a whole URL in a value is a part too."""
    text = "https://b.example/go/{{ contact.first_name }}?to={{ content.target_url }}"
    name, target = "%2F%2Fx%3F%23%40%C3%A9", "https%3A%2F%2Fb.example%2F%3Fa%3D1"

    assert render(text, URL, first_name="//x?#@\u00e9") == (
        f"https://b.example/go/{name}?to={target}"
    )


@pytest.mark.parametrize("name", [".", ".."])
def test_a_url_never_leaves_its_path(name: str) -> None:
    """Nothing escapes a dot, so it is refused there, and only there."""
    with pytest.raises(TemplateError, match="has a part that is"):
        render("https://b.example/a/{{ contact.first_name }}/b", URL, first_name=name)

    text = "https://b.example/a.{{ contact.first_name }}/?b=/{{ contact.first_name }}/"
    assert render(text, URL, first_name=name).endswith(f"/?b=/{name}/")


def test_a_template_without_tags_is_constant() -> None:
    """And so is one whose tags are comments only."""
    for text in (
        "",
        "Dear client",
        "Dear {# name? #}client",
        "{% raw %}{{{% endraw %}",
    ):
        data = compile_template(Source("offer", text), TemplateForm.TEXT, SCOPE)
        template = load_template(data)
        assert template.constant == render(text) == template.render(())
    data = compile_template(Source("offer", "{{ contact.age }}"), HTML, SCOPE)

    assert load_template(data).constant is None
    assert load_template(compile_json_template("s", [1, "a"], SCOPE)).constant == (
        '[1,"a"]'
    )


def test_a_result_is_bounded() -> None:
    """In bytes, and before all of it is held."""
    name = "\u00e9" * 4_000
    fits = "{{ contact.first_name }}" * (RENDERED_BYTES_MAX // 8_000)

    assert len(render(fits, first_name=name)) == 4_000 * fits.count("{{")
    # What comes after is not even looked at.
    absent = "{{ contact.first_name }}" * 200 + "{{ contact.age }}"
    for text in (fits + "{{ contact.first_name }}", absent):
        with pytest.raises(TemplateError, match="bytes, at most 262144 fit"):
            render(text, first_name=name, age=MISSING)
    with pytest.raises(TemplateError, match=r"contact.tags has \d+ characters"):
        render("{{ contact.tags | join('') }}", tags=("x" * 4_096,) * 100)
    with pytest.raises(TemplateError, match="bytes, at most 8192 fit"):
        render("https://b.example/{{ contact.first_name }}", URL, first_name=name)


def test_dates_are_what_strftime_makes() -> None:
    """In the C locale, for every directive and hour."""
    for hour in range(24):
        moment = datetime(2026, hour % 12 + 1, hour + 1, hour, 5, 9, tzinfo=UTC)
        micros = int(moment.timestamp()) * 1_000_000
        for directive in DIRECTIVES:
            text = f"{{{{ contact.joined | date('{directive}', 'UTC') }}}}"
            assert moment.strftime(directive) == render(text, joined=micros)


def test_a_date_outside_the_calendar_is_an_error() -> None:
    """As it can be in another zone."""
    with pytest.raises(TemplateError, match="outside the years 1 to 9999"):
        render("{{ contact.joined | date('%Y', '+02:00') }}", joined=253402300799999999)


def test_json_keeps_types_and_structure() -> None:
    """A text that is one tag is its value; any other text is a text."""
    value = {
        "age": "{{ contact.age }}",
        "list": ["{{ contact.tags }}", "{{ contact.in_arrears }}", None, 1.5, True],
        'quote"': {"text": 'Dear "{{ contact.first_name }}"', "const": 'a"\n'},
        "if": '{% if contact.in_arrears %}{% else %}"{{ contact.balance }}{% endif %}',
        "since": "{{ contact.joined }}",
        "default": "{{ contact.age | default('n/a') }}",
    }
    expected = {
        "age": 42,
        "list": [["gold", "a&b"], False, None, 1.5, True],
        'quote"': {"text": 'Dear "M\\"\n"', "const": 'a"\n'},
        "if": '"1234567.5',
        "since": "2026-01-31T09:00:00Z",
        "default": "42",
    }

    assert json.loads(render_json(value, first_name='M\\"\n')) == expected
    balance = render_json(["{{ contact.balance | default(0) }}"], balance=None)
    assert balance == "[0.0]"
