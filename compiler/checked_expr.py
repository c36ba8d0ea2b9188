"""The front end's answer, `cel.expr.CheckedExpr`, as Python values.

The message types are described here, field by field as their specification numbers
them, and only as far as they are read: unknown fields are skipped. So there is no
generated code, and nothing that claims the import name `cel`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "propono.front_end"
#: Message -> field -> (number, scalar type or message name); `*` is repeated.
_MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "CheckedExpr": {"expr": (4, "Expr"), "source_info": (5, "SourceInfo")},
    "SourceInfo": {"positions*": (4, "Position")},
    # A map field is a repeated message of keys and values.
    "Position": {"key": (1, _Field.TYPE_INT64), "value": (2, _Field.TYPE_INT32)},
    "Expr": {
        "id": (2, _Field.TYPE_INT64),
        "constant": (3, "Constant"),
        "ident": (4, "Ident"),
        "select": (5, "Select"),
        "call": (6, "Call"),
        "list": (7, "List"),
        "struct": (8, "Struct"),
        "comprehension": (9, "Comprehension"),
    },
    "Constant": {
        "null": (1, _Field.TYPE_INT32),
        "bool": (2, _Field.TYPE_BOOL),
        "int64": (3, _Field.TYPE_INT64),
        "uint64": (4, _Field.TYPE_UINT64),
        "double": (5, _Field.TYPE_DOUBLE),
        "string": (6, _Field.TYPE_STRING),
        "bytes": (7, _Field.TYPE_BYTES),
    },
    "Ident": {"name": (1, _Field.TYPE_STRING)},
    "Select": {
        "operand": (1, "Expr"),
        "field": (2, _Field.TYPE_STRING),
        "test_only": (3, _Field.TYPE_BOOL),
    },
    "Call": {
        "target": (1, "Expr"),
        "function": (2, _Field.TYPE_STRING),
        "args*": (3, "Expr"),
    },
    "List": {"elements*": (1, "Expr")},
    "Struct": {"message_name": (1, _Field.TYPE_STRING)},
    "Comprehension": {
        "iter_var": (1, _Field.TYPE_STRING),
        "iter_range": (2, "Expr"),
        "accu_var": (3, _Field.TYPE_STRING),
        "accu_init": (4, "Expr"),
        "loop_condition": (5, "Expr"),
        "loop_step": (6, "Expr"),
        "result": (7, "Expr"),
    },
}


class Constant(NamedTuple):
    """`kind` is a field of the Constant message, `uint64` say."""

    offset: int
    kind: str
    value: bool | int | float | str | bytes | None


class Ident(NamedTuple):
    offset: int
    name: str


class Select(NamedTuple):
    """`operand.field`, or `has(operand.field)` if `test_only`."""

    offset: int
    operand: "Expr"
    field: str
    test_only: bool


class Call(NamedTuple):
    """A function or operator; a method's target is the first of `args`."""

    offset: int
    function: str
    args: "tuple[Expr, ...]"
    is_method: bool


class ListOf(NamedTuple):
    offset: int
    elements: "tuple[Expr, ...]"


class Struct(NamedTuple):
    """A map, or a message if it has a name."""

    offset: int
    message_name: str


class Comprehension(NamedTuple):
    """What a macro became: a fold of `step` over `range` from `initial`."""

    offset: int
    variable: str
    range: "Expr"
    accumulator: str
    initial: "Expr"
    step: "Expr"
    result: "Expr"


Expr = Constant | Ident | Select | Call | ListOf | Struct | Comprehension


def read_checked_expr(serialized: bytes) -> Expr:
    """The expression in a serialized Any that holds a CheckedExpr.

    Raises google.protobuf.message.DecodeError when it is something else.
    """
    expr, offsets = _opened(serialized)
    return _read(expr, offsets, 0)


def read_checked_list(serialized: bytes, starts: Sequence[int]) -> list[Expr]:
    """The elements of an expression that is a list, each as if it stood alone.

    `starts` are the offsets at which they begin in the text. Raises DecodeError, and
    ValueError when there are not as many elements, or one is not where it should be.
    """
    expr, offsets = _opened(serialized)
    elements = [
        _read(element, offsets, start)
        for element, start in zip(expr.list.elements, starts, strict=True)
    ]
    return elements


def _opened(serialized: bytes) -> tuple[Any, dict[int, int]]:
    envelope = any_pb2.Any.FromString(serialized)
    checked: Any = _CHECKED_EXPR.FromString(envelope.value)
    positions = checked.source_info.positions
    return checked.expr, {entry.key: entry.value for entry in positions}


def _read(expr: Any, offsets: Mapping[int, int], start: int) -> Expr:
    offset = offsets.get(expr.id, 0) - start
    # Fields come in order of their numbers, and the id's is the lowest.
    kind, fields = expr.ListFields()[-1]
    match kind.name:
        case "constant":
            field, value = fields.ListFields()[0]
            return Constant(offset, field.name, None if field.name == "null" else value)
        case "ident":
            return Ident(offset, fields.name)
        case "select":
            operand = _read(fields.operand, offsets, start)
            return Select(offset, operand, fields.field, fields.test_only)
        case "call":
            args = [_read(arg, offsets, start) for arg in fields.args]
            is_method = fields.HasField("target")
            if is_method:
                args.insert(0, _read(fields.target, offsets, start))
            return Call(offset, fields.function, tuple(args), is_method)
        case "list":
            elements = [_read(one, offsets, start) for one in fields.elements]
            return ListOf(offset, tuple(elements))
        case "struct":
            return Struct(offset, fields.message_name)
        case _:
            return Comprehension(
                offset,
                fields.iter_var,
                _read(fields.iter_range, offsets, start),
                fields.accu_var,
                _read(fields.accu_init, offsets, start),
                _read(fields.loop_step, offsets, start),
                _read(fields.result, offsets, start),
            )


def _message_class(name: str) -> type[Message]:
    file = descriptor_pb2.FileDescriptorProto(
        name="propono/front_end.proto", package=_PACKAGE, syntax="proto2"
    )
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for field_name, (number, kind) in fields.items():
            repeated = field_name.endswith("*")
            field = message.field.add(
                name=field_name.rstrip("*"),
                number=number,
                label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
            )
            if isinstance(kind, str):
                field.type = _Field.TYPE_MESSAGE
                field.type_name = f".{_PACKAGE}.{kind}"
            else:
                field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
    return message_factory.GetMessageClass(descriptor)


_CHECKED_EXPR = _message_class("CheckedExpr")
