"""Mistakes that the compiler found in a change, as errors of the call that asked."""

from collections.abc import Iterable, Mapping

from compiler.source import Diagnostic
from server.design.editing import RefusedChange
from server.design.translation import field_of
from server.requests import InvalidRequest, StillInUse, Violation

#: Bytes of all violations: they travel in trailers, of which clients take 8 KiB.
VIOLATIONS_BYTES_MAX = 3_500
#: Characters of one.
_DESCRIPTION_MAX = 400


class RefusedDesign(InvalidRequest):
    """The request is well-formed, and what it makes of the design is not."""

    def __init__(self, violations: Iterable[Violation], count: int) -> None:
        super().__init__(violations)
        first = self.violations[0]
        more = f" and {count - 1} more" if count > 1 else ""
        self.args = (f"{first.field}: {first.description}{more}",)


def refused(error: RefusedChange, own: Mapping[str, str]) -> RefusedDesign:
    """`own` has the path in the request for each resource that it holds."""
    violations = [
        Violation(field_of(one.source.name, own.get), _said(one))
        for one in error.diagnostics
    ]
    return RefusedDesign(_bounded(violations), len(violations))


def in_use(name: str, error: RefusedChange) -> StillInUse:
    """What misses a record that is to be deleted."""
    violations = [
        Violation(field_of(one.source.name, _not_sent), _said(one))
        for one in error.diagnostics
    ]
    return StillInUse(name, _bounded(violations))


def _not_sent(_: str) -> None:
    """The path of a resource in a request that holds none."""


def _said(diagnostic: Diagnostic) -> str:
    """The message, and where in a text of several words it is meant."""
    text = diagnostic.message[:_DESCRIPTION_MAX]
    source, span = diagnostic.source, diagnostic.span
    if span == source.whole() or not source.text.strip():
        return text
    line, column = source.line_and_column(span.start)
    place = f"column {column}" if "\n" not in source.text else f"{line}:{column}"
    return f"{place}: {text}"


def _bounded(violations: list[Violation]) -> list[Violation]:
    kept: list[Violation] = []
    left = VIOLATIONS_BYTES_MAX
    for violation in violations:
        left -= len(violation.field.encode()) + len(violation.description.encode()) + 8
        if left < 0 and kept:
            more = len(violations) - len(kept)
            kept.append(Violation("", f"{more} more mistakes are not shown"))
            break
        kept.append(violation)
    return kept
