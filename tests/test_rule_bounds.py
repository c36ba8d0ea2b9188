"""Between which numbers a formula lies: interval arithmetic over its tree."""

import math
import random
from math import inf

import pytest
from rule_generation import SCHEMA, RuleGenerator

from catalog_store.records import Attribute, AttributeType
from compiler.bounds import EVERYTHING, Bounds, bounds, ranges
from compiler.check import Kind
from compiler.rules import compile_rule
from compiler.runtime.history import HISTORY_MAX
from compiler.runtime.linker import link
from compiler.runtime.tree import INT64_MAX, INT64_MIN, Tree
from compiler.runtime.values import MISSING
from compiler.schema import Schema
from compiler.source import Source

FORMULAS = 1_500
CONTACTS_PER_FORMULA = 8


def attribute(
    name: str, type_: str, minimum: float | None = None, maximum: float | None = None
) -> Attribute:
    return Attribute(
        name=name, type=AttributeType(type_), minimum=minimum, maximum=maximum
    )


BOUNDED = Schema.of(
    (
        attribute("age", "int", 18, 130),
        attribute("balance", "double", -5.0, 1000.0),
        attribute("score", "double"),
        attribute("debts", "int", -3),
        attribute("name", "string"),
        attribute("joined", "timestamp"),
        attribute("silence", "duration"),
    ),
    (attribute("cart", "double", 0, 10),),
)


def formula(text: str, schema: Schema = BOUNDED) -> Tree:
    return compile_rule(Source("formula", text), schema, Kind.FORMULA).tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5", (2.5, 2.5)),
        ("contact.age", (18, 130)),
        ("contact.balance", (-5.0, 1000.0)),
        ("contact.score", (-inf, inf)),
        ("contact.debts", (-3, INT64_MAX)),
        ("contact.age + 2", (20, 132)),
        ("contact.age - contact.age", (-112, 112)),
        ("contact.balance * -2.0", (-2000.0, 10.0)),
        ("-contact.balance", (-1000.0, 5.0)),
        ("contact.score * 0.0", (0.0, 0.0)),
        ("contact.score + (1.0 / 0.0)", (-inf, inf)),
        ("10.0 / double(contact.age)", (10 / 130, 10 / 18)),
        ("10.0 / contact.balance", (-inf, inf)),
        ("1000 / contact.age", (7, 55)),
        ("-1000 / contact.age", (-55, -7)),
        ("contact.age / contact.debts", (-130, 130)),
        ("contact.age % 7", (0, 6)),
        ("contact.debts % 7", (-3, 6)),
        ("contact.age % contact.debts", (0, 130)),
        ("int(contact.balance / 3.0)", (-1, 333)),
        ("contact.score > 1.0 ? contact.balance : 2000.0", (-5.0, 2000.0)),
        ("contact.name == 'x' ? double(contact.age) : context.cart", (0.0, 130.0)),
        ("size(contact.name)", (0, INT64_MAX)),
        ("history.filter(p, p.rank > 1).size()", (0, HISTORY_MAX)),
        ("size(history) / 10", (0, HISTORY_MAX // 10)),
        ("contact.joined.getHours()", (0, 23)),
        ("contact.joined.getDayOfWeek('Europe/Paris')", (0, 6)),
        ("contact.silence.getHours()", (INT64_MIN, INT64_MAX)),
        ("[1.0, 2.0][contact.age]", (-inf, inf)),
        ("9223372036854775807 * 2", (INT64_MAX, INT64_MAX)),
    ],
)
def test_bounds_of_a_formula(text: str, expected: tuple[float, float]) -> None:
    """Each operation gives the extremes of its operands' ends."""
    assert Bounds(*map(float, expected)) == bounds(formula(text).root, BOUNDED)


def test_what_is_no_number_is_unbounded() -> None:
    """Conditions and texts have no bounds, wherever they stand."""
    tree = compile_rule(Source("rule", "'a' < 'b'"), BOUNDED, Kind.CONDITION).tree

    assert bounds(tree.root, BOUNDED) == EVERYTHING
    assert bounds(tree.root.children[0], BOUNDED) == EVERYTHING


def test_bounds_rely_on_what_is_declared_of_the_contact() -> None:
    """Attributes without a range bound nothing; those of a call are always checked."""
    text = "contact.age > 40 ? contact.balance + contact.score : context.cart"

    assert {(0, 18.0, 130.0), (1, -5.0, 1000.0)} == set(
        ranges(formula(text).root, BOUNDED)
    )


def test_results_of_random_formulas_lie_within_their_bounds() -> None:
    """No contact whose values are as declared gets a result outside."""
    limits = {"int": (-7, 7), "double": (-2.25, 3.0)}
    schema = Schema(
        *(
            tuple(
                attribute(a.name, str(a.type), *limits.get(str(a.type), ()))
                for a in attributes
            )
            for attributes in (SCHEMA.contact, SCHEMA.context)
        ),
        (),
    )
    generator = RuleGenerator(random.Random(20260131))
    inside, finite = 0, 0
    for number in range(FORMULAS):
        text = generator.rule(("int", "double")[number % 2], 1 + number % 4)
        compiled = compile_rule(Source("formula", text), schema, Kind.FORMULA)
        low, high = bounds(compiled.tree.root, schema)
        finite += math.isfinite(low) and math.isfinite(high) and high - low < 1e9
        rule = link(compiled.code, compiled.tree_bytes)
        for _ in range(CONTACTS_PER_FORMULA):
            slots = [
                tuple(
                    _within(a, v, limits) for a, v in zip(declared, drawn, strict=True)
                )
                for declared, drawn in (
                    (schema.contact, generator.contact()),
                    (schema.context, generator.context()),
                )
            ]
            result = rule.weight(*slots, generator.history())
            if result is not None and not math.isnan(result):
                assert low <= result <= high, (text, slots)
                inside += 1

    # Bounds that know nothing would prove nothing.
    assert inside > 0.3 * FORMULAS * CONTACTS_PER_FORMULA
    assert finite > 0.2 * FORMULAS


def _within(
    declared: Attribute, value: object, limits: dict[str, tuple[float, float]]
) -> object:
    """The value if the attribute may have it, else nothing."""
    ends = limits.get(str(declared.type))
    if ends is None or not isinstance(value, int | float):
        return value
    return value if ends[0] <= value <= ends[1] else MISSING
