"""Nodes to records, each value read as what its field asks for.

A mistake is reported where it stands, and reading goes on with a stand-in, so that
the mistakes behind it are found as well. What was read after a mistake is fit for
finding others, and for nothing else.
"""

import re
from collections.abc import Callable
from datetime import tzinfo
from functools import cache
from typing import NamedTuple

from catalog_store.records import Record, Window
from compiler.catalog_diagnostics import shown
from compiler.source import Diagnostic, Source
from server.files import yaml_mistakes as mistakes
from server.files import yaml_scalars as scalars
from server.files.yaml_forms import (
    Body,
    Choice,
    Form,
    Items,
    Key,
    Kind,
    Number,
    Structure,
    Text,
    Texts,
    TextsByName,
    Time,
    Truth,
    form_of,
)
from server.files.yaml_nodes import Mapping, Node, Scalar, Sequence, first_line

#: Stands for a text that could not be read. No name, rule or zone equals it, so what
#: is said of it later can be told from what is said of a text that was written.
UNREADABLE_TEXT = "\0"

_UNREADABLE = object()


class Reader(NamedTuple):
    """Reads the records of one file; times without an offset are of `zone`."""

    source: Source
    zone: tzinfo
    report: Callable[[Diagnostic], None]

    def record(
        self, record: type[Record], node: Node, key: Scalar | None = None
    ) -> Record:
        """The record of a body; `key` is the name above it, if it has one."""
        form = form_of(record)
        what = words_of(record)
        values: dict[str, object] = {}
        if form.named and key is not None:
            values["name"] = key.value
        for name, value in self._body(form, node, key, what):
            field = form.keys[name]
            read = self._value(field, name, value)
            if read is not _UNREADABLE:
                _set(values, field.path, read)
        return _build(record, values)

    def _body(
        self, form: Form, node: Node, key: Scalar | None, what: str
    ) -> list[tuple[str, Node]]:
        """The keys of a body that its record knows."""
        if not isinstance(node, Mapping):
            if isinstance(node, Scalar) and is_nothing(node):
                node = Mapping((), node.start, node.stop)
            elif form.shorthand is not None:
                return [(form.shorthand, node)]
            else:
                self._wrong(node, f"a mapping, as {what} is")
                return []
        known: list[tuple[str, Node]] = []
        for each, value in node.entries:
            if each.value in form.keys:
                known.append((each.value, value))
            else:
                span = first_line(self.source, each)
                self.report(
                    mistakes.unknown_key(self.source, span, each.value, what, form.keys)
                )
        self._require(form, dict(known), key or node, what)
        return known

    def _require(self, form: Form, known: dict[str, Node], at: Node, what: str) -> None:
        for name, key in form.keys.items():
            value = known.get(name)
            if key.required and (value is None or is_nothing(value)):
                span = first_line(self.source, at)
                self.report(mistakes.missing_key(self.source, span, name, what))

    def _value(self, key: Key, name: str, node: Node) -> object:
        if key.required and is_nothing(node):
            return _UNREADABLE
        return self.value(key.kind, name, node)

    def value(self, kind: Kind, name: str, node: Node) -> object:
        """The value of one key, or a report and what no record takes."""
        match kind:
            case Items(of, named):
                return self._items(of, name, node, named=named)
            case Body(record, optional):
                if optional and is_nothing(node):
                    return None
                return self.record(record, node)
            case Texts():
                return self._texts(node)
            case TextsByName():
                return self._texts_by_name(node)
            case Structure(mapping):
                if not mapping or isinstance(node, Mapping):
                    return _structure(node)
                if not is_nothing(node):
                    self._wrong(node, "a mapping of names to values")
                return {}
            case _ if isinstance(node, Scalar):
                return self._scalar(kind, node)
            case _:
                self._wrong(node, _wanted(kind))
                return _UNREADABLE

    def _items(
        self, of: Kind, name: str, node: Node, *, named: bool
    ) -> tuple[object, ...]:
        if is_nothing(node):
            return ()
        if named:
            assert isinstance(of, Body)
            if not isinstance(node, Mapping):
                self._wrong(node, f"a mapping of names, as {name!r} needs")
                return ()
            return tuple(
                self.record(of.record, body, key) for key, body in node.entries
            )
        items = node.items if isinstance(node, Sequence) else (node,)
        read = [self.value(of, name, each) for each in items]
        return tuple(value for value in read if value is not _UNREADABLE)

    def _texts(self, node: Node) -> dict[str, str]:
        if is_nothing(node):
            return {}
        if not isinstance(node, Mapping):
            self._wrong(node, "a mapping of words to texts")
            return {}
        texts: dict[str, str] = {}
        for key, value in node.entries:
            if isinstance(value, Scalar):
                texts[key.value] = value.value
            else:
                self._wrong(value, "a text")
        return texts

    def _texts_by_name(self, node: Node) -> dict[str, dict[str, str]]:
        if is_nothing(node):
            return {}
        if not isinstance(node, Mapping):
            self._wrong(node, "a mapping of words to mappings of texts")
            return {}
        return {key.value: self._texts(below) for key, below in node.entries}

    def _scalar(self, kind: Kind, node: Scalar) -> object:
        match kind:
            case Text(optional):
                return None if optional and is_nothing(node) else node.value
            case Number(optional=True) if is_nothing(node):
                return None
            case Number(or_text=True) if not _is_number(node):
                return node.value
            case Choice(words, values, optional):
                if optional and is_nothing(node):
                    return None
                if node.value in words:
                    return values[words.index(node.value)]
                span = first_line(self.source, node)
                self.report(
                    mistakes.unknown_choice(self.source, span, node.value, words)
                )
                return _UNREADABLE
            case _:
                return self._plain(kind, node)

    def _plain(self, kind: Kind, node: Scalar) -> object:
        """A value that is not text, and therefore stands without quotes."""
        if isinstance(kind, Time) and kind.kind == "moment" and is_nothing(node):
            return None
        if node.style and not isinstance(kind, Time):
            span = first_line(self.source, node)
            self.report(mistakes.quoted(self.source, span, node.value))
            return _UNREADABLE
        if isinstance(kind, Time) and kind.unbounded and node.value == "forever":
            return None
        read = _parsed(kind, node.value, self.zone)
        if isinstance(read, str):
            self._wrong(node, read)
            return _UNREADABLE
        return read

    def _wrong(self, node: Node, wanted: str) -> None:
        span = first_line(self.source, node)
        match node:
            case Scalar():
                found = shown(node.value) if node.value else "nothing"
            case Sequence():
                found = "a list"
            case Mapping():
                found = "a mapping"
        self.report(mistakes.wrong_type(self.source, span, found, wanted))


