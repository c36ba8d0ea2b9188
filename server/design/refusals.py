"""Mistakes that the compiler found in a change, as errors of the call that asked."""

from collections.abc import Mapping

from compiler.source import Diagnostic
from server.design.editing import RefusedChange
from server.design.translation import field_of
from server.requests import InvalidRequest, StillInUse, Violation


def refused(error: RefusedChange, own: Mapping[str, str]) -> InvalidRequest:
    """`own` has the path in the request for each resource that it holds."""
    violations = [
        Violation(field_of(one.source.name, own.get), _said(one))
        for one in error.diagnostics
    ]
    return InvalidRequest(violations)


def in_use(name: str, error: RefusedChange) -> StillInUse:
    """What misses a record that is to be deleted."""
    violations = [
        Violation(field_of(one.source.name, _not_sent), _said(one))
        for one in error.diagnostics
    ]
    return StillInUse(name, violations)


def _not_sent(_: str) -> None:
    """The path of a resource in a request that holds none."""


def _said(diagnostic: Diagnostic) -> str:
    """The message, and where in a text of several words it is meant."""
    text = diagnostic.message
    source, span = diagnostic.source, diagnostic.span
    if span == source.whole() or not source.text.strip():
        return text
    line, column = source.line_and_column(span.start)
    place = f"column {column}" if "\n" not in source.text else f"{line}:{column}"
    return f"{place}: {text}"
