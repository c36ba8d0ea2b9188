"""A template's text as texts and tags, each token with its place.

Jinja's own lexer says where tags, texts and comments begin and end, so white space
control, raw blocks and quotes are what Jinja's are. It gives lines only and stops at
the first mistake: places are found again here, and reading goes on behind a mistake.
"""

import re
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError

from compiler import diagnostics, template_diagnostics
from compiler.source import Diagnostic, Source, Span

#: Mistakes shown of one template; reading stops there.
MISTAKES_MAX = 20
TAGS_MAX = 1_000
TOKENS_MAX = 1_000

_ENVIRONMENT = Environment(keep_trailing_newline=True)
_NEWLINE = re.compile(r"\r\n?")
_OPENING = re.compile(r"\{[{%#]")
_OPENING_OR_CLOSING = re.compile(r"\{[{%#]|[%}]\}")
#: NUL and unpaired surrogates.
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_CLOSING = {"variable_begin": "}}", "block_begin": "%}", "comment_begin": "#}"}


class Token(NamedTuple):
    """One word or sign of a tag; kinds are those of Jinja's lexer."""

    kind: str
    text: str
    span: Span


class Text(NamedTuple):
    """What stands between tags, as it is to appear."""

    text: str
    span: Span


class Tag(NamedTuple):
    """`{{ }}` or `{% %}`, without the braces and the white space."""

    inserts: bool
    tokens: tuple[Token, ...]
    span: Span


class TooManyMistakes(Exception):
    """Enough are known to show; the rest of the template is not read."""


class Mistakes:
    """What was found in one template so far."""

    def __init__(self) -> None:
        self.found: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        self.found.append(diagnostic)
        if len(self.found) >= MISTAKES_MAX:
            raise TooManyMistakes


def plain(source: Source) -> Source:
    """With the one kind of line end that templates have."""
    return source._replace(text=_NEWLINE.sub("\n", source.text))


def check_text(
    source: Source, bytes_max: int, mistakes: Mistakes, bytes_before: int = 0
) -> bool:
    """Whether it is text at all, and short enough to be read after what was before."""
    size = bytes_before + len(source.text)
    if size <= bytes_max:
        size = bytes_before + len(source.text.encode(errors="replace"))
    if size > bytes_max:
        mistakes.add(template_diagnostics.too_long(source, size, bytes_max))
        return False
    match = NOT_TEXT.search(source.text)
    if match:
        mistakes.add(diagnostics.not_text(source, Span(*match.span())))
    return match is None


def read_tags(source: Source, mistakes: Mistakes) -> list[Text | Tag]:
    """All that could be read; the source is `plain` and has passed `check_text`."""
    if not _OPENING.search(source.text):
        return [Text(source.text, source.whole())]
    reader = _Reader(source, mistakes)
    at: int | None = 0
    while at is not None:
        at = reader.read(at)
    return reader.found


class _TagTooLong(Exception):
    """Left as it is: what follows may be as long again."""


class _Reader:
    def __init__(self, source: Source, mistakes: Mistakes) -> None:
        self._source = source
        self._mistakes = mistakes
        self.found: list[Text | Tag] = []
        self._tag_count = 0
        self._opened: Token | None = None
        self._tokens: list[Token] = []

    def read(self, start: int) -> int | None:
        """Reads on from an offset; after a mistake, says where to go on from."""
        text = self._source.text
        at = start
        self._opened = None
        try:
            for _, kind, value in _ENVIRONMENT.lex(text[start:]):
                # What `{%-` strips is in no token: only white space is passed over.
                begin = text.find(value, at)
                at = begin + len(value)
                self._take(Token(kind, value, Span(begin, at)))
        except TemplateSyntaxError as error:
            return self._resume_after(at, error.message or "")
        except _TagTooLong:
            return self._resume_too_long(at)
        if self._opened is not None:
            return self._resume_unclosed(self._opened)
        return None

    def _take(self, token: Token) -> None:
        match token.kind:
            case "data":
                self.found.append(Text(token.text, token.span))
            case "variable_begin" | "block_begin" | "comment_begin" | "raw_begin":
                self._opened = token
                self._tokens = []
            case "variable_end" | "block_end":
                self._close(token)
            case "comment_end" | "raw_end":
                self._opened = None
            case "whitespace" | "comment":
                pass
            case _:
                self._tokens.append(token)
                if len(self._tokens) > TOKENS_MAX:
                    raise _TagTooLong

    def _close(self, token: Token) -> None:
        opened = self._opened
        assert opened is not None, "the lexer closes only what it opened"
        self._opened = None
        self._tag_count += 1
        span = Span(opened.span.start, token.span.start + len(token.text.rstrip()))
        if self._tag_count > TAGS_MAX:
            self._mistakes.add(
                template_diagnostics.too_many_tags(self._source, span, TAGS_MAX)
            )
            raise TooManyMistakes
        inserts = token.kind == "variable_end"
        self.found.append(Tag(inserts, tuple(self._tokens), span))

    def _resume_after(self, at: int, reason: str) -> int | None:
        if reason.startswith("Missing end") and self._opened is not None:
            return self._resume_unclosed(self._opened)
        # The lexer takes the end of a tag for two signs while a bracket is open.
        is_end = self._source.text[at - 1 : at + 1] in ("%}", "}}")
        span = Span(at - is_end, at + 1)
        self._mistakes.add(template_diagnostics.unexpected_sign(self._source, span))
        return self._behind_tag(at)

    def _resume_too_long(self, at: int) -> int | None:
        assert self._opened is not None, "only tags have tokens"
        span = self._opened.span
        self._mistakes.add(
            template_diagnostics.tag_too_long(self._source, span, TOKENS_MAX)
        )
        return self._behind_tag(at)

    def _behind_tag(self, at: int) -> int | None:
        match = _OPENING_OR_CLOSING.search(self._source.text, at)
        if match is None:
            return None
        return match.start() if match[0][0] == "{" else match.end()

    def _resume_unclosed(self, opened: Token) -> int | None:
        closing = _CLOSING.get(opened.kind, "{% endraw %}")
        span = Span(opened.span.start, opened.span.start + len(opened.text.rstrip()))
        self._mistakes.add(
            template_diagnostics.never_closed(self._source, span, closing)
        )
        match = _OPENING.search(self._source.text, opened.span.stop)
        return match and match.start()