def _structure(node: Node) -> object:
    """A node as JSON would have it: what stands in quotes is a text."""
    match node:
        case Mapping(entries):
            return {key.value: _structure(value) for key, value in entries}
        case Sequence(items):
            return [_structure(item) for item in items]
        case Scalar(text) if node.style:
            return text
        case Scalar(text):
            number = scalars.whole_number(text)
            if isinstance(number, str):
                number = scalars.number(text)
            if not isinstance(number, str):
                return number
            if is_nothing(node):
                return None
            return {"true": True, "false": False}.get(text, text)


def is_nothing(node: Node) -> bool:
    """Whether a key was written without a value."""
    return isinstance(node, Scalar) and not node.style and node.value in scalars.NOTHING


@cache
def words_of(record: type[Record]) -> str:
    """What people call a record: `weight row`."""
    return re.sub("(?<!^)([A-Z])", r" \1", record.__name__).lower()


def _stand_in(kind: Kind) -> object:
    """A value for a needed field whose real one is unreadable."""
    match kind:
        case Number(whole):
            return 1 if whole else 1.0
        case Choice(values=values):
            return values[0]
        case Time():
            return 1
        case Truth():
            return False
        case Items():
            return ()
        case Texts() | TextsByName():
            return {}
        case Body(record):
            return _build(record, {})
        case Structure(mapping):
            return {} if mapping else None
        case Text():
            return UNREADABLE_TEXT


def _wanted(kind: Kind) -> str:
    match kind:
        case Number(or_text=True):
            return "a number or a formula"
        case Number():
            return "a number"
        case Truth():
            return "true or false"
        case Time("period", unbounded):
            return "a period, such as 15d" + (", or forever" if unbounded else "")
        case Time():
            return "a date or a time"
        case Choice(words):
            return f"one of {', '.join(words)}"
        case _:
            return "a text"


def _parsed(kind: Kind, text: str, zone: tzinfo) -> int | float | bool | str:
    match kind:
        case Number(whole=True):
            return scalars.whole_number(text)
        case Number():
            return scalars.number(text)
        case Time("period"):
            return scalars.period_ms(text)
        case Time():
            return scalars.moment(text, zone)
        case _:
            truth = scalars.TRUTH.get(text.lower())
            return "true or false" if truth is None else truth


def _is_number(node: Scalar) -> bool:
    return not node.style and scalars.is_number(node.value)


def _set(values: dict[str, object], path: str, value: object) -> None:
    field, _, end = path.partition(".")
    if end:
        window = values.get(field)
        assert window is None or isinstance(window, Window)
        start, stop = (window.start, window.end) if window else (None, None)
        values[field] = (
            Window(start=value, end=stop)  # pyright: ignore[reportArgumentType]
            if end == "start"
            else Window(start=start, end=value)  # pyright: ignore[reportArgumentType]
        )
    else:
        values[field] = value


def _build(record: type[Record], values: dict[str, object]) -> Record:
    """A record of values that its form has made right, with stand-ins for the rest."""
    for key in form_of(record).keys.values():
        if key.required and key.path not in values:
            values[key.path] = _stand_in(key.kind)
    if form_of(record).named:
        values.setdefault("name", UNREADABLE_TEXT)
    return record(**values)
