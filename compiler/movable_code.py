"""The code of rules that are put together from conditions.

The expressions of a condition are made once. For each rule that has it they are moved
to where it stands there, so that a traceback underlines the right words.
"""

import ast
from collections.abc import Iterable
from types import CodeType
from typing import Any, cast

from compiler.emitter import Emitter, code_of_function, function_around
from compiler.runtime.tree import Node


class MovableConditions:
    """The expressions of some conditions, made once for every rule that has them.

    They stand in one rule at a time.
    """

    __slots__ = ("_at", "_placed", "emitted")

    def __init__(self, text: str, conditions: Iterable[Node]) -> None:
        emitter = Emitter(text)
        self.emitted = [emitter.condition(node) for node in conditions]
        self._placed: list[Any] = []
        for emitted in self.emitted:
            _collect(emitted, self._placed)
        self._at = 1, 0

    def move(self, line: int, column: int) -> None:
        """To a text that begins at a line, from 1, and a column in bytes."""
        if self._at == (line, column):
            return
        first = self._at[0]
        lines, columns = line - first, column - self._at[1]
        self._at = line, column
        for node in self._placed:
            # Columns count from the line's begin, and so change on the first one only.
            if node.lineno == first:
                node.col_offset += columns
            if node.end_lineno == first:
                node.end_col_offset += columns
            if lines:
                node.lineno += lines
                node.end_lineno += lines


def emit_conjunction(
    source: tuple[str, str],
    span: tuple[int, int],
    parts: Iterable[tuple[int, MovableConditions]],
) -> CodeType:
    """The code that `emit` gives for a rule, from the conditions that it is made of.

    Each part comes with its offset in the text; `span` is that of the whole.
    """
    name, text = source
    emitter = Emitter(text)
    operands: list[ast.expr] = []
    for offset, part in parts:
        at = emitter.place((offset, offset))
        part.move(at["lineno"], at["col_offset"])
        operands += part.emitted
    place = emitter.place(span)
    if len(operands) == 1:
        return code_of_function(function_around(operands[0], place), name)
    return code_of_function(
        function_around(ast.BoolOp(ast.And(), operands, **place), place), name
    )


def _collect(node: ast.expr | ast.comprehension, placed: list[Any]) -> None:
    """Add the node and those below it that have a position."""
    if isinstance(node, ast.expr):
        placed.append(node)
    for field in node._fields:
        value: Any = getattr(node, field)
        inner = cast("list[Any]", value if isinstance(value, list) else [value])
        for one in inner:
            if isinstance(one, ast.expr | ast.comprehension):
                _collect(one, placed)
