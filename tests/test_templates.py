"""Templates are checked when they are published: what is refused, where, and why."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_examples import CONTENT_SCOPE, SCOPE, mistakes

from compiler.runtime.rendering import (
    TemplateEncodingError,
    encode_template,
    load_template,
)
from compiler.source import Refused, Source
from compiler.template_tags import MISTAKES_MAX
from compiler.templates import (
    JSON_VALUES_MAX,
    TEMPLATE_BYTES_MAX,
    TemplateForm,
    compile_json_template,
    compile_template,
)

CASES = Path(__file__).parent / "templates_refused.txt"


def refused() -> list[tuple[TemplateForm, str, list[str]]]:
    """Form, template and mistakes of each case in the file."""
    form = TemplateForm.TEXT
    cases: list[tuple[TemplateForm, str, list[str]]] = []
    for block in CASES.read_text().split("\n\n")[1:]:
        first, *lines = block.strip("\n").split("\n")
        if first.startswith("# "):
            form = TemplateForm(first[2:])
        elif first:
            cases.append((form, first, [line.strip() for line in lines]))
    return cases


@pytest.mark.parametrize(("form", "text", "expected"), refused())
def test_a_mistake_is_named_with_its_place_and_its_remedy(
    form: TemplateForm, text: str, expected: list[str]
) -> None:
    """Each template of the file has the mistakes that stand under it."""
    assert expected
    assert expected == mistakes(text, form)


def test_every_kind_of_mistake_is_in_the_file() -> None:
    """Filters, conditions, tags, URLs and HTML."""
    forms = [form for form, _, _ in refused()]

    assert len(forms) >= 100
    assert set(forms) == set(TemplateForm)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\r\nB {{ contact.x }}", "2:14 unknown attribute contact.x"),
        ("a\x00b", "1:2 not a character"),
        ("a\ud800b", "1:2 not a character"),
    ],
)
def test_what_cannot_stand_in_the_file_is_refused_too(text: str, expected: str) -> None:
    """Lines are counted whatever they end with; what is no text is no template."""
    assert [expected] == [found[: len(expected)] for found in mistakes(text)]


@pytest.mark.parametrize(
    "text",
    [
        '<p title="{{ contact.age }}">{{ contact.age }} < {{ contact.age }}</p>',
        '<a href="{{ content.target_url }}/{{ contact.age }}">',
        "<a href = 'https://b.example/?n={{ contact.first_name }}'>",
        "<script>if (a) '</p>'</script><!-- {{ contact.age }} -->{{ contact.age }}",
        '<a {% if contact.in_arrears %}id="x"{% endif %} href="/x{{ contact.age }}">',
        "<!DOCTYPE html><br/>{{ contact.age }}",
    ],
)
def test_html_that_is_safe_is_let_through(text: str) -> None:
    """Text, comments, quoted values and links whose start is constant."""
    assert mistakes(text, TemplateForm.HTML) == []


def test_all_mistakes_are_found_at_once() -> None:
    """One that is reported does not hide those behind it, nor cause others."""
    text = "{{ a ? b }}{% if contact.x %}{{ contact.age | uper }}{% endif %} {{ c"
    columns = [shown.split()[0] for shown in mistakes(text)]

    assert columns == ["1:6", "1:26", "1:47", "1:66"]


def test_a_mistake_is_shown_with_a_caret() -> None:
    """The line, and what is wrong in it."""
    with pytest.raises(Refused) as refused:
        compile_template(
            Source("offers/gold:content.title", "Dear\n{{ contact.nam }}!"),
            TemplateForm.TEXT,
            CONTENT_SCOPE,
        )

    assert str(refused.value).splitlines()[1:] == [
        "  {{ contact.nam }}!",
        "             ^^^",
    ]


def test_what_is_known_later_has_its_own_mistake() -> None:
    """An offer's content cannot name the proposition that will hold it."""
    found = mistakes("{{ proposition.id }}", scope=CONTENT_SCOPE)

    assert found == [
        "1:4 proposition is not known here; only renderings and acceptance URLs can "
        "name it"
    ]
    assert mistakes("{{ proposition.id }}") == []


