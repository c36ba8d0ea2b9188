"""Texts that people wrote, places in them, and what is wrong there."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Span(NamedTuple):
    """Code points `[start, stop)` of a source's text."""

    start: int
    stop: int


class Source(NamedTuple):
    """A text and the name that people know it by.

    A file's name is its path. A field's name is its resource's name, a colon and the
    field's path: `environments/bank/offers/gold_card:weights[0].rule`; see
    `field_source`.
    """

    name: str
    text: str

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """One-based line and column, in code points, of an offset."""
        offset = min(max(offset, 0), len(self.text))
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - (self.text.rfind("\n", 0, offset) + 1) + 1

    def whole(self) -> Span:
        return Span(0, len(self.text))


def field_source(resource: str, field: str, text: str) -> Source:
    """The source that one field of one record is."""
    return Source(f"{resource}:{field}", text)


class Severity(StrEnum):
    """Only errors keep a catalog from being published."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Diagnostic(NamedTuple):
    """One mistake, with its position; see `compiler.diagnostics` for the texts."""

    source: Source
    span: Span
    message: str
    severity: Severity = Severity.ERROR

    def render(self) -> str:
        """`name:line:column: severity: message`, the line, and a caret under it."""
        line, column = self.source.line_and_column(self.span.start)
        head = f"{self.source.name}:{line}:{column}: {self.severity}: {self.message}"
        text = self.source.text
        begin = text.rfind("\n", 0, self.span.start) + 1
        end = text.find("\n", begin)
        shown = text[begin : end if end >= 0 else len(text)]
        if not shown.strip():
            return head
        # At least one caret, and none beyond the end of the line that is shown.
        width = max(1, min(self.span.stop - self.span.start, len(shown) - column + 1))
        # Tabs stay tabs, so that the caret stands where the reader's editor puts it.
        lead = "".join(c if c == "\t" else " " for c in shown[: column - 1])
        return f"{head}\n  {shown}\n  {lead}{'^' * width}"


class Refused(Exception):
    """What was asked for cannot be compiled; holds every diagnostic found."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = sorted(
            diagnostics, key=lambda d: (d.source.name, d.span, d.message)
        )
        super().__init__("\n".join(d.render() for d in self.diagnostics))
