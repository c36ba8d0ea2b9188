"""The CEL front end: names, types and limits. The only module that knows its library.

Attributes are declared as fields of messages with nullable wrappers, so that has() and
`== null` mean what they say; rules then run with the semantics of maps, where an absent
attribute is an error and not a zero. The library's runtime is never used.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final, cast

from cel_expr_python import cel  # pyright: ignore[reportMissingTypeStubs]
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.message import DecodeError

from catalog_store.records import RULE_BYTES_MAX, AttributeType
from compiler import diagnostics
from compiler.checked_expr import Expr, read_checked_expr, read_checked_list
from compiler.front_end_errors import translated
from compiler.lowering import Lowering
from compiler.positions import Positions
from compiler.runtime.history import PROPOSITION_FIELDS
from compiler.runtime.tree import Node, Op
from compiler.schema import (
    HISTORY_NAME,
    MESSAGE_OF,
    MESSAGE_PACKAGE,
    PROPOSITION_MESSAGE,
    PROPOSITION_NAME,
    SEGMENT_RECORD,
    Schema,
)
from compiler.source import Diagnostic, Refused, Source, Span
from compiler.types import ERROR, shown, strip

#: Conditions that the front end is given at once, as a list.
_CONDITIONS_AT_ONCE: Final = 64
#: Tuples within tuples of a condition that is checked without its rule. The front end
#: stops at 32 levels, of which a rule's `&&` take up to 10.
_CONDITION_DEPTH_MAX: Final = 20


class Kind(StrEnum):
    """What a rule's result is for."""

    #: True or false: who is eligible.
    CONDITION = "condition"
    #: A number that ranks an offer; an int becomes a double.
    FORMULA = "formula"
    #: True or false of one `proposition`: whether it counts.
    COUNTED = "counted"
    #: Anything that is stored with one `proposition`.
    STORED = "stored"

    @property
    def is_of_proposition(self) -> bool:
        """Whether a rule is about one proposition, and knows no history."""
        return self in (Kind.COUNTED, Kind.STORED)


def check(source: Source, schema: Schema, kind: Kind) -> Node:
    """The rule as a tree in which segments are not yet expanded.

    Raises Refused with every diagnostic.
    """
    _check_text(source)
    positions = Positions(source)
    lowering = Lowering(positions, schema, of_proposition=kind.is_of_proposition)
    root = lowering.lower(_checked(positions, schema))
    found = lowering.diagnostics
    if root.type != ERROR:
        found.extend(_check_result(source, root, kind))
    if found:
        raise Refused(found)
    if kind is Kind.FORMULA and strip(root.type) == "int":
        return Node(Op.DOUBLE, "double", root.span, (root,))
    return root


def check_conditions(texts: Sequence[str], schema: Schema) -> list[Node | None]:
    """The tree of each condition, or None if it must be checked with its rule.

    Texts are those of `compiler.rule_parts` and use no segment; spans of the trees are
    in their own text. Whatever is wrong gives None: only `check` says what.
    """
    # PERF: the front end takes 51 us a condition in lists of 64, and 101 us one by one.
    checked: list[Node | None] = []
    for start in range(0, len(texts), _CONDITIONS_AT_ONCE):
        some = texts[start : start + _CONDITIONS_AT_ONCE]
        checked += _check_some(some, schema)
    return checked


def _check_some(texts: Sequence[str], schema: Schema) -> list[Node | None]:
    starts: list[int] = []
    end = 1
    for text in texts:
        starts.append(end)
        end += len(text) + 1
    try:
        expression = front_end(schema).compile(f"[{','.join(texts)}]")
        found = read_checked_list(expression.serialize(), starts)
    except (RuntimeError, DecodeError, ValueError):
        if len(texts) == 1:
            return [None]
        # The others of those that are with a wrong one are found in halves.
        half = len(texts) // 2
        return _check_some(texts[:half], schema) + _check_some(texts[half:], schema)
    return [_condition(*one, schema) for one in zip(texts, found, strict=True)]


def _condition(text: str, expr: Expr, schema: Schema) -> Node | None:
    if not _is_shallow(expr, _CONDITION_DEPTH_MAX):
        return None
    lowering = Lowering(Positions(Source("", text)), schema)
    root = lowering.lower(expr)
    is_sound = not lowering.diagnostics and strip(root.type) == "bool"
    return root if is_sound else None


def _is_shallow(part: tuple[object, ...], depth_max: int) -> bool:
    """Whether tuples stand in tuples so deep at most; a call is two levels."""
    return depth_max > 0 and all(
        _is_shallow(cast("tuple[object, ...]", inner), depth_max - 1)
        for inner in part
        if isinstance(inner, tuple)
    )


def _check_text(source: Source) -> None:
    if not source.text.strip():
        raise Refused([diagnostics.empty(source)])
    # No character takes less than a byte: a text of a megabyte is not looked into.
    size = len(source.text)
    if size <= RULE_BYTES_MAX:
        wrong = re.search("[\0\ud800-\udfff]", source.text)
        if wrong is not None:
            raise Refused([diagnostics.not_text(source, Span(*wrong.span()))])
        size = len(source.text.encode())
    if size > RULE_BYTES_MAX:
        raise Refused([diagnostics.too_long(source, size)])


