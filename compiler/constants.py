"""Calls whose constants are evaluated, or checked, while a rule is compiled."""

from collections.abc import Callable
from typing import Final

from compiler import diagnostics
from compiler.positions import Positions
from compiler.runtime import times
from compiler.runtime.tree import Node, Op
from compiler.runtime.values import check_pattern
from compiler.source import Diagnostic, Span
from compiler.types import ERROR, strip

_PARSED: Final[dict[str, tuple[Callable[[str], int], str]]] = {
    "timestamp": (times.parse_timestamp, "'2026-01-31T09:00:00Z'"),
    "duration": (times.parse_duration, "'1h30m'"),
}


class Constants:
    """timestamp(), duration(), matches() and the parts of times."""

    def __init__(self, positions: Positions, found: list[Diagnostic]) -> None:
        self._source = positions.source
        self._found = found

    def call(self, function: str, span: Span, children: tuple[Node, ...]) -> Node:
        """The node of such a call, or one of type ERROR and a diagnostic."""
        if function in _PARSED:
            return self._parsed(function, span, children[0])
        if function == "matches":
            return self._matches(span, children)
        return self._part(function, span, children)

    def _parsed(self, function: str, span: Span, child: Node) -> Node:
        parse, example = _PARSED[function]
        if strip(child.type) == function:
            return child
        if child.op is not Op.CONSTANT or not isinstance(child.value, str):
            return self._error(
                diagnostics.constant_needed(
                    self._source, span, f"{function}()'s argument", example
                )
            )
        try:
            micros = parse(child.value)
        except ValueError as error:
            return self._bad(child, function, str(error))
        return Node(Op.CONSTANT, function, span, value=micros)

    def _matches(self, span: Span, children: tuple[Node, ...]) -> Node:
        subject, pattern = children
        if pattern.op is not Op.CONSTANT or not isinstance(pattern.value, str):
            return self._error(
                diagnostics.constant_needed(
                    self._source, Span(*pattern.span), "a pattern", "'^FR[0-9]+$'"
                )
            )
        try:
            check_pattern(pattern.value)
        except ValueError as error:
            return self._bad(pattern, "pattern", str(error))
        return Node(Op.MATCHES, "bool", span, (subject,), pattern.value)

    def _part(self, function: str, span: Span, children: tuple[Node, ...]) -> Node:
        subject, *zones = children
        name = ""
        if zones:
            zone = zones[0]
            if zone.op is not Op.CONSTANT or not isinstance(zone.value, str):
                return self._error(
                    diagnostics.constant_needed(
                        self._source, Span(*zone.span), "a time zone", "'Europe/Paris'"
                    )
                )
            try:
                times.time_zone(zone.value)
            except ValueError:
                return self._bad(
                    zone, "time zone", "write it as 'Europe/Paris' or '+01:00'"
                )
            name = "" if zone.value == "UTC" else zone.value
        return Node(Op.PART, "int", span, (subject,), (function, name))

    def _bad(self, child: Node, what: str, reason: str) -> Node:
        return self._error(
            diagnostics.bad_constant(
                self._source, Span(*child.span), what, str(child.value), reason
            )
        )

    def _error(self, diagnostic: Diagnostic) -> Node:
        self._found.append(diagnostic)
        return Node(Op.CONSTANT, ERROR, diagnostic.span)
