"""The exact meaning of a rule: slow, and the judge of what generated code answers.

`&&`, `||`, all() and exists() are commutative and absorb errors: an operand that
decides wins over one that fails.

    a && b     b=true   b=false  b=error       a || b     b=true   b=false  b=error
    a=true     true     false    error         a=true     true     true     true
    a=false    false    false    false         a=false    true     false    error
    a=error    error    false    error         a=error    true     error    error

An absent attribute is an error wherever it is used, except in has(). Null is a value:
`==`, `!=`, `in` and lists take it, everything else is an error. A rule's result is a
bool, or a double; null is an error.
"""

import operator
from collections.abc import Callable
from typing import Any, Final, cast

from compiler.runtime import times, values
from compiler.runtime.history import History
from compiler.runtime.tree import Node, Op, Tree, slot_of
from compiler.runtime.values import MISSING, RuleError

#: The two records of attributes, flat and in declared order.
Slots = tuple[Any, ...]


class EvaluationError(Exception):
    """A rule has no answer, and why.

    `span` is what failed, in the source numbered `source` of the rule's tree.
    `attribute` is the one to blame, `contact.age` say, or None; `value` is what it
    held: MISSING, None, or a value that the operation cannot take.
    """

    def __init__(
        self,
        message: str,
        span: tuple[int, int],
        source: int,
        attribute: str | None,
        value: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.source = source
        self.attribute = attribute
        self.value = value


def evaluate(
    tree: Tree, contact: Slots, context: Slots, history: History = ()
) -> bool | float:
    """The rule's answer; raises EvaluationError, and nothing else, if it has none."""
    return cast("bool | float", evaluate_any(tree, contact, context, history))


def evaluate_any(
    tree: Tree, contact: Slots, context: Slots, history: History
) -> bool | float | str:
    """The same of a tree of any type: what is stored may be a text."""
    evaluation = _Evaluation(contact, context, history)
    root = tree.root
    try:
        if root.type.startswith("bool"):
            return evaluation.condition(root)
        value = evaluation.operand(root)
        return float(value) if root.type.startswith("double") else value
    except EvaluationError:
        raise
    except Exception as error:
        # A slot held what its type does not allow, a lone surrogate say: no reason to
        # fail the whole call.
        raise EvaluationError(_reason(error), root.span, 0, None, None) from error


class _Evaluation:
    """One evaluation: the records, the variables in scope, the source being read."""

    def __init__(self, contact: Slots, context: Slots, history: History) -> None:
        self._records = {"contact": contact, "context": context}
        self._history = history
        self._variables: dict[int, Any] = {}
        self._source = 0

    def value(self, node: Node) -> Any:
        """What a node gives; null is None."""
        return _EVALUATE[node.op](self, node)

    def operand(self, node: Node) -> Any:
        """What a node gives, when null will not do."""
        result = _EVALUATE[node.op](self, node)
        if result is None:
            raise self._error(node, "the value is null; test it with == null")
        return result

    def condition(self, node: Node) -> bool:
        """What a node gives, when only true and false will do."""
        result = self.operand(node)
        if result is True or result is False:
            return result
        raise self._error(node, "the value is neither true nor false")

    # --- operations on values: all operands first, and most refuse null -------------

    def strict(self, node: Node) -> Any:
        operands = [self.operand(child) for child in node.children]
        try:
            return _STRICT[node.op](*operands)
        except Exception as error:
            raise self._error(node, _reason(error)) from None

    def equality(self, node: Node) -> bool:
        left, right = (self.value(child) for child in node.children)
        return values.equal(left, right) is (node.op is Op.EQ)

    def membership(self, node: Node) -> bool:
        element = self.value(node.children[0])
        return values.member(element, self.operand(node.children[1]))

    def arithmetic(self, node: Node) -> Any:
        """Operations whose result may be out of the range of its type."""
        result = self.strict(node)
        check = _RANGE.get(node.type)
        try:
            return result if check is None else check(result)
        except RuleError as error:
            raise self._error(node, str(error)) from None

    def matches(self, node: Node) -> bool:
        return values.matches(self.operand(node.children[0]), str(node.value))

    def part(self, node: Node) -> int:
        subject = node.children[0]
        micros = self.operand(subject)
        function, zone = _texts(node)
        try:
            if subject.type.startswith("duration"):
                return times.duration_part(micros, function)
            return times.timestamp_part(micros, function, zone)
        except Exception as error:
            raise self._error(node, _reason(error)) from None

    # --- what is read ---------------------------------------------------------------

    def constant(self, node: Node) -> Any:
        return node.value

    def slot(self, node: Node) -> Any:
        # PERF: not slot_of(), which checks what decode() has checked already.
        stored: Any = node.value
        record, index, name = stored
        result = self._records[record][index]
        if result is MISSING:
            raise self._error(node, f"attribute {record}.{name} is absent")
        return result

    def present(self, node: Node) -> bool:
        record, index, _ = slot_of(node)
        return self._records[record][index] is not MISSING

    def variable(self, node: Node) -> Any:
        return self._variables[_number(node)]

    def history(self, node: Node) -> History:
        return self._history

    def field(self, node: Node) -> Any:
        stored: Any = node.value
        return self.operand(node.children[0])[stored[0]]

    def elements(self, node: Node) -> tuple[Any, ...]:
        return tuple([self.value(child) for child in node.children])

    # --- what decides which operands are asked --------------------------------------

    def choice(self, node: Node) -> Any:
        condition, then, otherwise = node.children
        return self.value(then if self.condition(condition) else otherwise)

    def absorbing(self, node: Node) -> bool:
        decisive = node.op is Op.OR
        first_error: EvaluationError | None = None
        for child in node.children:
            try:
                if self.condition(child) is decisive:
                    return decisive
            except EvaluationError as error:
                first_error = first_error or error
        if first_error is not None:
            try:
                raise first_error
            finally:
                # PERF: its traceback holds this frame, and so all that the call reads,
                # until the collector of garbage comes: 51 objects a call of the bank.
                del first_error
        return not decisive

    def quantified(self, node: Node) -> bool:
        range_, predicate = node.children
        decisive = node.op is Op.EXISTS
        first_error: EvaluationError | None = None
        for element in self.operand(range_):
            try:
                if self._with(node, element, predicate, asks=True) is decisive:
                    return decisive
            except EvaluationError as error:
                first_error = first_error or error
        if first_error is not None:
            try:
                raise first_error
            finally:
                del first_error
        return not decisive

    def one(self, node: Node) -> bool:
        return len(self.kept(node)) == 1

    def kept(self, node: Node) -> tuple[Any, ...]:
        range_, predicate = node.children
        return tuple(
            [
                element
                for element in self.operand(range_)
                if self._with(node, element, predicate, asks=True)
            ]
        )

    def mapped(self, node: Node) -> tuple[Any, ...]:
        range_, body = node.children
        return tuple(
            [
                self._with(node, element, body, asks=False)
                for element in self.operand(range_)
            ]
        )

    def segment(self, node: Node) -> bool:
        outer = self._source
        stored: Any = node.value
        self._source = stored[1]
        try:
            return self.condition(node.children[0])
        finally:
            self._source = outer

    def _with(self, node: Node, element: Any, body: Node, *, asks: bool) -> Any:
        number = _number(node)
        # A segment numbers its variables from 0 again, inside those of its user.
        outer = self._variables.get(number)
        self._variables[number] = element
        try:
            return self.condition(body) if asks else self.value(body)
        finally:
            self._variables[number] = outer

    def _error(self, node: Node, message: str) -> EvaluationError:
        attribute, value = self._blamed(node)
        return EvaluationError(message, node.span, self._source, attribute, value)

    def _blamed(self, node: Node) -> tuple[str | None, Any]:
        """The attribute that an operation read directly, a null one first."""
        blamed: tuple[str | None, Any] = (None, None)
        for slot in (node, *node.children):
            if slot.op is Op.SLOT:
                record, index, name = slot_of(slot)
                value = self._records[record][index]
                if blamed[0] is None or value is None:
                    blamed = (f"{record}.{name}", value)
        return blamed


def _division(left: Any, right: Any) -> Any:
    if isinstance(left, float):
        return values.divide_double(left, right)
    return values.divide(left, right)


def _reason(error: Exception) -> str:
    if isinstance(error, RuleError):
        return str(error)
    return f"the values do not fit: {error}"


def _number(node: Node) -> int:
    assert isinstance(node.value, int)
    return node.value


def _texts(node: Node) -> tuple[str, str]:
    assert isinstance(node.value, tuple)
    return str(node.value[0]), str(node.value[1])


#: What a sum or product must be checked for, by its type.
_RANGE: Final[dict[str, Callable[[Any], Any]]] = {
    "int": values.int64,
    "timestamp": values.timestamp,
    "duration": values.duration,
}
_STRICT: Final[dict[Op, Callable[..., Any]]] = {
    Op.NOT: operator.not_,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.ADD: operator.add,
    Op.SUB: operator.sub,
    Op.MUL: operator.mul,
    Op.DIV: _division,
    Op.MOD: values.modulo,
    Op.NEGATE: operator.neg,
    Op.INDEX: values.item,
    Op.SIZE: len,
    Op.STARTS_WITH: str.startswith,
    Op.ENDS_WITH: str.endswith,
    Op.CONTAINS: operator.contains,
    Op.INT: values.to_int,
    Op.DOUBLE: float,
}
_EVALUATE: Final[dict[Op, Callable[[_Evaluation, Node], Any]]] = {
    **dict.fromkeys(_STRICT, _Evaluation.strict),
    **dict.fromkeys((Op.ADD, Op.SUB, Op.MUL, Op.NEGATE), _Evaluation.arithmetic),
    **dict.fromkeys((Op.EQ, Op.NE), _Evaluation.equality),
    Op.IN: _Evaluation.membership,
    Op.MATCHES: _Evaluation.matches,
    Op.PART: _Evaluation.part,
    Op.CONSTANT: _Evaluation.constant,
    Op.SLOT: _Evaluation.slot,
    Op.PRESENT: _Evaluation.present,
    Op.VARIABLE: _Evaluation.variable,
    Op.HISTORY: _Evaluation.history,
    Op.FIELD: _Evaluation.field,
    Op.LIST: _Evaluation.elements,
    Op.IF: _Evaluation.choice,
    **dict.fromkeys((Op.AND, Op.OR), _Evaluation.absorbing),
    **dict.fromkeys((Op.ALL, Op.EXISTS), _Evaluation.quantified),
    Op.ONE: _Evaluation.one,
    Op.FILTER: _Evaluation.kept,
    Op.MAP: _Evaluation.mapped,
    Op.SEGMENT: _Evaluation.segment,
}
