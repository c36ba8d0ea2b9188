"""Where things stand in a rule's text.

The front end gives one offset per operation: an operator's, a call's parenthesis, a
selection's dot. People want the whole expression underlined, so the text is cut into
tokens here and offsets grow into spans.
"""

import re
from bisect import bisect_left, bisect_right

from compiler.source import Source, Span

_TOKEN = re.compile(
    r"""
      (?: [rRbB]{0,2} (?: \"{3}.*?\"{3} | '{3}.*?'{3} ) )
    | (?: [rRbB]{0,2} (?: "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' ) )
    | //[^\n]*
    | (?: \d+\.\d+ | \.\d+ | \d+ ) (?: [eE][+-]?\d+ )? [uU]? | 0[xX][0-9a-fA-F]+[uU]?
    | [A-Za-z_][A-Za-z0-9_]* | `[^`\n]*`
    | && | \|\| | == | != | <= | >=
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_BRACKETS = frozenset("()[]{}")


class Positions:
    """The tokens of one source, and the partner of each bracket."""

    def __init__(self, source: Source) -> None:
        self.source = source
        text = source.text
        spans = (match.span() for match in _TOKEN.finditer(text))
        if "//" in text:
            spans = (span for span in spans if not text.startswith("//", span[0]))
        self._tokens = list(spans)
        self._starts = [start for start, _ in self._tokens]
        self._partner = self._bracket_partners()
        self._brackets = sorted(self._partner)

    def text(self, span: Span) -> str:
        return self.source.text[span.start : span.stop]

    def token_at(self, offset: int) -> Span:
        """The token that covers an offset, else one code point there."""
        index = self._index(offset)
        if index >= 0 and self._tokens[index][1] > offset:
            return Span(*self._tokens[index])
        length = len(self.source.text)
        start = min(max(offset, 0), length)
        return Span(start, min(start + 1, length))

    def token_before(self, offset: int) -> Span:
        """The last token that ends at or before an offset."""
        index = self._index(offset - 1)
        return Span(*self._tokens[index]) if index >= 0 else self.token_at(offset)

    def token_after(self, offset: int) -> Span:
        """The token after the one at an offset: the name after a dot."""
        index = self._index(offset) + 1
        if index < len(self._tokens):
            return Span(*self._tokens[index])
        return self.token_at(offset)

    def named_at(self, offset: int) -> Span:
        """The name meant by a diagnostic at a name, a dot or a parenthesis."""
        match self.text(self.token_at(offset)):
            case ".":
                return self.token_after(offset)
            case "(":
                return self.token_before(offset)
            case _:
                return self.token_at(offset)

    def closed(self, offset: int) -> Span:
        """From an opening bracket to its partner; one token when there is none."""
        token = self.token_at(offset)
        return Span(token.start, self._partner.get(token.start, token.start) + 1)

    def around(self, *spans: Span) -> Span:
        """The smallest span over all of these in which every bracket is closed."""
        start = min([start for start, _ in spans])
        stop = max([stop for _, stop in spans])
        # Each round closes at least one bracket more, so this ends.
        while True:
            low, high = start, stop
            first = bisect_left(self._brackets, start)
            for bracket in self._brackets[first : bisect_left(self._brackets, stop)]:
                partner = self._partner[bracket]
                low, high = min(low, partner), max(high, partner + 1)
            if (low, high) == (start, stop):
                return Span(start, stop)
            start, stop = low, high

    def offset_of(self, line: int, column: int) -> int:
        """The offset of a one-based line and column, both in code points."""
        offset = 0
        for _ in range(line - 1):
            found = self.source.text.find("\n", offset)
            if found < 0:
                break
            offset = found + 1
        return min(max(offset + column - 1, 0), len(self.source.text))

    def _index(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1

    def _bracket_partners(self) -> dict[int, int]:
        partner: dict[int, int] = {}
        open_at: list[int] = []
        text = self.source.text
        for start in self._starts:
            bracket = text[start]
            if bracket not in _BRACKETS:
                continue
            if bracket in _CLOSING:
                open_at.append(start)
            elif open_at and bracket == _CLOSING[text[open_at[-1]]]:
                opening = open_at.pop()
                partner[opening] = start
                partner[start] = opening
        return partner
