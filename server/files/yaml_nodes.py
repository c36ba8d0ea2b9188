"""A YAML text as nodes that know their place, without a guess about their types.

Only the part of YAML that people write by hand is read: mappings with plain keys,
lists and scalars, in one document. Every scalar stays the text that was written, so
`no` is a word until a field asks for true or false.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import msgspec
import yaml

from compiler.source import Diagnostic, Source, Span
from server.files import yaml_mistakes as mistakes

#: Mappings and lists inside each other; a catalog needs six.
DEPTH_MAX = 20

_UNPRINTABLE = re.compile(
    "[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A text as YAML understands it; `style` is its quote, `|`, `>` or plain's ''."""

    value: str
    start: int
    stop: int
    style: str = ""


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: tuple["Node", ...]
    start: int
    stop: int


class Mapping(msgspec.Struct, frozen=True):
    """Keys and values in the order in which they were written; no key twice."""

    entries: tuple[tuple[Scalar, "Node"], ...]
    start: int
    stop: int

    def get(self, key: str) -> tuple[Scalar, "Node"] | None:
        for entry in self.entries:
            if entry[0].value == key:
                return entry
        return None


Node = Scalar | Sequence | Mapping

NOTHING = Mapping((), 0, 0)


def parse(source: Source, report: Callable[[Diagnostic], None]) -> Node | None:
    """The one document of a text; NOTHING if it is empty, None if it is not YAML.

    Line ends are "\\n" already. Reports every mistake up to the first that hides what
    follows it.
    """
    if unprintable := _UNPRINTABLE.search(source.text):
        report(mistakes.unprintable(source, unprintable.start()))
        return None
    try:
        return _Composer(source, report).compose()
    except yaml.MarkedYAMLError as error:
        marks = [error.problem_mark, error.context_mark]
        places = [mark.index for mark in marks if mark is not None]
        # What is never closed is only missed at the end: better show where it began.
        within = [index for index in places if source.text[index:].strip()]
        index = (within or places or [0])[0]
        report(mistakes.not_yaml(source, index, error.problem or "unreadable"))
    except _Hidden as hidden:
        report(hidden.diagnostic)
    return None


def first_line(source: Source, node: Node) -> Span:
    """A node's text, to the end of the line where it starts."""
    end = source.text.find("\n", node.start)
    stop = node.stop if end < 0 else min(node.stop, end)
    return Span(node.start, max(stop, node.start))


class _Hidden(Exception):
    """A mistake after which the rest of the document cannot be told."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic


class _Open(NamedTuple):
    """A collection that has not ended; a mapping's keys and values take turns."""

    is_mapping: bool
    start: int
    nodes: list[Node]


class _Composer:
    """Turns events into nodes without recursion, however deep the text is."""

    def __init__(self, source: Source, report: Callable[[Diagnostic], None]) -> None:
        self._source = source
        self._report = report
        self._open: list[_Open] = []
        self._root: Node | None = None

    def compose(self) -> Node:
        # Untyped in its stubs; the events' classes below are what it gives.
        events = cast("Any", yaml.parse(self._source.text, Loader=yaml.CSafeLoader))
        for event in events:
            start, stop = event.start_mark.index, event.end_mark.index
            if isinstance(event, yaml.NodeEvent):
                self._refuse_what_guesses(event, start)
            if isinstance(event, yaml.ScalarEvent):
                self._add(Scalar(event.value, start, stop, event.style or ""))
            elif isinstance(event, yaml.CollectionEndEvent):
                self._add(self._close(stop))
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(self._open) == DEPTH_MAX:
                    raise _Hidden(mistakes.too_deep(self._source, start, DEPTH_MAX))
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Open(is_mapping, start, []))
            elif isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                raise _Hidden(mistakes.second_document(self._source, start))
        return NOTHING if self._root is None else self._root

    def _refuse_what_guesses(self, event: yaml.NodeEvent, start: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise _Hidden(mistakes.alias(self._source, start, event.anchor or ""))
        tag: str | None = cast("Any", event).tag
        if event.anchor is not None:
            self._report(mistakes.anchor(self._source, start, event.anchor))
        if tag is not None:
            self._report(mistakes.tag(self._source, start, tag))

    def _close(self, stop: int) -> Node:
        closed = self._open.pop()
        if not closed.is_mapping:
            return Sequence(tuple(closed.nodes), closed.start, stop)
        entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(closed.nodes[::2], closed.nodes[1::2], strict=True):
            if not isinstance(key, Scalar):
                self._report(mistakes.key_not_text(self._source, key.start))
            elif key.value in entries:
                first = entries[key.value][0].start
                self._report(
                    mistakes.key_twice(
                        self._source, first_line(self._source, key), key.value, first
                    )
                )
            else:
                entries[key.value] = (key, value)
        return Mapping(tuple(entries.values()), closed.start, stop)

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].nodes.append(node)
        else:
            self._root = node
