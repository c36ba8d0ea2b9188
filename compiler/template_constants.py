"""Constants in tags: their tokens as values, and which value fits which type."""

import re
from math import isfinite

from compiler import diagnostics
from compiler import template_diagnostics as mistakes_of
from compiler.runtime.times import parse_duration, parse_timestamp
from compiler.runtime.tree import INT64_MAX, INT64_MIN
from compiler.source import Diagnostic, Source
from compiler.template_tags import Token

#: Timestamps and durations are ints of microseconds.
Constant = bool | int | float | str

FLAGS = {"true": True, "True": True, "false": False, "False": False}
#: Characters of a number beyond which nobody means it.
_NUMBER_CHARACTERS_MAX = 400
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}


def constant_of(
    source: Source, token: Token, sign: int
) -> Constant | Diagnostic | None:
    """What a token stands for, None if for nothing constant."""
    text = token.text.replace("_", "")
    match token.kind:
        case "string" if sign == 1:
            return _string(source, token)
        case "name" if sign == 1:
            return FLAGS.get(token.text)
        case "integer":
            if len(text) > _NUMBER_CHARACTERS_MAX:
                return diagnostics.int_out_of_range(source, token.span)
            number = sign * int(text, 0)
            if not INT64_MIN <= number <= INT64_MAX:
                return diagnostics.int_out_of_range(source, token.span)
            return number
        case "float":
            double = (
                float(text) if len(text) <= _NUMBER_CHARACTERS_MAX else float("inf")
            )
            if not isfinite(double):
                return mistakes_of.bad_number(source, token.span)
            return sign * double
        case _:
            return None


def fitting(
    source: Source, token: Token, constant: Constant, type_: str, what: str
) -> Constant | Diagnostic:
    """The constant as a value of a type, to be compared with such values."""
    match type_, constant:
        case ("bool", bool()) | ("string", str()):
            return constant
        case (("int" | "double"), (int() | float())) if not isinstance(constant, bool):
            return constant
        case (("timestamp" | "duration"), str(text)):
            parse = parse_timestamp if type_ == "timestamp" else parse_duration
            try:
                return parse(text)
            except ValueError as error:
                return diagnostics.bad_constant(
                    source, token.span, type_, text, str(error)
                )
        case _:
            return mistakes_of.constant_needed(source, token.span, what, type_)


def _string(source: Source, token: Token) -> str | Diagnostic:
    body = token.text[1:-1]
    if any(match[1] not in _ESCAPED for match in _ESCAPE.finditer(body)):
        return mistakes_of.bad_escape(source, token.span)
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], body)
