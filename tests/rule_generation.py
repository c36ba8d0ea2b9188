"""Random rules that the language allows, and random contacts to ask them about."""

import random
from typing import Any, Final

from catalog_store.records import Attribute, AttributeType
from compiler.runtime.history import PROPOSITION, PROPOSITION_FIELDS, History
from compiler.runtime.values import MISSING
from compiler.schema import Schema

_SCALARS: Final = ("bool", "int", "double", "string", "timestamp", "duration")
_LISTS: Final = ("list(bool)", "list(int)", "list(double)", "list(string)")

#: Two attributes of each type in the contact, one in the context.
SCHEMA: Final = Schema.of(
    tuple(
        Attribute(name=f"{prefix}{index}", type=AttributeType(type_))
        for index, type_ in enumerate(_SCALARS + _LISTS)
        for prefix in ("a", "b")
    ),
    tuple(
        Attribute(name=f"c{index}", type=AttributeType(type_))
        for index, type_ in enumerate(_SCALARS)
    ),
)
_ATTRIBUTES: Final = [
    (f"{record}.{attribute.name}", str(attribute.type))
    for record, attributes in (("contact", SCHEMA.contact), ("context", SCHEMA.context))
    for attribute in attributes
]
_INT64_MAX: Final = 2**63 - 1
_VALUES: Final[dict[str, list[Any]]] = {
    "bool": [True, False],
    "int": [0, 1, 2, -1, -7, 7, 3, _INT64_MAX, -_INT64_MAX - 1, 4_000_000_000],
    "double": [0.0, -0.0, 1.5, -2.25, 1e308, 5e-324, 9.3e18, 3.0, float("nan")],
    "string": ["", "a", "ab", "b", "é", "€", "\U00010348", "A", "it's", '"q"', "a\nb"],
    # 2026-03-29T00:59:59.999999Z is a microsecond before Paris turns its clocks.
    # The second day of the year 1: no zone reaches back into the year 0 from there.
    "timestamp": [0, 1_774_745_999_999_999, -62_135_500_000_000_000, 253 * 10**15],
    "duration": [0, 1, -1_500_000, 3_600_000_000, 9_223_372_030_000_000],
}
_LITERALS: Final = {
    "bool": ["true", "false"],
    "int": ["0", "1", "2", "-1", "7", "-7", "9223372036854775807", "0x1F"],
    "double": ["0.0", "1.5", "-2.25", "1e308", "3.0", "(0.0 / 0.0)", "(-1.0 / 0.0)"],
    "string": ["''", "'a'", "'ab'", "'é'", "'€'", "'it\\'s'", "r'a'", "'\\U00010348'"],
    "timestamp": [
        "timestamp('2026-03-29T01:00:00Z')",
        "timestamp('0001-01-01T00:00:00Z')",
        "timestamp('9999-12-31T23:59:59.999999Z')",
    ],
    "duration": ["duration('1h')", "duration('-1.5s')", "duration('2562047h')"],
}
_PARTS: Final = ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek")
_CLOCK_PARTS: Final = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")
#: Zones that never leave the years 1 to 9999 within the values above.
_ZONES: Final = ("", "", "'UTC'", "'Europe/Paris'", "'America/New_York'", "'+05:30'")


