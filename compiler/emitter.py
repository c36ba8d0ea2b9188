"""A rule's tree as a Python function, `rule(contact, context, history)`.

The function is the fast path: where Python's meaning is CEL's it is plain Python, and
elsewhere a helper of `runtime.values`. It may raise where CEL has an answer, because
the interpreter is asked then; it never answers where CEL has another answer. Two values
could slip through Python's own operators, so each has one guard:

    MISSING   raises in every operator, but could be passed on untouched: as a list's
              element, a branch, the left side of `in`. There it goes through value().
    None      raises in order and arithmetic and is right in ==, but Python takes it
              for false. Where a bool is needed it goes through boolean().

Values enter as nodes, never as text. Every node has its position in the rule, so that
a traceback underlines the rule's own words; what a segment contributes is underlined
where the rule names the segment.
"""

import ast
import re
from bisect import bisect_right
from collections.abc import Callable
from types import CodeType
from typing import Any, Final, TypedDict

from compiler.runtime.tree import Node, Op, Tree, slot_of
from compiler.types import strip

FUNCTION_NAME: Final = "rule"
ARGUMENTS: Final = ("contact", "context", "history")
_NEWLINE: Final = re.compile("\n")


class Place(TypedDict):
    """Where an ast node says it stands: lines from 1, columns in bytes of UTF-8."""

    lineno: int
    col_offset: int
    end_lineno: int
    end_col_offset: int


def emit(tree: Tree) -> CodeType:
    """The code of the rule's function; the same for the same tree, always."""
    name, text = tree.sources[0]
    return code_of_function(_function_of(tree, Emitter(text)), name)


def code_of_function(function: ast.FunctionDef, name: str) -> CodeType:
    module = ast.Module([function], [])
    # dont_inherit: this file's own __future__ imports are not the rule's.
    code = compile(module, name, "exec", dont_inherit=True, optimize=0)
    return next(const for const in code.co_consts if isinstance(const, CodeType))


def python_text(tree: Tree) -> str:
    """The same function for people to read; it is never compiled."""
    return ast.unparse(_function_of(tree, Emitter(tree.sources[0][1], shown=True)))


def _function_of(tree: Tree, emitter: "Emitter") -> ast.FunctionDef:
    """The function as an ast node, with positions."""
    if tree.root.type.startswith("bool"):
        result = emitter.condition(tree.root)
    else:
        result = emitter.number(tree.root)
    return function_around(result, emitter.place(tree.root.span))


def function_around(result: ast.expr, place: Place) -> ast.FunctionDef:
    """The function that returns an expression."""
    arguments = [ast.arg(name, **place) for name in ARGUMENTS]
    function = ast.FunctionDef(
        name=FUNCTION_NAME,
        args=ast.arguments(
            posonlyargs=[], args=arguments, kwonlyargs=[], kw_defaults=[], defaults=[]
        ),
        body=[ast.Return(result, **place)],
        decorator_list=[],
        **place,
    )
    if "type_params" in ast.FunctionDef._fields:
        function.type_params = []  # pyright: ignore[reportAttributeAccessIssue]
    return function


