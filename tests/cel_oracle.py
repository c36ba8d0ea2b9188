"""CEL as its reference implementation in C++ evaluates it: the judge of our back end.

Rules are checked as in the compiler and then run with maps in place of messages, so
that an absent attribute is an error and null is a value.
"""

from collections.abc import Mapping
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf import duration_pb2, timestamp_pb2

from catalog_store.records import Attribute, AttributeType
from compiler.check import front_end
from compiler.runtime.history import PROPOSITION_FIELDS, History
from compiler.runtime.values import MISSING
from compiler.schema import Schema

#: The oracle says only that there is no answer; which error it was is our business.
NO_ANSWER: Final = "no answer"


_PROPOSITION: Final = tuple(
    Attribute(name=name, type=AttributeType(type_))
    for name, type_ in PROPOSITION_FIELDS
)


class Oracle:
    """Evaluates rules of one schema, without segments."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._checker = front_end(schema)
        record = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        self._expressions: dict[str, Any] = {}
        self._runtime = cel.NewEnv(
            variables={
                "contact": record,
                "context": record,
                "history": cel.Type.List(record),
            }
        )

    def evaluate(
        self,
        text: str,
        contact: tuple[Any, ...],
        context: tuple[Any, ...],
        history: History = (),
    ) -> bool | float | str:
        """A bool, a float, or NO_ANSWER; ints become floats, as in a formula."""
        expression = self._expressions.get(text)
        if expression is None:
            checked = self._checker.compile(text)
            expression = self._runtime.deserialize(checked.serialize())
            self._expressions[text] = expression
        result = expression.eval(
            data={
                "contact": _record(self._schema.contact, contact),
                "context": _record(self._schema.context, context),
                "history": [_record(_PROPOSITION, past) for past in history],
            }
        )
        # value() of a null gives away a reference that it does not own, and five
        # thousand of those abort Python 3.11: only these three are ever asked.
        if result.type() == cel.Type.BOOL:
            return bool(result.value())
        if result.type() in (cel.Type.INT, cel.Type.DOUBLE):
            return float(result.value())
        return NO_ANSWER


def _record(
    attributes: tuple[Attribute, ...], slots: tuple[Any, ...]
) -> Mapping[str, Any]:
    return {
        attribute.name: _value(attribute.type, value)
        for attribute, value in zip(attributes, slots, strict=True)
        if value is not MISSING
    }


def _value(type_: AttributeType, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return list(value)
    if type_ is AttributeType.TIMESTAMP:
        message = timestamp_pb2.Timestamp()
        message.FromMicroseconds(value)
        return message
    if type_ is AttributeType.DURATION:
        message = duration_pb2.Duration()
        message.FromMicroseconds(value)
        return message
    return value
