"""Puts a template's texts and tags together: what is inserted, and what is chosen."""

from typing import Any

from compiler import template_diagnostics as mistakes_of
from compiler.source import Source, Span
from compiler.template_conditions import read_condition
from compiler.template_reader import Operand, TagReader, Unreadable
from compiler.template_scope import TemplateScope
from compiler.template_tags import Mistakes, Tag, Text, TooManyMistakes

#: `{% if %}` within each other.
IF_DEPTH_MAX = 16

#: A piece of a template, encoded; see `compiler.runtime.rendering`.
Piece = str | tuple[Any, ...]

_ONE_VALUE = "a tag inserts one name and its filters"
_INSTEAD = {
    "for": "write a list as {{ contact.tags | join(', ') }}",
    "set": "write the value where it is needed",
    "macro": "write the text where it is needed",
    "include": "write the text where it is needed",
    "import": "write the text where it is needed",
    "extends": "a template stands alone",
    "block": "a template stands alone",
    "call": "nothing can be called",
    "filter": "write the filter after the name",
    "with": "write the value where it is needed",
    "autoescape": "every value is escaped, whatever it holds",
    "endraw": "write {% raw %} before it",
}


class _If:
    """An `{% if %}` that is not closed yet."""

    def __init__(self, span: Span, condition: tuple[Any, ...]) -> None:
        self.span = span
        self.branches: list[tuple[tuple[Any, ...], list[Piece]]] = [(condition, [])]
        self.otherwise: list[Piece] | None = None

    def pieces(self) -> list[Piece]:
        """Where what comes next belongs."""
        return self.branches[-1][1] if self.otherwise is None else self.otherwise

    def encoded(self) -> tuple[Any, ...]:
        branches = tuple((condition, tuple(p)) for condition, p in self.branches)
        return ("if", branches, tuple(self.otherwise or ()))


class Blocks:
    """Reads the tags of one template, in order."""

    def __init__(
        self, source: Source, scope: TemplateScope, mistakes: Mistakes
    ) -> None:
        self._source = source
        self._scope = scope
        self._mistakes = mistakes
        # A tag that could not be read may have opened or closed anything.
        self._structure_is_known = not mistakes.found
        self._pieces: list[Piece] = []
        self._open: list[_If] = []
        #: Tags that were refused, whose ends need no second mistake.
        self._refused: set[str] = set()

    def read(self, items: list[Text | Tag]) -> list[Piece]:
        for item in items:
            if isinstance(item, Text):
                self._append_text(item.text)
                continue
            reader = TagReader(self._source, self._scope, self._mistakes, item)
            try:
                if item.inserts:
                    self._append(reader.encoded(self._inserted(reader)))
                else:
                    self._statement(reader)
            except Unreadable:
                pass
        if self._structure_is_known:
            for unclosed in self._open:
                self._mistakes.add(
                    mistakes_of.never_closed(self._source, unclosed.span, "{% endif %}")
                )
        return self._pieces

    def _append(self, piece: Piece) -> None:
        (self._open[-1].pieces() if self._open else self._pieces).append(piece)

    def _append_text(self, text: str) -> None:
        pieces = self._open[-1].pieces() if self._open else self._pieces
        if pieces and isinstance(pieces[-1], str):
            pieces[-1] += text
        elif text:
            pieces.append(text)

    def _inserted(self, reader: TagReader) -> Operand:
        operand = reader.value()
        reader.end(_ONE_VALUE)
        if operand.type.startswith("list("):
            reader.fail(
                mistakes_of.list_inserted(self._source, operand.span, operand.name)
            )
        if operand.type == "string":
            return operand
        return operand.through(("text", operand.type), "string")

    def _statement(self, reader: TagReader) -> None:
        word = reader.take("a name")
        match word.text:
            case "if":
                self._if(reader)
            case "elif" | "else" | "endif":
                self._in_if(reader, word.text, word.span)
            case name if name.removeprefix("end") in self._refused:
                pass
            case name:
                self._refused.add(name)
                instead = _INSTEAD.get(name, "known: if, elif, else, endif, raw")
                reader.fail(
                    mistakes_of.refused_tag(self._source, word.span, name[:60], instead)
                )

    def _if(self, reader: TagReader) -> None:
        if len(self._open) == IF_DEPTH_MAX:
            span = reader.tag.span
            self._mistakes.add(
                mistakes_of.too_deep(self._source, span, "ifs", IF_DEPTH_MAX)
            )
            raise TooManyMistakes
        opened = _If(reader.tag.span, ())
        # Open before its condition is read: a mistake there is no reason for another
        # at its end.
        self._open.append(opened)
        opened.branches[0] = (read_condition(reader), [])

    def _in_if(self, reader: TagReader, word: str, span: Span) -> None:
        if not self._open:
            if self._structure_is_known:
                reader.fail(mistakes_of.without_if(self._source, span, word))
            return
        current = self._open[-1]
        if word == "endif":
            self._open.pop()
            self._append(current.encoded())
            reader.end("write {% endif %}")
            return
        if current.otherwise is not None:
            reader.fail(mistakes_of.after_else(self._source, span, word))
        if word == "elif":
            current.branches.append((read_condition(reader), []))
        else:
            current.otherwise = []
            if reader.next_is("if"):
                reader.fail(mistakes_of.else_if(self._source, reader.tag.span))
            reader.end("write {% else %}")
