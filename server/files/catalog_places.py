"""From the name of a field to the place in a file where its value was written."""

import re
from typing import NamedTuple

from catalog_store.records import Record
from compiler.source import Diagnostic, Source, Span
from server.files.yaml_forms import (
    Body,
    Items,
    Key,
    Kind,
    Structure,
    Texts,
    TextsByName,
    form_of,
)
from server.files.yaml_nodes import Mapping, Node, Scalar, Sequence, first_line
from server.files.yaml_positions import span_in_file

_STEP = re.compile(r"\.?([^.\[\]]+)|\[([0-9]{1,9})\]")


class Place(NamedTuple):
    """Where one resource was written: its body, and the name above it."""

    source: Source
    record: type[Record]
    node: Node
    name: Scalar | None = None


class Places:
    """Where every resource of a catalog was written, by resource name."""

    def __init__(self) -> None:
        self._place_of: dict[str, Place] = {}

    def add(self, resource: str, place: Place) -> None:
        """Note a resource; of two with one name the first counts."""
        self._place_of.setdefault(resource, place)

    def relocate(self, diagnostic: Diagnostic) -> Diagnostic:
        """The same mistake in the file; unchanged if it is of no field of ours."""
        resource, _, field = diagnostic.source.name.partition(":")
        place = self._place_of.get(resource)
        if place is None:
            # A name that is none may contain a colon; the path of a field cannot.
            resource, _, field = diagnostic.source.name.rpartition(":")
            place = self._place_of.get(resource)
        if place is None:
            return diagnostic
        at, is_found = _find(place, field)
        span = _span(place.source, at, diagnostic, is_found=is_found)
        return diagnostic._replace(source=place.source, span=span)


def _span(source: Source, at: "_At", diagnostic: Diagnostic, *, is_found: bool) -> Span:
    if is_found:
        # A mistake in a word of a mapping has that word as its text; another text
        # than the file's is one that a program wrote, such as a number's.
        for node in (at.node, at.name):
            if isinstance(node, Scalar) and node.value == diagnostic.source.text:
                return span_in_file(source, node, diagnostic.span)
    stands_for_it = is_found and not isinstance(at.node, Mapping)
    return first_line(source, at.node if stands_for_it else at.name)


def _find(place: Place, field: str) -> tuple["_At", bool]:
    """The node of a field, or the nearest one above it, and whether it is the field.

    A value that was not written has the name above it as its place.
    """
    at = _At(Body(place.record), place.node, place.name or place.node)
    for step, index in _STEP.findall(field):
        below = at.item(int(index)) if index else at.key(step)
        if below is None:
            return at, False
        at = below
    return at, True


class _At(NamedTuple):
    """A node, what it was read as, and the name that stands for all of it."""

    kind: Kind
    node: Node
    name: Node

    def item(self, index: int) -> "_At | None":
        if isinstance(self.kind, Structure):
            if not isinstance(self.node, Sequence) or index >= len(self.node.items):
                return None
            node = self.node.items[index]
            return _At(self.kind, node, node)
        if not isinstance(self.kind, Items):
            return None
        if self.kind.named:
            if not isinstance(self.node, Mapping):
                return None
            if index >= len(self.node.entries):
                return None
            name, node = self.node.entries[index]
            return _At(self.kind.of, node, name)
        if not isinstance(self.node, Sequence):
            return _At(self.kind.of, self.node, self.node) if index == 0 else None
        if index >= len(self.node.items):
            return None
        node = self.node.items[index]
        return _At(self.kind.of, node, node)

    def key(self, step: str) -> "_At | None":
        match self.kind:
            case Body(record):
                return self._field(record, step)
            case Texts() | TextsByName() | Structure() if isinstance(
                self.node, Mapping
            ):
                entry = self.node.get(step)
                return None if entry is None else _At(self.kind, entry[1], entry[0])
            case _:
                # The end of a window, on the record itself.
                return None

    def _field(self, record: type[Record], step: str) -> "_At | None":
        form = form_of(record)
        if step == "name" and form.named:
            return _At(self.kind, self.name, self.name)
        if step == "window":
            return self
        key = _key_of(record, step)
        if key is None:
            return None
        name, known = key
        if isinstance(self.node, Mapping):
            entry = self.node.get(name)
            return None if entry is None else _At(known.kind, entry[1], entry[0])
        if name == form.shorthand:
            return _At(known.kind, self.node, self.node)
        return None


def _key_of(record: type[Record], step: str) -> tuple[str, Key] | None:
    for name, key in form_of(record).keys.items():
        if key.path in (step, f"window.{step}"):
            return name, key
    return None