def _check_result(source: Source, root: Node, kind: Kind) -> Iterator[Diagnostic]:
    span, result = Span(*root.span), strip(root.type)
    if kind in (Kind.CONDITION, Kind.COUNTED) and result != "bool":
        yield diagnostics.condition_not_bool(source, span, shown(root.type))
    if kind is Kind.FORMULA and result not in ("int", "double"):
        yield diagnostics.formula_not_number(source, span, shown(root.type))
    if kind is Kind.STORED and result not in ("bool", "int", "double", "string"):
        yield diagnostics.cannot_be_stored(source, span, shown(root.type))


def _checked(positions: Positions, schema: Schema) -> Expr:
    source = positions.source
    try:
        expression = front_end(schema).compile(source.text)
        return read_checked_expr(expression.serialize())
    except RuntimeError as error:
        raise Refused(translated(str(error), positions, schema)) from None
    except DecodeError:
        # Each all() or exists() is several levels of the answer: thirty of them pass
        # the front end's limit and not that of protobuf, a hundred levels.
        raise Refused([diagnostics.too_deep(source, source.whole())]) from None


# --- the declarations ---------------------------------------------------------------

_Field = descriptor_pb2.FieldDescriptorProto
_FIELD_TYPES: Final[dict[AttributeType, str | _Field.Type.ValueType]] = {
    AttributeType.BOOL: "BoolValue",
    AttributeType.INT: "Int64Value",
    AttributeType.DOUBLE: "DoubleValue",
    AttributeType.STRING: "StringValue",
    AttributeType.TIMESTAMP: "Timestamp",
    AttributeType.DURATION: "Duration",
    AttributeType.BOOL_LIST: _Field.TYPE_BOOL,
    AttributeType.INT_LIST: _Field.TYPE_INT64,
    AttributeType.DOUBLE_LIST: _Field.TYPE_DOUBLE,
    AttributeType.STRING_LIST: _Field.TYPE_STRING,
}
#: Without wrappers: no field of a proposition is ever null.
_PROPOSITION_TYPES: Final[dict[str, str | _Field.Type.ValueType]] = {
    "string": _Field.TYPE_STRING,
    "double": _Field.TYPE_DOUBLE,
    "int": _Field.TYPE_INT64,
    "timestamp": "Timestamp",
}
_WELL_KNOWN: Final = (duration_pb2, timestamp_pb2, wrappers_pb2)


# PERF: declaring twelve attributes takes 0.2 ms, as long as the front end takes for one
# rule of four conditions; a catalog has one schema for each of its environments.
@lru_cache(maxsize=16)
def front_end(schema: Schema) -> cel.Env:
    """The checker of a schema; only tests evaluate with it, to compare."""
    pool = descriptor_pool.DescriptorPool()
    for module in _WELL_KNOWN:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(_declarations(schema).SerializeToString())
    variables = {
        record: cel.Type(f"{MESSAGE_PACKAGE}.{message}")
        for record, message in MESSAGE_OF.items()
    }
    proposition = cel.Type(f"{MESSAGE_PACKAGE}.{PROPOSITION_MESSAGE}")
    variables[HISTORY_NAME] = cel.Type.List(proposition)
    variables[PROPOSITION_NAME] = proposition
    return cel.NewEnv(pool, variables=variables)


def _declarations(schema: Schema) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="rules.proto",
        package=MESSAGE_PACKAGE,
        syntax="proto2",
        dependency=[module.DESCRIPTOR.name for module in _WELL_KNOWN],
    )
    fields: dict[str, list[tuple[str, str | _Field.Type.ValueType]]] = {
        "contact": [(a.name, _FIELD_TYPES[a.type]) for a in schema.contact],
        "context": [(a.name, _FIELD_TYPES[a.type]) for a in schema.context],
        SEGMENT_RECORD: [(name, _Field.TYPE_BOOL) for name in schema.segments],
    }
    for record, declared in fields.items():
        message = file.message_type.add(name=MESSAGE_OF[record])
        # `a_b` and `a__b` have one JSON name; nothing here is ever JSON.
        message.options.deprecated_legacy_json_field_conflicts = True
        for number, (name, type_) in enumerate(declared, start=1):
            field = message.field.add(name=name, number=number)
            field.label = _Field.LABEL_OPTIONAL
            if isinstance(type_, str):
                field.type = _Field.TYPE_MESSAGE
                field.type_name = f".google.protobuf.{type_}"
            else:
                field.type = type_
                if record != SEGMENT_RECORD:
                    field.label = _Field.LABEL_REPEATED
    message = file.message_type.add(name=PROPOSITION_MESSAGE)
    for number, (name, type_name) in enumerate(PROPOSITION_FIELDS, start=1):
        field = message.field.add(name=name, number=number)
        field.label = _Field.LABEL_OPTIONAL
        declared_type = _PROPOSITION_TYPES[type_name]
        if isinstance(declared_type, str):
            field.type = _Field.TYPE_MESSAGE
            field.type_name = f".google.protobuf.{declared_type}"
        else:
            field.type = declared_type
    return file
