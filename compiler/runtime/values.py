"""MISSING, and the operations of CEL that Python does not have as they are.

Generated code and the interpreter call the same functions. Each raises RuleError, or
whatever Python raises when an operand is MISSING, None or of another type; generated
code only needs to know that something was raised.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NoReturn, cast, final

import re2  # pyright: ignore[reportMissingTypeStubs]

from compiler.runtime import times
from compiler.runtime.tree import INT64_MAX, INT64_MIN

#: Goes up whenever generated code would mean something else: a helper renamed or
#: changed, another shape of slots; or whenever a revision has another shape: 3 added
#: the conditions of its rules, chunks and templates. Code of another version is rebuilt
#: from its tree.
HELPER_ABI_VERSION = 3
#: Compiled patterns kept; a pattern beyond it is compiled again, nothing is lost.
_PATTERNS_MAX = 4_096
_PATTERN_MEMORY_BYTES = 1 << 20
#: It comes without types.
_re2: Any = re2


class RuleError(Exception):
    """An operation has no result; the text says why, for an offer manager."""


@final
class Missing:
    """The slot of an absent attribute: using it for anything raises.

    So rules need no test for presence: a missing attribute cannot be mistaken for a
    value. Only `is MISSING` is safe.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def _refuse(self, *_: object) -> NoReturn:
        raise RuleError("the attribute is absent")

    __bool__ = __hash__ = __len__ = __iter__ = __index__ = __int__ = _refuse
    __float__ = __neg__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = _refuse
    __ge__ = __contains__ = __getitem__ = __add__ = __radd__ = __sub__ = _refuse
    __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse


MISSING: Final = Missing()


def value(operand: Any) -> Any:
    """The operand, unless it is MISSING: guards places where Python would not look."""
    if operand is MISSING:
        raise RuleError("the attribute is absent")
    return operand


def boolean(operand: Any) -> bool:
    """The operand if it is a bool: null is neither true nor false."""
    if operand is True or operand is False:
        return operand
    raise RuleError("expected true or false")


def int64(result: int) -> int:
    """The result of an int operation, if it fits."""
    if INT64_MIN <= result <= INT64_MAX:
        return result
    raise RuleError("the result does not fit in 64 bits")


def divide(left: int, right: int) -> int:
    """Int division, truncated towards zero."""
    if right == 0:
        raise RuleError("division by zero")
    quotient = abs(left) // abs(right)
    return int64(quotient if (left < 0) == (right < 0) else -quotient)


def modulo(left: int, right: int) -> int:
    """The rest of `divide`; it has the sign of the left operand."""
    if right == 0:
        raise RuleError("modulus by zero")
    if right == -1 and left == INT64_MIN:
        # The quotient overflows, and CEL lets that decide.
        raise RuleError("the result does not fit in 64 bits")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def divide_double(left: float, right: float) -> float:
    """IEEE division: by zero gives an infinity, or NaN."""
    if right != 0.0:
        return left / right
    # Multiplying by 1/0 with the sign of the zero gives each case, NaN included.
    return left * (float("-inf") if str(right)[0] == "-" else float("inf"))


def to_int(operand: int | float) -> int:
    """CEL's int(): a double loses its fraction and must fit in 64 bits."""
    if type(operand) is int:
        return operand
    # The bound is exclusive at both ends, as in the reference implementations.
    if isfinite(operand) and -(2.0**63) < operand < 2.0**63:
        return int(operand)
    raise RuleError("the double does not fit in an int")


def item(operand: tuple[Any, ...], index: int) -> Any:
    """A list's element; Python's negative indices do not exist in CEL."""
    if 0 <= index < len(operand):
        return operand[index]
    raise RuleError(f"index {index} is outside a list of {len(operand)}")


def equal(left: Any, right: Any) -> bool:
    """Equality of lists of doubles: Python would hold one NaN equal to itself."""
    if not (isinstance(left, tuple) and isinstance(right, tuple)):
        return left == right
    pair = cast(tuple[tuple[Any, ...], tuple[Any, ...]], (left, right))
    return len(pair[0]) == len(pair[1]) and all(map(equal, *pair))


def member(operand: Any, elements: Iterable[Any]) -> bool:
    """`in` with `equal`."""
    return any([equal(operand, element) for element in elements])


def one(answers: Iterable[bool]) -> bool:
    """Exactly one is true; all are asked, because an error anywhere is an error."""
    return sum(answers) == 1


def timestamp(micros: int) -> int:
    """The result of timestamp arithmetic, if it lies in the years 1 to 9999."""
    if times.TIMESTAMP_MIN <= micros <= times.TIMESTAMP_MAX:
        return micros
    raise RuleError("the timestamp lies outside the years 1 to 9999")


def duration(micros: int) -> int:
    """The result of duration arithmetic, if it lies within 292 years."""
    if -times.DURATION_MAX <= micros <= times.DURATION_MAX:
        return micros
    raise RuleError("the duration is longer than 292 years")


def matches(operand: str, pattern: str) -> bool:
    """Whether RE2 finds the pattern anywhere in the string."""
    return _pattern(pattern).search(operand) is not None


def check_pattern(pattern: str) -> None:
    """Raises ValueError, with RE2's reason, for what is not a pattern."""
    try:
        _pattern(pattern)
    except _re2.error as error:
        reason: Any = error.args[0]
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(text) from error


@lru_cache(maxsize=_PATTERNS_MAX)
def _pattern(pattern: str) -> Any:
    options = _re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY_BYTES
    return _re2.compile(pattern, options)


#: Everything that generated code can name. Python's builtins are not among them.
GLOBALS: Final[dict[str, Any]] = {
    "__builtins__": {},
    "MISSING": MISSING,
    "value": value,
    "boolean": boolean,
    "int64": int64,
    "divide": divide,
    "modulo": modulo,
    "to_int": to_int,
    "item": item,
    "equal": equal,
    "member": member,
    "one": one,
    "timestamp": timestamp,
    "duration": duration,
    "matches": matches,
    "timestamp_part": times.timestamp_part,
    "duration_part": times.duration_part,
    "double": float,
    "size": len,
    "any": any,
    "all": all,
    "tuple": tuple,
}
