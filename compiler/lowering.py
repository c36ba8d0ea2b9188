"""The front end's checked expression as our own tree, or why it is outside the subset.

The front end has already proved that names exist and operands fit. What it allows and
rules do not is refused here, each with what to write instead: other types, mixed types
(which CEL would leave to run time), functions, and lists that grow without a bound.
"""

from typing import Final

from compiler import diagnostics
from compiler.calls import ADVICE, COMPARISONS, FOLDED, FUNCTIONS, call_type
from compiler.checked_expr import (
    Call,
    Comprehension,
    Constant,
    Expr,
    Ident,
    ListOf,
    Select,
    Struct,
)
from compiler.constants import Constants
from compiler.positions import Positions
from compiler.runtime.history import PROPOSITION, field_slot
from compiler.runtime.tree import (
    COMPREHENSION_DEPTH_MAX,
    Node,
    Op,
    Value,
    element_type,
)
from compiler.schema import (
    HISTORY_NAME,
    PROPOSITION_NAME,
    SEGMENT_RECORD,
    Schema,
)
from compiler.source import Diagnostic, Span
from compiler.types import ERROR, NEVER, join, shown, strip

_RECORDS: Final = ("contact", "context", SEGMENT_RECORD)
_CONSTANT_TYPES: Final = {
    "null": "null",
    "bool": "bool",
    "int64": "int",
    "double": "double",
    "string": "string",
}


