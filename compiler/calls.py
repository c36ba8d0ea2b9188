"""The operators and functions of the rule language, and the types they give."""

from typing import Final

from compiler.runtime.history import PROPOSITION
from compiler.runtime.times import DURATION_PARTS, TIMESTAMP_PARTS
from compiler.runtime.tree import Op, element_type
from compiler.types import NEVER, join, strip

#: Functions of constants that the compiler itself evaluates.
FOLDED: Final = frozenset(
    {"timestamp", "duration", "matches", *TIMESTAMP_PARTS, *DURATION_PARTS}
)
#: The front end's name -> our operation.
FUNCTIONS: Final[dict[str, Op]] = {
    "_&&_": Op.AND,
    "_||_": Op.OR,
    "!_": Op.NOT,
    "_?_:_": Op.IF,
    "_==_": Op.EQ,
    "_!=_": Op.NE,
    "_<_": Op.LT,
    "_<=_": Op.LE,
    "_>_": Op.GT,
    "_>=_": Op.GE,
    "@in": Op.IN,
    "_+_": Op.ADD,
    "_-_": Op.SUB,
    "_*_": Op.MUL,
    "_/_": Op.DIV,
    "_%_": Op.MOD,
    "-_": Op.NEGATE,
    "_[_]": Op.INDEX,
    "size": Op.SIZE,
    "startsWith": Op.STARTS_WITH,
    "endsWith": Op.ENDS_WITH,
    "contains": Op.CONTAINS,
    "int": Op.INT,
    "double": Op.DOUBLE,
}
#: What a rule may call, for "did you mean".
FUNCTION_NAMES: Final = tuple(
    sorted(
        {name for name in FUNCTIONS if name.isalpha()}
        | FOLDED
        | {"has", "all", "exists", "exists_one", "filter", "map"}
    )
)
#: What to write instead of CEL functions that rules do not have.
ADVICE: Final = {
    "uint": "use an int",
    "string": "compare the value itself",
    "bytes": "use a string",
    "bool": "compare the value: contact.answer == 'yes'",
    "dyn": "leave it out; declare the attribute with its type",
    "type": "declare the attribute with its type",
}
COMPARISONS: Final = frozenset({Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE})

_ORDERED = {"bool", "int", "double", "string", "timestamp", "duration"}
_ARITHMETIC: Final = {
    **{(op, kind, kind): kind for op in (Op.ADD, Op.SUB, Op.MUL, Op.DIV)
       for kind in ("int", "double")},
    (Op.MOD, "int", "int"): "int",
    (Op.ADD, "string", "string"): "string",
    (Op.ADD, "timestamp", "duration"): "timestamp",
    (Op.ADD, "duration", "timestamp"): "timestamp",
    (Op.ADD, "duration", "duration"): "duration",
    (Op.SUB, "timestamp", "timestamp"): "duration",
    (Op.SUB, "timestamp", "duration"): "timestamp",
    (Op.SUB, "duration", "duration"): "duration",
}  # fmt: skip


def call_type(op: Op, types: tuple[str, ...]) -> str | None:
    """The type of an operation, or None if rules do not have it for these types."""
    plain = tuple(strip(type_) for type_ in types)
    match op:
        case Op.AND | Op.OR | Op.NOT:
            return "bool" if set(plain) == {"bool"} else None
        case Op.IF:
            return join(types[1], types[2]) if plain[0] == "bool" else None
        case Op.EQ | Op.NE if any(PROPOSITION in type_ for type_ in types):
            return None
        case Op.EQ | Op.NE:
            return None if join(*types) is None else "bool"
        case Op.LT | Op.LE | Op.GT | Op.GE:
            return "bool" if plain[0] == plain[1] and plain[0] in _ORDERED else None
        case Op.IN:
            return _in_type(types)
        case Op.INDEX:
            return _index_type(plain)
        case Op.SIZE:
            sized = plain[0] == "string" or plain[0].startswith("list(")
            return "int" if sized else None
        case Op.STARTS_WITH | Op.ENDS_WITH | Op.CONTAINS:
            return "bool" if plain == ("string", "string") else None
        case Op.INT | Op.DOUBLE:
            return str(op) if plain[0] in ("int", "double") else None
        case Op.NEGATE:
            return plain[0] if plain[0] in ("int", "double") else None
        case Op.ADD if plain[0].startswith("list("):
            return join(*plain)
        case _:
            return _ARITHMETIC.get((op, plain[0], plain[1]))


def _in_type(types: tuple[str, ...]) -> str | None:
    if not types[1].startswith("list(") or PROPOSITION in types[1]:
        return None
    element = element_type(types[1])
    return None if join(types[0], element) is None else "bool"


def _index_type(plain: tuple[str, ...]) -> str | None:
    if not plain[0].startswith("list(") or plain[1] != "int":
        return None
    element = element_type(plain[0])
    # An element of the empty list: CEL takes it for anything, we for null.
    return "null" if element == NEVER else element