NEST = "{% if contact.in_arrears %}"
HOSTILE = {
    "a megabyte": "x" * 1_000_000,
    "tags without end": "{{" * 30_000,
    "a thousand tags": "{{ contact.age }}" * 1_001,
    "nested ifs": NEST * 10_000,
    "nested ifs that fit": NEST * 17 + "{% endif %}" * 17,
    "brackets": "{% if " + "(" * 5_000 + "contact.in_arrears" + ")" * 5_000 + "%}",
    "nots": "{% if " + "not " * 900 + "contact.in_arrears %}{% endif %}",
    "a long tag": "{{ contact.age " + "| round " * 5_000 + "}}",
    "a huge int": "{{ contact.age | round(" + "9" * 60_000 + ") }}",
    "a huge double": "{% if contact.balance > 1" + "0" * 9_000 + ".0 %}{% endif %}",
    "a long name": "{{ contact." + "a" * 60_000 + " }}",
    "a long record": "{{ " + "contact" * 8_000 + " }}",
    "a long filter": "{{ contact.age | " + "upper" * 9_000 + " }}",
    "blanks": "{% if" + " " * 60_000,
    "mistakes": "{{ x }}" * 900,
    "raws": "{% raw %}" * 7_000,
    "comments": "{#" * 30_000,
    "strings": "{{ '" + "\\" * 60_000,
    "arguments": "{{ contact.age | round(" + "1," * 499 + "1) }}",
    "braces": "{{ " + "{" * 30_000 + "}" * 30_000 + " }}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_templates_are_refused(text: str) -> None:
    """With a bounded number of mistakes, each short, whatever the form."""
    for form in TemplateForm:
        found = mistakes(text, form)
        assert 1 <= len(found) <= MISTAKES_MAX
        assert max(map(len, found)) < 500


def test_what_fits_is_let_through() -> None:
    """The limits themselves are allowed."""
    assert mistakes("x" * TEMPLATE_BYTES_MAX) == []
    assert mistakes("{{ contact.age }}" * 1_000) == []
    assert mistakes(NEST * 16 + "{% endif %}" * 16) == []
    assert mistakes("{% if " + "not " * 16 + "contact.in_arrears %}{% endif %}") == []


WORDS = (
    "{{ }} {% %} {# #} - if elif else endif contact.age contact.tags == in [ ] ( ) , "
    "' \" 1 2.5 | round join default is not and or defined none raw endraw \n \\ . "
    "< > / https://b.example/ \u00e9 \x00 <script <a href="
)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.lists(st.sampled_from(WORDS.split(" ")), max_size=24),
    st.sampled_from(TemplateForm),
)
def test_any_text_is_compiled_or_refused(words: list[str], form: TemplateForm) -> None:
    """Nothing else ever happens, and what is compiled can be loaded."""
    source = Source("any", " ".join(words))
    try:
        data = compile_template(source, form, SCOPE)
    except Refused:
        assert mistakes(source.text, form) != []
    else:
        assert load_template(data)
        assert data == compile_template(source, form, SCOPE)


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ({"a": ["{{ contact.ag }}"]}, "space.a[0]:1:12: error: unknown attribute"),
        ({"a": {1}}, "space.a:1:1: error: set {1} is not JSON"),
        ([float("inf")], "space[0]:1:1: error: float inf is not JSON"),
        ([2**63], "space[0]:1:1: error: int 9223372036854775808 is not JSON"),
        ({3: 4}, "space:1:1: error: the key 3 is not JSON"),
        ({"{{ x }}": 4}, "space:1:1: error: a key is constant"),
        ({"\ud800": 4}, "space:1:1: error: not a character"),
        (["{{ contact.age | upper }}"], "space[0]:1:18: error: upper takes a string"),
        (
            ["x" * 40_000] * 2,
            "space[1]:1:1: error: 80000 bytes; a template has at most",
        ),
        ([1] * JSON_VALUES_MAX, "space[999]:1:1: error: more than 1000 values"),
    ],
)
def test_a_json_template_names_the_place_of_a_mistake(
    value: object, mistake: str
) -> None:
    """By the path to it."""
    with pytest.raises(Refused) as refused:
        compile_json_template("space", value, SCOPE)

    assert str(refused.value).startswith(mistake)


def test_a_json_template_is_not_deep_without_end() -> None:
    """Not even when it contains itself."""
    circle: list[Any] = []
    circle.append(circle)

    with pytest.raises(Refused, match="more than 16 lists and objects"):
        compile_json_template("space", circle, SCOPE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"=\xff",
        b"[" * 100_000,
        b'["template",2,"text",[]]',
        b'["template",1,"pdf",[]]',
        b'["template",1,"text",[["value",9,0,"x",[],null]]]',
        b'["template",1,"text",[["value",0,0,"x",[["eval","1"]],null]]]',
        b'["template",1,"text",[["value",0,0,"x",[["truncate","1"]],null]]]',
        b'["template",1,"text",[["value",0,0,"x",[["date","%d","Mars/Base"]],null]]]',
        b'["template",1,"text",[["if",[[["maybe"],[]]],[]]]]',
    ],
)
def test_bytes_that_no_template_encodes_to_are_refused(data: bytes) -> None:
    """What is loaded is checked before anything is built on it."""
    with pytest.raises(TemplateEncodingError):
        load_template(data)


def test_deep_encodings_are_refused() -> None:
    """However deep, no recursion error gets out."""
    asked: Any = ("is", ("value", 0, 4, "x", (), None))
    condition, choice = asked, ("if", ((asked, ()),), ())
    for _ in range(100):
        condition = ("not", condition)
        choice = ("if", ((asked, (choice,)),), ())

    for piece in (("if", ((condition, ()),), ()), choice):
        with pytest.raises(TemplateEncodingError, match="nested too deeply"):
            load_template(encode_template("text", (piece,)))
