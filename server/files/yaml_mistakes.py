"""Every mistake that one YAML file can contain: one constructor each."""

from collections.abc import Collection

from compiler.catalog_diagnostics import hint, shown
from compiler.source import Diagnostic, Source, Span

#: What usually causes a parser's complaint; the key is a part of that complaint.
_REMEDIES = {
    "mapping values are not allowed": "quote the text if it contains a colon",
    "cannot start any token": "quote the text, and indent with spaces, not tabs",
    "expected <block end>": "line up the keys, and start list items with a dash",
    "did not find expected key": "line up the keys, and close every quote",
    "could not find expected ':'": "write a colon and a space after every key",
    "unexpected end of stream": "close the quote or bracket",
    "did not find expected ','": "close the bracket or brace",
    "expected node content": "write a value between commas, and close the bracket",
    "escape": "in double quotes write \\\\ for a backslash, or use single quotes",
}


def not_yaml(source: Source, offset: int, problem: str) -> Diagnostic:
    remedies = (text for part, text in _REMEDIES.items() if part in problem)
    remedy = next(remedies, "correct the indentation or quotes here")
    return Diagnostic(source, _point(offset), f"not YAML: {problem}; {remedy}")


def unprintable(source: Source, offset: int) -> Diagnostic:
    code = f"U+{ord(source.text[offset]):04X}"
    message = f"the character {code} cannot be printed; remove it"
    # The line is not shown: it could do something to the reader's terminal.
    line, column = source.line_and_column(offset)
    safe = Source(source.name, "\n" * (line - 1) + " " * column)
    return Diagnostic(safe, Span(len(safe.text) - 1, len(safe.text)), message)


def anchor(source: Source, offset: int, name: str) -> Diagnostic:
    return Diagnostic(
        source,
        Span(offset, offset + 1 + len(name)),
        f"the anchor &{name} is not read; write the value out where it is needed",
    )


def alias(source: Source, offset: int, name: str) -> Diagnostic:
    return Diagnostic(
        source,
        Span(offset, offset + 1 + len(name)),
        f"the alias *{name} is not read; write the value out, or quote the text",
    )


def tag(source: Source, offset: int, name: str) -> Diagnostic:
    return Diagnostic(
        source,
        _point(offset),
        f"the tag {shown(name)} is not read; remove it, or quote the text",
    )


def second_document(source: Source, offset: int) -> Diagnostic:
    return Diagnostic(
        source,
        _point(offset),
        "a second document in one file is not read; move it into a file of its own",
    )


def too_deep(source: Source, offset: int, limit: int) -> Diagnostic:
    return Diagnostic(
        source,
        _point(offset),
        f"more than {limit} lists and mappings inside each other; a catalog needs few",
    )


def key_not_text(source: Source, offset: int) -> Diagnostic:
    return Diagnostic(
        source,
        _point(offset),
        "a key must be a word, not a list or a mapping; quote the text if it starts "
        "with a bracket",
    )


def key_twice(source: Source, span: Span, key: str, first: int) -> Diagnostic:
    line, column = source.line_and_column(first)
    return Diagnostic(
        source,
        span,
        f"{shown(key)} stands twice, first at {source.name}:{line}:{column}; "
        "remove one",
    )


def unknown_key(
    source: Source, span: Span, key: str, of: str, known: Collection[str]
) -> Diagnostic:
    return Diagnostic(
        source, span, f"unknown key {shown(key)} of {of}; {hint(key, known)}"
    )


def missing_key(source: Source, span: Span, key: str, of: str) -> Diagnostic:
    return Diagnostic(source, span, f"{of} needs {key!r}; write it")


def wrong_type(source: Source, span: Span, found: str, wanted: str) -> Diagnostic:
    return Diagnostic(source, span, f"{found} is not {wanted}")


def quoted(source: Source, span: Span, found: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{shown(found)} stands in quotes and is a text; remove them"
    )


def unknown_choice(
    source: Source, span: Span, found: str, known: Collection[str]
) -> Diagnostic:
    return Diagnostic(
        source, span, f"{shown(found)} is not possible; {hint(found, known)}"
    )


def _point(offset: int) -> Span:
    return Span(offset, offset + 1)