class RuleGenerator:
    """Rules of a given type, nested to a given depth, from one random stream."""

    def __init__(self, stream: random.Random) -> None:
        self._stream = stream
        #: Variables in scope and their types.
        self._variables: list[tuple[str, str]] = []

    def contact(self) -> tuple[Any, ...]:
        return tuple(self._slot(str(attribute.type)) for attribute in SCHEMA.contact)

    def context(self) -> tuple[Any, ...]:
        return tuple(self._slot(str(attribute.type)) for attribute in SCHEMA.context)

    def history(self) -> History:
        """A few propositions, their values as odd as those of attributes."""
        count = self._stream.randrange(4)
        return tuple([self._proposition() for _ in range(count)])

    def rule(self, type_: str, depth: int) -> str:
        """An expression of a type, `bool` say."""
        stream = self._stream
        if depth == 0 or stream.random() < 0.1:
            return self._leaf(type_)
        if type_.startswith("list("):
            return self._list(type_, depth - 1)
        choices = {
            "bool": self._bool,
            "int": self._int,
            "double": self._double,
            "string": self._string,
            "timestamp": self._timestamp,
            "duration": self._duration,
        }
        if stream.random() < 0.08:
            condition = self.rule("bool", depth - 1)
            branches = [self.rule(type_, depth - 1) for _ in range(2)]
            return f"({condition} ? {branches[0]} : {branches[1]})"
        if stream.random() < 0.06:
            return f"{self._list(f'list({type_})', depth - 1)}[{self._index(depth)}]"
        return choices[type_](depth - 1)

    def _proposition(self) -> Any:
        types = [type_ for _, type_ in PROPOSITION_FIELDS]
        return tuple([self._stream.choice(_VALUES[type_]) for type_ in types])

    def _slot(self, type_: str) -> Any:
        chance = self._stream.random()
        if chance < 0.15:
            return MISSING
        # A list is never null: CEL cannot compare one with null.
        if type_.startswith("list("):
            values = _VALUES[type_[5:-1]]
            return tuple(self._stream.choices(values, k=self._stream.randrange(4)))
        return None if chance < 0.25 else self._stream.choice(_VALUES[type_])

    def _leaf(self, type_: str) -> str:
        stream = self._stream
        known = [name for name, held in self._variables if held == type_]
        known += [
            f"{name}.{field}"
            for name, held in self._variables
            if held == PROPOSITION
            for field, field_type in PROPOSITION_FIELDS
            if field_type == type_
        ]
        known += known
        if stream.random() < 0.15:
            known += self._history_leaves(type_)
        known += [name for name, held in _ATTRIBUTES if held == type_]
        if type_.startswith("list("):
            known.append(f"[{stream.choice(_LITERALS[type_[5:-1]])}]")
            return stream.choice(known)
        return stream.choice([*known, stream.choice(_LITERALS[type_])])

    def _history_leaves(self, type_: str) -> list[str]:
        leaves = [
            f"history[{self._stream.randrange(-1, 3)}].{field}"
            for field, field_type in PROPOSITION_FIELDS
            if field_type == type_
        ]
        return [*leaves, "size(history)"] if type_ == "int" else leaves

    def _list(self, type_: str, depth: int) -> str:
        stream, element = self._stream, type_[5:-1]
        match stream.randrange(4):
            case 0 if depth > 0:
                left, right = (self.rule(type_, depth - 1) for _ in range(2))
                return f"({left} + {right})"
            case 1:
                items = [self.rule(element, max(depth - 1, 0)) for _ in range(2)]
                return f"[{', '.join(items)}]"
            case 2:
                return f"[{', '.join(stream.choices(_LITERALS[element], k=3))}]"
            case _:
                leaf = self._leaf(type_) if type_ in _LISTS else self._leaf(element)
                return leaf if type_ in _LISTS else f"[{leaf}]"

    def _index(self, depth: int) -> str:
        if self._stream.random() < 0.7:
            return self._stream.choice(["0", "1", "-1", "2"])
        return self.rule("int", max(depth - 2, 0))

    def _scalar(self) -> str:
        return self._stream.choice(_SCALARS)

    def _pair(self, type_: str, depth: int) -> tuple[str, str]:
        return self.rule(type_, depth), self.rule(type_, depth)

    def _bool(self, depth: int) -> str:
        stream = self._stream
        match stream.randrange(13):
            case 0 | 1 | 2:
                left, right = self._pair("bool", depth)
                return f"({left} {stream.choice(['&&', '||'])} {right})"
            case 3:
                return f"!({self.rule('bool', depth)})"
            case 4 | 5:
                left, right = self._pair(self._scalar(), depth)
                operator = stream.choice(["==", "!=", "<", "<=", ">", ">="])
                return f"({left} {operator} {right})"
            case 6:
                left, right = self._pair(stream.choice(_LISTS), depth)
                return f"({left} {stream.choice(['==', '!='])} {right})"
            case 7:
                element = self._scalar()
                elements = self._list(f"list({element})", depth)
                return f"({self.rule(element, depth)} in {elements})"
            case 8:
                name = stream.choice(_ATTRIBUTES)[0]
                return f"has({name})"
            case 9:
                scalars = [name for name, held in _ATTRIBUTES if held in _SCALARS]
                return f"({stream.choice(scalars)} {stream.choice(['==', '!='])} null)"
            case 10:
                left, right = self._pair("string", depth)
                method = stream.choice(["startsWith", "endsWith", "contains"])
                return f"({left}).{method}({right})"
            case 11:
                pattern = stream.choice(["a", "^$", "[ab]+$", "(?i)A", "\\\\pL"])
                return f"({self.rule('string', depth)}).matches('{pattern}')"
            case _:
                return self._macro(depth)

    def _macro(self, depth: int) -> str:
        if len(self._variables) == 2:
            return self._leaf("bool")
        macro = self._stream.choice(["all", "exists", "exists_one"])
        range_, element = self._range(depth)
        with_variable = self._body(element, "bool", depth)
        return f"{range_}.{macro}({with_variable})"

    def _range(self, depth: int) -> tuple[str, str]:
        """A list to walk, perhaps filtered or mapped, and its elements' type."""
        element = self._scalar()
        if self._stream.random() < 0.4:
            element, range_ = PROPOSITION, self._history_list()
        else:
            range_ = self._list(f"list({element})", depth)
        match self._stream.randrange(5):
            case 0:
                return f"{range_}.filter({self._body(element, 'bool', depth)})", element
            case 1:
                mapped = self._scalar()
                body = self._body(element, mapped, depth)
                return f"{range_}.map({body})", mapped
            case _:
                return range_, element

    def _history_list(self) -> str:
        return self._stream.choice(
            ["history", "history", "(history + history)", "[history[0], history[1]]"]
        )

    def _body(self, element: str, type_: str, depth: int) -> str:
        name = f"v{len(self._variables)}"
        self._variables.append((name, element))
        body = self.rule(type_, depth)
        self._variables.pop()
        return f"{name}, {body}"

    def _int(self, depth: int) -> str:
        stream = self._stream
        match stream.randrange(8):
            case 0 | 1 | 2:
                left, right = self._pair("int", depth)
                return f"({left} {stream.choice('+-*/%')} {right})"
            case 3:
                return f"(-({self.rule('int', depth)}))"
            case 4:
                kind = stream.choice(["string", *_LISTS])
                return f"size({self.rule(kind, depth)})"
            case 5:
                if len(self._variables) == 2:
                    return self._leaf("int")
                return f"size({self._range(depth)[0]})"
            case 6:
                return f"int({self.rule(stream.choice(['int', 'double']), depth)})"
            case _:
                if stream.random() < 0.3:
                    part = stream.choice(_CLOCK_PARTS)
                    return f"({self.rule('duration', depth)}).{part}()"
                part = stream.choice([*_PARTS, "getDayOfYear", *_CLOCK_PARTS])
                # Not computed: near the years 1 and 9999 only CEL goes on counting.
                moment = stream.choice(["context.c4", "contact.a4", "contact.b4"])
                return f"{moment}.{part}({stream.choice(_ZONES)})"

    def _double(self, depth: int) -> str:
        match self._stream.randrange(6):
            case 0:
                return f"(-({self.rule('double', depth)}))"
            case 1:
                return f"double({self.rule('int', depth)})"
            case _:
                left, right = self._pair("double", depth)
                return f"({left} {self._stream.choice('+-*/')} {right})"

    def _string(self, depth: int) -> str:
        left, right = self._pair("string", depth)
        return f"({left} + {right})"

    def _timestamp(self, depth: int) -> str:
        moment, span = self.rule("timestamp", depth), self.rule("duration", depth)
        match self._stream.randrange(3):
            case 0:
                return f"({moment} - {span})"
            case 1:
                return f"({span} + {moment})"
            case _:
                return f"({moment} + {span})"

    def _duration(self, depth: int) -> str:
        kind = self._stream.choice(["timestamp", "duration"])
        left, right = self._pair(kind, depth)
        if kind == "timestamp":
            return f"({left} - {right})"
        return f"({left} {self._stream.choice('+-')} {right})"