class Emitter:
    """Emits the nodes of one rule."""

    def __init__(self, text: str, *, shown: bool = False) -> None:
        self._text = text
        #: Whether it is for people to read.
        self._shown = shown
        self._line_starts = [0, *(found.end() for found in _NEWLINE.finditer(text))]
        #: How far a code point is a column of the first line.
        self._plain_stop = len(text) if text.isascii() and "\n" not in text else -1
        #: The span of the outermost segment being emitted, if any.
        self._segment_span: tuple[int, int] | None = None

    # --- the three ways in which a value is wanted ----------------------------------

    def plain(self, node: Node) -> ast.expr:
        """As it is; a bare slot may be MISSING, so only for operators that raise."""
        place = self.place(node.span)
        emit_special = _EMITTERS.get(node.op)
        if emit_special is not None:
            return emit_special(self, node, place)
        if node.op in _COMPARED:
            return self._comparison(node, place)
        return self._arithmetic(node, place)

    def passed_on(self, node: Node) -> ast.expr:
        """Never MISSING: for places that do not look at the value."""
        emitted = self.plain(node)
        if node.op is Op.SLOT:
            return self._call("value", [emitted], node)
        return emitted

    def condition(self, node: Node) -> ast.expr:
        """True or False, or raises: for places where Python asks for truth."""
        place = self.place(node.span)
        if node.op is Op.SLOT:
            return self._bool_slot(node, place)
        emitted = self.plain(node)
        if node.type == "bool" and node.op not in (Op.VARIABLE, Op.INDEX):
            return emitted
        return self._call("boolean", [emitted], node)

    def number(self, node: Node) -> ast.expr:
        """A float, or raises: a formula's result."""
        if node.type == "double" and node.op not in (Op.VARIABLE, Op.INDEX):
            return self.plain(node)
        return self._call("double", [self.plain(node)], node)

    # --- one method per kind of node ------------------------------------------------

    def constant(self, node: Node, place: Place) -> ast.expr:
        return _constant(node.value, place)

    def slot(self, node: Node, place: Place) -> ast.expr:
        record, index, _ = slot_of(node)
        name = ast.Name(record, ast.Load(), **place)
        key = ast.Constant(index, **place)
        return ast.Subscript(name, key, ast.Load(), **place)

    def present(self, node: Node, place: Place) -> ast.expr:
        missing = ast.Name("MISSING", ast.Load(), **place)
        return ast.Compare(self.slot(node, place), [ast.IsNot()], [missing], **place)

    def variable(self, node: Node, place: Place) -> ast.expr:
        return ast.Name(f"item{node.value}", ast.Load(), **place)

    def history(self, node: Node, place: Place) -> ast.expr:
        return ast.Name("history", ast.Load(), **place)

    def field(self, node: Node, place: Place) -> ast.expr:
        assert isinstance(node.value, tuple)
        key = _constant(node.value[0], place)
        return ast.Subscript(self.plain(node.children[0]), key, ast.Load(), **place)

    def elements(self, node: Node, place: Place) -> ast.expr:
        items = [self.passed_on(child) for child in node.children]
        return ast.Tuple(items, ast.Load(), **place)

    def logic(self, node: Node, place: Place) -> ast.expr:
        operator = ast.And() if node.op is Op.AND else ast.Or()
        operands = [self.condition(child) for child in node.children]
        return ast.BoolOp(operator, operands, **place)

    def negation(self, node: Node, place: Place) -> ast.expr:
        return ast.UnaryOp(ast.Not(), self.condition(node.children[0]), **place)

    def choice(self, node: Node, place: Place) -> ast.expr:
        condition, then, otherwise = node.children
        return ast.IfExp(
            self.condition(condition),
            self.passed_on(then),
            self.passed_on(otherwise),
            **place,
        )

    def index(self, node: Node, place: Place) -> ast.expr:
        operand, index = node.children
        constant = index.value if index.op is Op.CONSTANT else None
        if isinstance(constant, int) and constant >= 0:
            key = self.plain(index)
            return ast.Subscript(self.plain(operand), key, ast.Load(), **place)
        return self._call("item", [self.plain(operand), self.plain(index)], node)

    def affix(self, node: Node, place: Place) -> ast.expr:
        subject, part = (self.plain(child) for child in node.children)
        name = "startswith" if node.op is Op.STARTS_WITH else "endswith"
        method = ast.Attribute(subject, name, ast.Load(), **place)
        return ast.Call(method, [part], [], **place)

    def contains(self, node: Node, place: Place) -> ast.expr:
        subject, part = (self.plain(child) for child in node.children)
        return ast.Compare(part, [ast.In()], [subject], **place)

    def helper(self, node: Node, place: Place) -> ast.expr:
        """An operation that is one helper of its operands and its value."""
        name = _HELPERS[node.op]
        arguments = [self.plain(child) for child in node.children]
        if node.op is Op.MATCHES:
            arguments.append(_constant(node.value, place))
        if node.op is Op.PART:
            assert isinstance(node.value, tuple)
            function, zone = node.value
            arguments.append(ast.Constant(str(function), **place))
            if strip(node.children[0].type) == "duration":
                return self._call("duration_part", arguments, node)
            arguments.append(ast.Constant(str(zone), **place))
        return self._call(name, arguments, node)

    def comprehension(self, node: Node, place: Place) -> ast.expr:
        range_, body = node.children
        variable = f"item{node.value}"
        element: ast.expr = ast.Name(variable, ast.Load(), **place)
        tests: list[ast.expr] = []
        if node.op is Op.FILTER:
            tests = [self.condition(body)]
        elif node.op is Op.MAP:
            element = self.passed_on(body)
        else:
            element = self.condition(body)
        target = ast.Name(variable, ast.Store(), **place)
        loop = ast.comprehension(target, self.plain(range_), tests, 0)
        generated = ast.GeneratorExp(element, [loop], **place)
        # A filtered list is made in full before it is walked: CEL's is, and an error
        # in it counts even when the walk would have stopped earlier.
        return self._call(_HELPERS[node.op], [generated], node)

    def segment(self, node: Node, place: Place) -> ast.expr:
        outer = self._segment_span
        if outer is None:
            self._segment_span = node.span
        try:
            return self.condition(node.children[0])
        finally:
            self._segment_span = outer

    def _bool_slot(self, node: Node, place: Place) -> ast.expr:
        # PERF: a rule of one bool attribute takes 0.10 us so, and 0.14 us if it calls
        # boolean(x) every time (CPython 3.11, two shared cores).
        def read() -> ast.expr:
            return self.slot(node, place)

        def test(operator: ast.cmpop, value: bool) -> ast.expr:
            constant = ast.Constant(value, **place)
            return ast.Compare(read(), [operator], [constant], **place)

        guard = self._call("boolean", [read()], node)
        other = ast.BoolOp(ast.And(), [test(ast.IsNot(), False), guard], **place)
        return ast.BoolOp(ast.Or(), [test(ast.Is(), True), other], **place)

    def _comparison(self, node: Node, place: Place) -> ast.expr:
        left, right = node.children
        if node.op is Op.IN:
            return self._membership(left, right, node, place)
        if "list(" in left.type and "double" in left.type + right.type:
            # NaN within a list: Python would find it equal to itself.
            equal = self._call("equal", [self.plain(left), self.plain(right)], node)
            if node.op is Op.EQ:
                return equal
            return ast.UnaryOp(ast.Not(), equal, **place)
        operator = _COMPARED[node.op]()
        return ast.Compare(self.plain(left), [operator], [self.plain(right)], **place)

    def _membership(
        self, left: Node, right: Node, node: Node, place: Place
    ) -> ast.expr:
        known = right.value if right.op is Op.CONSTANT else None
        is_flat = not right.type.startswith("list(list(")
        if isinstance(known, tuple) and known and is_flat:
            # A frozenset hashes what it is asked for, and so refuses MISSING.
            at = self.place(right.span)
            # PERF: Python makes the same constant of a set's elements, but takes 110 us
            # a rule of the benchmark for it, and 90 us so.
            found: ast.expr = _constant(frozenset(known), at)
            if self._shown:
                found = ast.Set([_constant(item, at) for item in known], **at)
            return ast.Compare(self.plain(left), [ast.In()], [found], **place)
        subject, elements = self.passed_on(left), self.plain(right)
        if "double" in right.type + left.type:
            return self._call("member", [subject, elements], node)
        return ast.Compare(subject, [ast.In()], [elements], **place)

    def _arithmetic(self, node: Node, place: Place) -> ast.expr:
        operands = [self.plain(child) for child in node.children]
        type_ = strip(node.type)
        if type_ == "int" and node.op in (Op.DIV, Op.MOD):
            name = "divide" if node.op is Op.DIV else "modulo"
            return self._call(name, operands, node)
        result: ast.expr
        if node.op is Op.NEGATE:
            result = ast.UnaryOp(ast.USub(), operands[0], **place)
        else:
            # A double divided by zero raises here, and the interpreter says inf.
            result = ast.BinOp(operands[0], _BINARY[node.op](), operands[1], **place)
        range_check = _RANGE_CHECKS.get(type_)
        return self._call(range_check, [result], node) if range_check else result

    def _call(self, helper: str, arguments: list[ast.expr], node: Node) -> ast.expr:
        place = self.place(node.span)
        name = ast.Name(helper, ast.Load(), **place)
        return ast.Call(name, arguments, [], **place)

    def place(self, span: tuple[int, int]) -> Place:
        start, stop = self._segment_span or span
        if start <= stop <= self._plain_stop:
            # PERF: a condition takes 15 us, and 21 us if its lines are looked for.
            return {
                "lineno": 1,
                "col_offset": start,
                "end_lineno": 1,
                "end_col_offset": stop,
            }
        line, column = self._line_and_column(start)
        end_line, end_column = self._line_and_column(stop)
        return {
            "lineno": line,
            "col_offset": column,
            "end_lineno": end_line,
            "end_col_offset": end_column,
        }

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        offset = min(offset, len(self._text))
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        return line, len(self._text[start:offset].encode())


