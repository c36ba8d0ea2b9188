"""What rules mean, as tables: each row holds for both evaluators."""

from typing import Any

import pytest
from rule_examples import NO_ANSWER, answer, contact, context, linked

from compiler.rules import Kind
from compiler.runtime.interpreter import EvaluationError
from compiler.runtime.values import MISSING, RuleError

T, F, E = "true", "false", "1 / 0 == 1"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (f"{T} && {T}", True),
        (f"{T} && {F}", False),
        (f"{T} && {E}", NO_ANSWER),
        (f"{F} && {E}", False),
        (f"{E} && {T}", NO_ANSWER),
        (f"{E} && {F}", False),
        (f"{E} && {E}", NO_ANSWER),
        (f"{T} || {E}", True),
        (f"{F} || {E}", NO_ANSWER),
        (f"{E} || {T}", True),
        (f"{E} || {F}", NO_ANSWER),
        (f"{F} || {F}", False),
        (f"{E} && {T} && {F}", False),
        (f"({E} || {E}) || {T}", True),
        (f"!({E})", NO_ANSWER),
        (f"{E} ? true : true", NO_ANSWER),
        (f"true ? true : {E}", True),
        ("[1, 0].all(x, 1 / x > 1)", False),
        ("[0, 2].all(x, 1 / x > 0)", False),
        ("[1, 0].all(x, 1 / x > 0)", NO_ANSWER),
        ("[0, 1].exists(x, 1 / x > 0)", True),
        ("[0, 2].exists(x, 1 / x > 0)", NO_ANSWER),
        ("[0, 1].exists_one(x, 1 / x > 0)", NO_ANSWER),
        ("[1, 2].exists_one(x, 1 / x > 0)", True),
        ("[1, 1].exists_one(x, 1 / x > 0)", False),
        ("[1, 0].filter(x, 1 / x > 0).exists(x, x == 1)", NO_ANSWER),
        ("[1, 0].map(x, 1 / x).exists(x, x == 1)", NO_ANSWER),
        ("[].all(x, x > 0) && ![].exists(x, x) && size([].map(x, x)) == 0", True),
        (f"({E} ? [] : []).all(x, x == null)", NO_ANSWER),
    ],
)
def test_an_operand_that_decides_wins_over_an_error(rule: str, expected: Any) -> None:
    """Logic is commutative and absorbs errors; everything else passes them on."""
    assert expected == answer(rule)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("9223372036854775807 + 1 == 0", NO_ANSWER),
        ("-9223372036854775808 - 1 == 0", NO_ANSWER),
        ("4294967296 * 4294967296 == 0", NO_ANSWER),
        ("-(-9223372036854775808) == 0", NO_ANSWER),
        ("-9223372036854775808 / -1 == 0", NO_ANSWER),
        ("-9223372036854775808 % -1 == 0", NO_ANSWER),
        ("-7 / 2 == -3 && 7 / -2 == -3 && -7 / -2 == 3", True),
        ("-7 % 2 == -1 && 7 % -2 == 1 && -7 % -2 == -1", True),
        ("7 / 0 == 0", NO_ANSWER),
        ("7 % 0 == 0", NO_ANSWER),
        ("1.0 / 0.0 > 1e308 && -1.0 / 0.0 < -1e308 && 1.0 / -0.0 < 0.0", True),
        ("0.0 / 0.0 == 0.0 / 0.0", False),
        ("[0.0 / 0.0] == [0.0 / 0.0]", False),
        ("0.0 / 0.0 in [0.0 / 0.0, 1.0]", False),
        ("int(2.9) == 2 && int(-2.9) == -2", True),
        ("int(1e19) == 0", NO_ANSWER),
        ("int(0.0 / 0.0) == 0", NO_ANSWER),
        ("double(3) == 3.0", True),
        ("[1, 2][-1] == 2", NO_ANSWER),
        ("[1, 2][2] == 2", NO_ANSWER),
        ("'\U00010348' > '\uffee' && size('\U00010348') == 1", True),
        ("'a'.matches('^A$') || 'ba'.matches('a')", True),
        ("duration('2562047h') + duration('1h') > duration('0s')", NO_ANSWER),
        (
            "timestamp('9999-12-31T23:59:59Z') + duration('1s') > context.now",
            NO_ANSWER,
        ),
        ("timestamp('2026-03-29T01:00:00Z').getHours('Europe/Paris') == 3", True),
        ("timestamp('2026-03-29T00:59:59Z').getHours('Europe/Paris') == 1", True),
        ("timestamp('2026-03-29T01:00:00Z').getHours('-01:30') == 23", True),
        ("timestamp('2026-03-01T00:00:00Z').getMonth() == 2", True),
        ("timestamp('2026-03-01T00:00:00Z').getDate() == 1", True),
        ("timestamp('2026-03-01T00:00:00Z').getDayOfMonth() == 0", True),
        ("timestamp('2026-03-01T00:00:00Z').getDayOfWeek() == 0", True),
        ("timestamp('2026-03-01T00:00:00Z').getDayOfYear() == 59", True),
        ("duration('-90.5s').getMinutes() == -1", True),
        ("duration('-90.5s').getMilliseconds() == -500", True),
    ],
)
def test_values_follow_cel_where_python_differs(rule: str, expected: Any) -> None:
    """Overflow, division, NaN, indices, code points and times are CEL's."""
    assert expected == answer(rule)


