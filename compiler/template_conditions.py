"""Reads what stands after `if` and `elif`.

    condition  = conjunct { "or" conjunct }
    conjunct   = negation { "and" negation }
    negation   = "not" negation | "(" condition ")" | comparison
    comparison = value | value sign constant | value "is" ["not"] test
               | value ["not"] "in" "[" constant { "," constant } "]"
               | constant ["not"] "in" value

Precedence is Jinja's. Types are checked, so that a comparison never fails when the
template runs for any other reason than a value that is absent or null.
"""

from typing import Any

from compiler import template_diagnostics as mistakes_of
from compiler.template_constants import FLAGS, Constant
from compiler.template_reader import Operand, TagReader

#: Brackets and `not` within each other.
CONDITION_DEPTH_MAX = 16

_SIGNS = ("==", "!=", "<", "<=", ">", ">=")
#: A condition, encoded; see `compiler.runtime.rendering`.
_Condition = tuple[Any, ...]


def read_condition(reader: TagReader) -> _Condition:
    """All that is left of the tag."""
    condition = _disjunction(reader, 0)
    reader.end("join comparisons with and, or")
    return condition


def _disjunction(reader: TagReader, depth: int) -> _Condition:
    parts = [_conjunction(reader, depth)]
    while reader.accept("or"):
        parts.append(_conjunction(reader, depth))
    return parts[0] if len(parts) == 1 else ("or", *parts)


def _conjunction(reader: TagReader, depth: int) -> _Condition:
    parts = [_negation(reader, depth)]
    while reader.accept("and"):
        parts.append(_negation(reader, depth))
    return parts[0] if len(parts) == 1 else ("and", *parts)


def _negation(reader: TagReader, depth: int) -> _Condition:
    token = reader.next()
    if token is not None and depth > CONDITION_DEPTH_MAX:
        reader.fail(
            mistakes_of.too_deep(
                reader.source, token.span, "brackets and nots", CONDITION_DEPTH_MAX
            )
        )
    if reader.accept("not"):
        return ("not", _negation(reader, depth + 1))
    if reader.accept("("):
        condition = _disjunction(reader, depth + 1)
        reader.expect(")")
        return condition
    return _comparison(reader)


def _comparison(reader: TagReader) -> _Condition:
    first = reader.next()
    if first is not None and (
        first.kind in ("string", "integer", "float") or reader.next_is("-", *FLAGS)
    ):
        return _contained(reader)
    operand = reader.value(compared=True)
    if reader.next_is(*_SIGNS):
        condition = _compared(reader, operand)
    elif reader.accept("is"):
        condition = _tested(reader, operand)
    elif reader.accept("in"):
        condition = _among(reader, operand)
    elif reader.accept("not"):
        reader.expect("in")
        condition = ("not", _among(reader, operand))
    elif (token := reader.next()) and not reader.next_is("and", "or", ")"):
        reader.unexpected(token, "write ==, !=, <, in, is, and or or")
    elif operand.type == "bool":
        condition = ("is", reader.encoded(operand))
    else:
        reader.fail(
            mistakes_of.not_a_condition(
                reader.source, operand.span, operand.name, operand.type
            )
        )
    if reader.next_is(*_SIGNS, "in", "is"):
        span = reader.take("").span
        reader.fail(mistakes_of.compared_twice(reader.source, span))
    return condition


def _compared(reader: TagReader, operand: Operand) -> _Condition:
    sign = reader.take("a sign")
    is_order = sign.text not in ("==", "!=")
    if operand.type.startswith("list(") or (is_order and operand.type == "bool"):
        reader.fail(
            mistakes_of.not_comparable(
                reader.source, sign.span, sign.text, operand.type
            )
        )
    constant = reader.constant(sign.text, operand.type)
    return (sign.text, reader.encoded(operand), constant)


def _tested(reader: TagReader, operand: Operand) -> _Condition:
    negated = reader.accept("not")
    test = reader.take("defined or none")
    if test.text not in ("defined", "undefined", "none"):
        reader.fail(mistakes_of.unknown_test(reader.source, test.span, test.text[:60]))
    if operand.filters or operand.default is not None:
        reader.fail(
            mistakes_of.plain_name_needed(
                reader.source, operand.span, f"is {test.text}"
            )
        )
    if test.text == "undefined":
        negated = not negated
    name = "none" if test.text == "none" else "defined"
    condition = (name, reader.encoded(operand))
    return ("not", condition) if negated else condition


def _among(reader: TagReader, operand: Operand) -> _Condition:
    if operand.type.startswith("list("):
        reader.fail(
            mistakes_of.not_comparable(reader.source, operand.span, "in", operand.type)
        )
    token = reader.take("a list")
    if token.text != "[":
        reader.unexpected(token, "write a list, ['FR', 'DE'] say")
    constants: list[Constant] = [reader.constant("in", operand.type)]
    while reader.accept(","):
        constants.append(reader.constant("in", operand.type))
    reader.expect("]")
    return ("in", reader.encoded(operand), tuple(constants))


def _contained(reader: TagReader) -> _Condition:
    token, constant = reader.any_constant("in", "string")
    negated = reader.accept("not")
    if not reader.accept("in"):
        reader.fail(mistakes_of.name_first(reader.source, token.span))
    operand = reader.value(compared=True)
    if not operand.type.startswith("list("):
        reader.fail(mistakes_of.name_first(reader.source, token.span))
    element = operand.type[len("list(") : -1]
    fits = reader.fitting(token, constant, element, "in")
    condition = ("has", reader.encoded(operand), fits)
    return ("not", condition) if negated else condition