class Lowering:
    """Lowers one expression; `diagnostics` says what could not be."""

    def __init__(
        self, positions: Positions, schema: Schema, *, of_proposition: bool = False
    ) -> None:
        """`of_proposition` is of rules about one proposition, not about the history."""
        self._of_proposition = of_proposition
        self.diagnostics: list[Diagnostic] = []
        self._positions = positions
        self._source = positions.source
        self._schema = schema
        self._constants = Constants(positions, self.diagnostics)
        #: Variables in scope, outermost first, and the types of their values.
        self._variables: list[tuple[str, str]] = []

    def lower(self, expr: Expr) -> Node:
        """The tree; its type is ERROR wherever a diagnostic was made."""
        match expr:
            case Constant():
                return self._constant(expr)
            case Ident():
                return self._ident(expr)
            case Select():
                return self._select(expr)
            case Call():
                return self._call(expr)
            case ListOf():
                return self._list(expr)
            case Struct():
                what = "a message" if expr.message_name else "a map"
                return self._unsupported(
                    self._positions.token_at(expr.offset), what, "declare attributes"
                )
            case Comprehension():
                node = self._comprehension(expr)
                if node.op in (Op.FILTER, Op.MAP):
                    return self._error(
                        diagnostics.list_as_value(
                            self._source, Span(*node.span), node.op
                        )
                    )
                return node

    def _list_operand(self, expr: Expr) -> Node:
        """Where filter() and map() may stand: their lists are walked, not kept."""
        if isinstance(expr, Comprehension):
            return self._comprehension(expr)
        return self.lower(expr)

    def _constant(self, expr: Constant) -> Node:
        span = self._positions.token_at(expr.offset)
        if self._positions.text(span) == "-":
            span = Span(span.start, self._positions.token_after(expr.offset).stop)
        if expr.kind == "uint64":
            return self._unsupported(span, "an unsigned int", "leave out the u")
        if expr.kind == "bytes" or isinstance(expr.value, bytes):
            return self._unsupported(span, "bytes", "leave out the b")
        return _constant_node(_CONSTANT_TYPES[expr.kind], span, expr.value)

    def _ident(self, expr: Ident) -> Node:
        span = self._positions.named_at(expr.offset)
        depth = self._depth_of(expr.name)
        if depth is not None:
            return Node(Op.VARIABLE, self._variables[depth][1], span, value=depth)
        if expr.name in (HISTORY_NAME, PROPOSITION_NAME):
            return self._propositions(expr.name, span)
        if expr.name in _RECORDS:
            return self._error(
                diagnostics.record_as_value(self._source, span, expr.name)
            )
        return self._unsupported(
            span, f"{expr.name!r}", "compare values; types and enums are not values"
        )

    def _propositions(self, name: str, span: Span) -> Node:
        """The history, or the one proposition that the rule is about."""
        if self._of_proposition != (name == PROPOSITION_NAME):
            return self._error(diagnostics.not_known_here(self._source, span, name))
        history = Node(Op.HISTORY, f"list({PROPOSITION})", span)
        if name == HISTORY_NAME:
            return history
        first = Node(Op.CONSTANT, "int", span, value=0)
        return Node(Op.INDEX, PROPOSITION, span, (history, first))

    def _select(self, expr: Select) -> Node:
        operand = expr.operand
        is_record = isinstance(operand, Ident) and self._depth_of(operand.name) is None
        if not (isinstance(operand, Ident) and is_record and operand.name in _RECORDS):
            node = self.lower(operand)
            return self._field(expr, node)
        record = operand.name
        name_span = self._positions.token_at(operand.offset)
        if expr.test_only:
            span = self._positions.around(
                self._positions.token_before(expr.offset),
                self._positions.closed(expr.offset),
            )
        else:
            span = self._positions.around(
                name_span, self._positions.token_after(expr.offset)
            )
        if record == SEGMENT_RECORD:
            if expr.test_only:
                return self._error(diagnostics.has_needs_attribute(self._source, span))
            # Its tree is put in by compiler.segments.
            return Node(Op.SEGMENT, "bool", span, value=(expr.field, 0))
        slot, attribute_type = self._schema.slot(record, expr.field)
        value = (record, slot, expr.field)
        if expr.test_only:
            return Node(Op.PRESENT, "bool", span, value=value)
        is_list = attribute_type.startswith("list(")
        type_ = str(attribute_type) if is_list else f"{attribute_type}?"
        return Node(Op.SLOT, type_, span, value=value)

    def _field(self, expr: Select, operand: Node) -> Node:
        """A field of a proposition; nothing else that is computed has fields."""
        if operand.type == ERROR:
            return operand
        operand_span = Span(*operand.span)
        if strip(operand.type) != PROPOSITION:
            type_ = shown(operand.type)
            return self._error(
                diagnostics.no_field_here(self._source, operand_span, type_)
            )
        if expr.test_only:
            return self._error(
                diagnostics.has_needs_attribute(self._source, operand_span)
            )
        span = self._positions.around(
            operand_span, self._positions.token_after(expr.offset)
        )
        slot, type_ = field_slot(expr.field)
        return Node(Op.FIELD, type_, span, (operand,), (slot, expr.field))

    def _list(self, expr: ListOf) -> Node:
        span = self._positions.closed(expr.offset)
        children = tuple(self.lower(element) for element in expr.elements)
        if any(child.type == ERROR for child in children):
            return Node(Op.LIST, ERROR, span)
        joined = NEVER
        for child in children:
            wider = join(joined, child.type)
            if wider is None:
                types = f"{shown(joined)} and {shown(child.type)}"
                return self._error(
                    diagnostics.mixed_types(self._source, span, "this list", types)
                )
            joined = wider
        type_ = f"list({joined})"
        if all(child.op is Op.CONSTANT for child in children):
            return _constant_node(type_, span, tuple(child.value for child in children))
        return Node(Op.LIST, type_, span, children)

    def _call(self, expr: Call) -> Node:
        name = expr.function
        if name not in FUNCTIONS and name not in FOLDED:
            return self._unsupported(
                self._positions.named_at(expr.offset),
                f"{name.strip('_')}()",
                ADVICE.get(name, "docs/rules.md lists the functions"),
            )
        lower = self._list_operand if name == "size" else self.lower
        children = tuple(lower(arg) for arg in expr.args)
        span = self._call_span(expr, children)
        if any(child.type == ERROR for child in children):
            return Node(Op.CONSTANT, ERROR, span)
        if name in FOLDED:
            return self._constants.call(name, span, children)
        op = FUNCTIONS[name]
        if op in (Op.AND, Op.OR):
            children = _flattened(op, children)
        type_ = call_type(op, tuple(child.type for child in children))
        if type_ is None:
            return self._wrong_operands(name, span, children)
        return Node(op, type_, span, children)

    def _wrong_operands(
        self, name: str, span: Span, children: tuple[Node, ...]
    ) -> Node:
        op = FUNCTIONS[name]
        types = " and ".join(shown(child.type) for child in children)
        if op is Op.IF:
            types = " and ".join(shown(child.type) for child in children[1:])
        if PROPOSITION in types:
            what = "? :" if op is Op.IF else str(op)
            return self._error(
                diagnostics.wrong_operands(self._source, span, what, types)
            )
        if op in COMPARISONS or op in (Op.IF, Op.IN):
            what = "? :" if op is Op.IF else str(op)
            return self._error(diagnostics.mixed_types(self._source, span, what, types))
        if op in (Op.INT, Op.DOUBLE):
            return self._unsupported(
                span, f"{op}() of {types}", f"declare the attribute as {op}"
            )
        what = name.strip("_") if name.startswith("_") else f"{name}()"
        return self._error(diagnostics.wrong_operands(self._source, span, what, types))

    def _call_span(self, expr: Call, children: tuple[Node, ...]) -> Span:
        token = self._positions.token_at(expr.offset)
        spans = [token, *(Span(*child.span) for child in children)]
        if self._positions.text(token) in ("(", "["):
            spans.append(self._positions.closed(expr.offset))
            if not expr.is_method and self._positions.text(token) == "(":
                spans.append(self._positions.token_before(expr.offset))
        return self._positions.around(*spans)

    def _comprehension(self, expr: Comprehension) -> Node:
        op, predicate, body = _macro(expr)
        range_ = self._list_operand(expr.range)
        depth = len(self._variables)
        name_span = self._positions.token_before(expr.offset)
        span = self._positions.around(
            Span(*range_.span), name_span, self._positions.closed(expr.offset)
        )
        if depth == COMPREHENSION_DEPTH_MAX:
            return self._error(diagnostics.too_many_loops(self._source, name_span))
        if range_.type == f"list({NEVER})" and range_.op is Op.CONSTANT:
            # Nothing is known of its elements, and nothing needs to be.
            return _over_nothing(op, span)
        element = element_type(range_.type) if range_.type != ERROR else ERROR
        self._variables.append((expr.variable, element))
        try:
            condition = None if predicate is None else self.lower(predicate)
            mapped = None if body is None else self.lower(body)
        finally:
            self._variables.pop()
        lowered = [node for node in (range_, condition, mapped) if node is not None]
        if any(node.type == ERROR for node in lowered):
            return Node(Op.CONSTANT, ERROR, span)
        if condition is not None:
            type_ = range_.type if op in (Op.FILTER, Op.MAP) else "bool"
            name = Op.FILTER if op is Op.MAP else op
            range_ = Node(name, type_, span, (range_, condition), depth)
        if mapped is not None:
            type_ = f"list({mapped.type})"
            range_ = Node(Op.MAP, type_, span, (range_, mapped), depth)
        return range_

    def _depth_of(self, name: str) -> int | None:
        for depth in reversed(range(len(self._variables))):
            if self._variables[depth][0] == name:
                return depth
        return None

    def _unsupported(self, span: Span, what: str, instead: str) -> Node:
        return self._error(diagnostics.unsupported(self._source, span, what, instead))

    def _error(self, diagnostic: Diagnostic) -> Node:
        self.diagnostics.append(diagnostic)
        return Node(Op.CONSTANT, ERROR, diagnostic.span)