@pytest.mark.parametrize(
    ("rule", "absent", "null"),
    [
        ("contact.age > 1", NO_ANSWER, NO_ANSWER),
        ("!(contact.age == 1)", NO_ANSWER, True),
        ("contact.age == null", NO_ANSWER, True),
        ("contact.age in [1, 2]", NO_ANSWER, False),
        ("contact.age in []", NO_ANSWER, False),
        ("contact.age in [1, null]", NO_ANSWER, True),
        ("has(contact.age)", False, True),
        ("!has(contact.age) || contact.age == null", True, True),
        ("[contact.age] == [1]", NO_ANSWER, False),
        ("(true ? contact.age : 1) == 1", NO_ANSWER, False),
        ("size([contact.age]) == 1", NO_ANSWER, True),
        ("[1].map(x, contact.age).exists(y, y == 1)", NO_ANSWER, False),
        ("contact.age + 1 == 1", NO_ANSWER, NO_ANSWER),
        ("int(contact.age) == 1", NO_ANSWER, NO_ANSWER),
        ("double(contact.age) == 1.0", NO_ANSWER, NO_ANSWER),
    ],
)
def test_absent_is_an_error_and_null_is_a_value(
    rule: str, absent: Any, null: Any
) -> None:
    """An absent attribute cannot be used; a null one can be compared."""
    assert (absent, null) == (answer(rule), answer(rule, age=None))


@pytest.mark.parametrize(
    "rule", ["contact.optin", "segment.opted_in", "[contact.optin][0]"]
)
@pytest.mark.parametrize("bare", ["{}", "!{}", "{} && true", "{} ? true : true"])
def test_null_is_neither_true_nor_false(rule: str, bare: str) -> None:
    """Python would take None for false; a rule has no answer then."""
    text = bare.format(rule)

    assert answer(text, optin=None) == NO_ANSWER
    assert answer(text) == NO_ANSWER


@pytest.mark.parametrize("rule", ["contact.balance", "contact.age", "1 / 0"])
def test_a_formula_gives_a_number_or_an_error(rule: str) -> None:
    """No MISSING and no None leaves a formula; an int becomes a double."""
    assert answer(rule, kind=Kind.FORMULA) == NO_ANSWER
    assert answer(rule, kind=Kind.FORMULA, balance=None, age=None) == NO_ANSWER
    assert repr(answer("contact.age", kind=Kind.FORMULA, age=7)) == "7.0"


