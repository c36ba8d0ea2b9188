"""The CEL front end: names, types and limits. The only module that knows its library.

Attributes are declared as fields of messages with nullable wrappers, so that has() and
`== null` mean what they say; rules then run with the semantics of maps, where an absent
attribute is an error and not a zero. The library's runtime is never used.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

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
from compiler.checked_expr import Expr, read_checked_expr
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
    SEGMENT_RECORD,
    Schema,
)
from compiler.source import Diagnostic, Refused, Source, Span
from compiler.types import ERROR, shown, strip


class Kind(StrEnum):
    """What a rule's result is for."""

    #: True or false: who is eligible.
    CONDITION = "condition"
    #: A number that ranks an offer; an int becomes a double.
    FORMULA = "formula"


def check(source: Source, schema: Schema, kind: Kind) -> Node:
    """The rule as a tree in which segments are not yet expanded.

    Raises Refused with every diagnostic.
    """
    _check_text(source)
    positions = Positions(source)
    lowering = Lowering(positions, schema)
    root = lowering.lower(_checked(positions, schema))
    found = lowering.diagnostics
    if root.type != ERROR:
        found.extend(_check_result(source, root, kind))
    if found:
        raise Refused(found)
    if kind is Kind.FORMULA and strip(root.type) == "int":
        return Node(Op.DOUBLE, "double", root.span, (root,))
    return root


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
    if kind is Kind.CONDITION and result != "bool":
        yield diagnostics.condition_not_bool(source, span, shown(root.type))
    if kind is Kind.FORMULA and result not in ("int", "double"):
        yield diagnostics.formula_not_number(source, span, shown(root.type))


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
