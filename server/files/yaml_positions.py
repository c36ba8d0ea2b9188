"""Where a part of a scalar's value stands in its file.

Folding, indentation and block headers change white space only, so the other
characters of the value and of what was written are the same, one after the other;
quotes and escapes are undone on the way. Should the two not agree all the same, the
place is the first line of the scalar: less exact, never wrong.
"""

import re
from collections.abc import Iterator

from compiler.source import Source, Span
from server.files.yaml_nodes import Scalar, first_line

_SPACE = frozenset(" \t\n\r\x85\u2028\u2029")
_ESCAPE = re.compile(r"\\(?:x(..)|u(.{4})|U(.{8})|\n[ \t]*|(.))", re.DOTALL | re.ASCII)
#: Escapes of one character that stand for something else than that character.
_ESCAPED = {"0": "\0", "a": "\a", "b": "\b", "e": "\x1b", "v": "\v", "f": "\f"}
_ESCAPED_SPACE = frozenset("tnrNLP \t")


def span_in_file(source: Source, scalar: Scalar, span: Span) -> Span:
    """The span of the file where a span of the scalar's value was written."""
    offsets = _offsets(source.text, scalar)
    if not offsets or offsets[-1] is None:
        return first_line(source, scalar)
    starts = [offset for offset in offsets if offset is not None]
    start = min(max(span.start, 0), len(starts) - 1)
    stop = min(max(span.stop, start + 1), len(starts) - 1)
    return Span(starts[start], max(starts[stop - 1] + 1, starts[start] + 1))


def _offsets(text: str, scalar: Scalar) -> list[int | None]:
    """The offset of each code point of the value, and of its end; or nothing."""
    written = _written(text, scalar)
    offsets: list[int | None] = []
    # Where the next character would stand if it followed the last one directly.
    following: int | None = None
    for character in scalar.value:
        if character in _SPACE:
            offsets.append(following)
        else:
            offset, match = next(written, (0, ""))
            if match != character:
                return []
            offsets.append(offset)
            following = offset
        if following is not None:
            following += 1
    offsets.append(following)
    return _without_gaps(offsets, scalar)


def _without_gaps(offsets: list[int | None], scalar: Scalar) -> list[int | None]:
    # Leading white space has no character before it: it counts back from the first.
    known = next((index for index, at in enumerate(offsets) if at is not None), None)
    if known is None:
        return []
    first = offsets[known]
    assert first is not None
    lead: list[int | None] = [
        max(scalar.start, first - (known - index)) for index in range(known)
    ]
    return lead + offsets[known:]


def _written(text: str, scalar: Scalar) -> Iterator[tuple[int, str]]:
    """The characters that are not white space, as the value has them."""
    match scalar.style:
        case "'":
            yield from _single_quoted(text, scalar.start + 1, scalar.stop - 1)
        case '"':
            yield from _double_quoted(text, scalar.start + 1, scalar.stop - 1)
        case "|" | ">":
            # The header line may end with a comment.
            body = text.find("\n", scalar.start) + 1
            yield from _plain(text, body or scalar.stop, scalar.stop)
        case _:
            yield from _plain(text, scalar.start, scalar.stop)


def _plain(text: str, start: int, stop: int) -> Iterator[tuple[int, str]]:
    for offset in range(start, stop):
        if text[offset] not in _SPACE:
            yield offset, text[offset]


def _single_quoted(text: str, start: int, stop: int) -> Iterator[tuple[int, str]]:
    offset = start
    while offset < stop:
        if text[offset] not in _SPACE:
            yield offset, text[offset]
        offset += 2 if text[offset] == "'" else 1


def _double_quoted(text: str, start: int, stop: int) -> Iterator[tuple[int, str]]:
    offset = start
    while offset < stop:
        escape = _ESCAPE.match(text, offset, stop)
        if escape is None:
            if text[offset] not in _SPACE:
                yield offset, text[offset]
            offset += 1
            continue
        character = _unescaped(escape)
        if character and character not in _SPACE:
            yield offset, character
        offset = escape.end()


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    if code:
        return chr(int(code, 16))
    letter = escape[4] or ""
    if letter == "_":
        return "\xa0"
    return " " if letter in _ESCAPED_SPACE else _ESCAPED.get(letter, letter)