def _constant_node(type_: str, span: Span, value: Value) -> Node:
    return Node(Op.CONSTANT, type_, span, value=value)


def _over_nothing(op: Op, span: Span) -> Node:
    if op in (Op.FILTER, Op.MAP):
        return _constant_node(f"list({NEVER})", span, ())
    return _constant_node("bool", span, op is Op.ALL)


def _flattened(op: Op, children: tuple[Node, ...]) -> tuple[Node, ...]:
    """`a && (b && c)` is one AND of three, whatever its parentheses."""
    flat: list[Node] = []
    for child in children:
        flat.extend(child.children if child.op is op else (child,))
    return tuple(flat)


def _macro(expr: Comprehension) -> tuple[Op, Expr | None, Expr | None]:
    """Which macro a fold was: its op, its predicate, and what map() makes.

    The front end expands macros before it checks them; no rule can spell such a fold
    itself, so the shape of its step tells them apart.
    """
    step = expr.step
    assert isinstance(step, Call), step
    match step.function, expr.initial:
        case "_&&_", _:
            return Op.ALL, step.args[1], None
        case "_||_", _:
            return Op.EXISTS, step.args[1], None
        case "_?_:_", Constant():
            return Op.ONE, step.args[0], None
        case "_?_:_", _:
            predicate, grown, _ = step.args
            body = _appended(grown)
            if isinstance(body, Ident) and body.name == expr.variable:
                return Op.FILTER, predicate, None
            return Op.MAP, predicate, body
        case _:
            return Op.MAP, None, _appended(step)


def _appended(grown: Expr) -> Expr:
    assert isinstance(grown, Call), grown
    elements = grown.args[1]
    assert isinstance(elements, ListOf), elements
    return elements.elements[0]