def _constant(value: Any, place: Place) -> ast.Constant:
    # Typed Any because Python takes tuples as constants, and its stubs do not say so.
    return ast.Constant(value, **place)


_COMPARED: Final[dict[Op, type[ast.cmpop]]] = {
    Op.EQ: ast.Eq,
    Op.NE: ast.NotEq,
    Op.LT: ast.Lt,
    Op.LE: ast.LtE,
    Op.GT: ast.Gt,
    Op.GE: ast.GtE,
    Op.IN: ast.In,
}
_BINARY: Final[dict[Op, type[ast.operator]]] = {
    Op.ADD: ast.Add,
    Op.SUB: ast.Sub,
    Op.MUL: ast.Mult,
    Op.DIV: ast.Div,
}
_RANGE_CHECKS: Final = {
    "int": "int64",
    "timestamp": "timestamp",
    "duration": "duration",
}
_HELPERS: Final = {
    Op.SIZE: "size",
    Op.INT: "to_int",
    Op.DOUBLE: "double",
    Op.MATCHES: "matches",
    Op.PART: "timestamp_part",
    Op.ALL: "all",
    Op.EXISTS: "any",
    Op.ONE: "one",
    Op.FILTER: "tuple",
    Op.MAP: "tuple",
}
_EMITTERS: Final[dict[Op, Callable[[Emitter, Node, Place], ast.expr]]] = {
    Op.CONSTANT: Emitter.constant,
    Op.SLOT: Emitter.slot,
    Op.PRESENT: Emitter.present,
    Op.VARIABLE: Emitter.variable,
    Op.HISTORY: Emitter.history,
    Op.FIELD: Emitter.field,
    Op.LIST: Emitter.elements,
    Op.AND: Emitter.logic,
    Op.OR: Emitter.logic,
    Op.NOT: Emitter.negation,
    Op.IF: Emitter.choice,
    Op.INDEX: Emitter.index,
    Op.STARTS_WITH: Emitter.affix,
    Op.ENDS_WITH: Emitter.affix,
    Op.CONTAINS: Emitter.contains,
    Op.SEGMENT: Emitter.segment,
    **dict.fromkeys((Op.SIZE, Op.INT, Op.DOUBLE, Op.MATCHES, Op.PART), Emitter.helper),
    **dict.fromkeys(
        (Op.ALL, Op.EXISTS, Op.ONE, Op.FILTER, Op.MAP), Emitter.comprehension
    ),
}
