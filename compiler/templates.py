"""Compiles templates: offers' texts, spaces' renderings, acceptance URLs.

A template is Jinja's syntax, and of that only text, comments, raw blocks, names with
listed filters, and if/elif/else. It is not run by Jinja, and never becomes code: what
is made here is a tree that `compiler.runtime.rendering` walks.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from math import isfinite
from typing import Any, cast

from catalog_store.records import CONTENT_BYTES_MAX
from compiler import template_diagnostics as mistakes_of
from compiler.runtime.rendering import encode_constant, encode_template
from compiler.runtime.tree import INT64_MAX, INT64_MIN
from compiler.runtime.value_texts import json_escaped
from compiler.source import Refused, Source
from compiler.template_blocks import Blocks, Piece
from compiler.template_html import check_html
from compiler.template_reader import TagReader, Unreadable
from compiler.template_scope import TemplateScope
from compiler.template_tags import (
    Mistakes,
    Tag,
    TooManyMistakes,
    check_text,
    plain,
    read_tags,
)
from compiler.template_urls import check_url

#: Bytes of one template; of all the texts of a JSON template.
TEMPLATE_BYTES_MAX = CONTENT_BYTES_MAX
#: Lists and objects within each other, and values, in a JSON template.
JSON_DEPTH_MAX = 16
JSON_VALUES_MAX = 1_000


class TemplateForm(StrEnum):
    """What a template makes, and so how inserted values are escaped."""

    TEXT = "text"
    HTML = "html"
    #: Starts with a constant scheme and host; values are percent-encoded.
    URL = "url"


def compile_template(source: Source, form: TemplateForm, scope: TemplateScope) -> bytes:
    """A template, encoded; raises Refused with every mistake, up to MISTAKES_MAX."""
    mistakes = Mistakes()
    pieces: list[Piece] = []
    source = plain(source)
    with suppress(TooManyMistakes):
        if check_text(source, TEMPLATE_BYTES_MAX, mistakes):
            items = read_tags(source, mistakes)
            pieces = Blocks(source, scope, mistakes).read(items)
            if form is TemplateForm.URL:
                check_url(source, items, mistakes)
            elif form is TemplateForm.HTML:
                check_html(source, items, mistakes)
    return _encoded(form, pieces, mistakes)


def compile_json_template(name: str, value: object, scope: TemplateScope) -> bytes:
    """A structure whose texts are templates, encoded; renders as JSON text.

    A text that is exactly one tag keeps its value's type: a number stays a number.
    Keys are constant. Raises Refused; sources are `name` and the path: `name.items[0]`.
    """
    mistakes = Mistakes()
    pieces: list[Piece] = []
    with suppress(TooManyMistakes):
        pieces = _Structure(scope, mistakes).read(name, value)
    return _encoded("json", pieces, mistakes)


def _encoded(form: str, pieces: list[Piece], mistakes: Mistakes) -> bytes:
    if mistakes.found:
        raise Refused(mistakes.found)
    if all(isinstance(piece, str) for piece in pieces):
        return encode_constant("".join(cast(list[str], pieces)))
    return encode_template(form, pieces)


class _Structure:
    """Turns a structure into pieces of JSON text."""

    def __init__(self, scope: TemplateScope, mistakes: Mistakes) -> None:
        self._scope = scope
        self._mistakes = mistakes
        self._bytes = 0
        self._values = 0

    def read(self, name: str, value: object) -> list[Piece]:
        merged: list[Piece] = []
        for piece in self._value(name, value, 0):
            if isinstance(piece, str) and merged and isinstance(merged[-1], str):
                merged[-1] += piece
            else:
                merged.append(piece)
        return merged

    def _value(self, name: str, value: object, depth: int) -> Iterator[Piece]:
        self._values += 1
        if self._values > JSON_VALUES_MAX or depth > JSON_DEPTH_MAX:
            self._refuse_size(name, depth)
        match value:
            case str():
                yield from self._text(Source(name, value))
            case None | bool():
                yield json.dumps(value)
            case int() if INT64_MIN <= value <= INT64_MAX:
                yield str(int(value))
            case float() if isfinite(value):
                yield repr(float(value))
            case list() | tuple():
                yield "["
                for index, item in enumerate(cast(list[object], value)):
                    yield "," * (index > 0)
                    yield from self._value(f"{name}[{index}]", item, depth + 1)
                yield "]"
            case dict():
                yield from self._object(name, cast(dict[object, object], value), depth)
            case _:
                shown = f"{type(value).__name__} {value!r:.40}"
                self._mistakes.add(mistakes_of.json_value(Source(name, ""), shown))

    def _object(
        self, name: str, value: dict[object, object], depth: int
    ) -> Iterator[Piece]:
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            if not isinstance(key, str):
                shown = f"the key {key!r:.40}"
                self._mistakes.add(mistakes_of.json_value(Source(name, ""), shown))
                continue
            source = Source(name, key)
            if not self._fits(source):
                continue
            if "{{" in key or "{%" in key:
                self._mistakes.add(mistakes_of.json_key(source))
            yield f'{"," * (index > 0)}"{json_escaped(key)}":'
            yield from self._value(f"{name}.{key:.100}", item, depth + 1)
        yield "}"

    def _text(self, source: Source) -> Iterator[Piece]:
        source = plain(source)
        if not self._fits(source):
            return
        items = read_tags(source, self._mistakes)
        match items:
            case [Tag(inserts=True) as tag]:
                reader = TagReader(source, self._scope, self._mistakes, tag)
                try:
                    operand = reader.value()
                    reader.end("a tag inserts one name and its filters")
                    as_json = operand.through(("json", operand.type), operand.type)
                    yield reader.encoded(as_json, "json")
                except Unreadable:
                    pass
            case _:
                pieces = Blocks(source, self._scope, self._mistakes).read(items)
                yield from ('"', *_escaped(pieces), '"')

    def _fits(self, source: Source) -> bool:
        fits = check_text(source, TEMPLATE_BYTES_MAX, self._mistakes, self._bytes)
        self._bytes += len(source.text.encode(errors="replace"))
        return fits

    def _refuse_size(self, name: str, depth: int) -> None:
        what, count_max = "values", JSON_VALUES_MAX
        if depth > JSON_DEPTH_MAX:
            what, count_max = "lists and objects inside each other", JSON_DEPTH_MAX
        self._mistakes.add(
            mistakes_of.json_too_large(Source(name[:200], ""), what, count_max)
        )
        raise TooManyMistakes


def _escaped(pieces: list[Piece]) -> list[Piece]:
    """Pieces of a text as pieces of a JSON string."""
    escaped: list[Piece] = []
    for piece in pieces:
        match piece:
            case str():
                escaped.append(json_escaped(piece))
            case ("if", branches, otherwise):
                parts = cast(tuple[tuple[Any, list[Piece]], ...], branches)
                inner = tuple((c, tuple(_escaped(list(p)))) for c, p in parts)
                rest = tuple(_escaped(list(cast(list[Piece], otherwise))))
                escaped.append(("if", inner, rest))
            case _:
                escaped.append(piece)
    return escaped