@pytest.mark.parametrize(
    "rule",
    [
        "contact.scores == contact.scores",
        "!(contact.scores != contact.scores)",
        "contact.balance in contact.scores",
        "contact.balance == contact.balance",
        "[contact.scores] == [contact.scores]",
    ],
)
def test_nan_equals_nothing_not_even_itself(rule: str) -> None:
    """Python finds one and the same NaN in a list; CEL does not."""
    nan = float("nan")

    assert answer(rule, balance=nan, scores=(nan,)) is False
    assert answer(rule, balance=1.5, scores=(1.5,)) is True


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("contact.country.matches('a')", {"country": "\ud800"}),
        ("contact.country.matches('a')", {"country": 5}),
        ("contact.tags.all(t, t == 'a')", {"tags": 5}),
        ("contact.age < 3", {"age": "3"}),
        ("contact.optin", {"optin": 1}),
    ],
)
def test_slots_of_a_wrong_type_give_no_answer(rule: str, values: Any) -> None:
    """Whoever fills slots checks them; if not, only the rule is lost, not the call."""
    assert answer(rule, **values) == NO_ANSWER


def test_names_of_python_keywords_are_ordinary_attributes() -> None:
    """Attributes are read by slot, so no name can mean anything to Python."""
    values = {"class": 3, "lambda": True}

    assert True is answer("contact.class == 3 && contact.lambda", **values)


@pytest.mark.parametrize(
    ("rule", "values", "message", "failed", "blamed"),
    [
        ("true && contact.age > 1", {}, "absent", "contact.age", ("age", MISSING)),
        ("contact.age > 1", {"age": None}, "null", "contact.age", ("age", None)),
        ("1 / contact.age == 1", {"age": 0}, "zero", "1 / contact.age", ("age", 0)),
        ("1 / 0 == 1", {}, "division by zero", "1 / 0", None),
        ("1 in contact.visits", {}, "absent", "contact.visits", ("visits", MISSING)),
        (
            "contact.tags[3] == ''",
            {"tags": ()},
            "index 3",
            "contact.tags[3]",
            ("tags", ()),
        ),
    ],
)
def test_an_error_names_what_failed(
    rule: str,
    values: dict[str, Any],
    message: str,
    failed: str,
    blamed: tuple[str, Any] | None,
) -> None:
    """An evaluation without an answer says where, and which attribute is to blame."""
    with pytest.raises(EvaluationError, match=message) as raised:
        linked(rule).evaluate(contact(**values), context())
    error = raised.value
    name, value = blamed or (None, None)

    assert failed == rule[slice(*error.span)]
    assert (name and f"contact.{name}") == error.attribute
    assert value is error.value


def test_an_error_inside_a_segment_names_the_segments_source() -> None:
    """The span of an error counts in the text of the segment that it happened in."""
    rule = linked("true && segment.young_french")
    with pytest.raises(EvaluationError) as raised:
        rule.evaluate(contact(country="FR"), context())
    name, text = rule.tree.sources[raised.value.source]

    assert name == "segments/young"
    assert text[slice(*raised.value.span)] == "contact.age"


_USES_OF_MISSING = [
    "bool(m)", "not m", "m == 1", "1 == m", "m != 1", "m < 1", "1 < m", "m <= 1",
    "m > 1", "m >= 1", "m + 1", "1 + m", "m - 1", "1 - m", "m * 2", "2 * m", "m / 2",
    "2 / m", "m // 2", "2 // m", "m % 2", "2 % m", "-m", "m[0]", "[1][m]", "1 in m",
    "m in {1, 2}", "m in (1,)", "m in [1]", "len(m)", "list(m)", "hash(m)", "int(m)",
    "float(m)", "m == m", "m == None", "None == m", "m == 'a'", "'a' == m",
    "'a'.startswith(m)", "m.startswith('a')", "m in 'a'", "'a' in m", "m == ()",
    "() == m", "m == 1.5", "1.5 == m", "'a' + m", "() + m", "m + ()",
]  # fmt: skip


@pytest.mark.parametrize("use", _USES_OF_MISSING)
def test_every_use_of_missing_raises(use: str) -> None:
    """Generated code has no test for presence, so no operator may let MISSING by."""
    with pytest.raises((RuleError, TypeError, AttributeError)):
        eval(use, {"m": MISSING})  # noqa: S307
