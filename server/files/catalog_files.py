"""A catalog's folder to a catalog, or to every mistake in it.

One pass per file turns text into nodes, one per environment turns nodes into records
and notes where each of them stands; then what was read is checked as a whole.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo
from pathlib import Path
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from catalog_store.records import (
    Catalog,
    Environment,
    Record,
    resource_name,
)
from compiler.catalog_check import check_catalog
from compiler.catalog_diagnostics import FINDINGS_MAX
from compiler.source import Diagnostic, Refused, Severity, Source, Span
from server.files import catalog_mistakes as mistakes
from server.files.catalog_folder import EnvironmentFiles, display, environment_files
from server.files.catalog_places import Place, Places
from server.files.yaml_forms import Body, Items, form_of
from server.files.yaml_nodes import NOTHING, Mapping, Scalar, first_line, parse
from server.files.yaml_records import UNREADABLE_TEXT, Reader, is_nothing, words_of

#: The fields of an environment that any of its files may hold.
SECTIONS = (
    "categories",
    "offers",
    "spaces",
    "segments",
    "presentation_rules",
    "typologies",
    "quotas",
    "golden_decisions",
)


#: Says what is wrong with a catalog that was read.
Check = Callable[[Catalog], Iterable[Diagnostic]]


class CatalogFiles(NamedTuple):
    """A catalog that was read from files."""

    catalog: Catalog
    #: The same diagnostic, at the place in the file where its field was written.
    relocate: Callable[[Diagnostic], Diagnostic]


def read_catalog(path: Path, check: Check = check_catalog) -> CatalogFiles:
    """Read the catalog of a folder.

    The records are well-formed; whether they fit together `check_catalog` says, and
    whether their rules are right the compiler. Raises Refused with all mistakes of
    the files and, where records could be made all the same, the errors that `check`
    finds in those, each at its place.
    """
    found: list[Diagnostic] = []
    try:
        reading = _Reading(_stopping(found))
        environments = tuple(
            reading.environment(files)
            for files in environment_files(path, reading.report)
        )
    except _Enough:
        raise Refused([*found, mistakes.more(display(path), FINDINGS_MAX)]) from None
    catalog = Catalog(environments=environments)
    files = CatalogFiles(catalog, reading.places.relocate)
    if found:
        raise Refused(found + _further(files, found, reading, check))
    return files


def read_environment(
    files: EnvironmentFiles, report: Callable[[Diagnostic], None]
) -> Environment:
    """One environment of some of its files; after a report it is fit for nothing."""
    return _Reading(report).environment(files)


class _Enough(Exception):
    """More mistakes would help nobody."""


def _stopping(found: list[Diagnostic]) -> Callable[[Diagnostic], None]:
    def report(diagnostic: Diagnostic) -> None:
        if len(found) == FINDINGS_MAX:
            raise _Enough
        found.append(diagnostic)

    return report


def _further(
    files: CatalogFiles, found: list[Diagnostic], reading: "_Reading", check: Check
) -> list[Diagnostic]:
    """What else is wrong with a catalog that holds stand-ins."""
    if not reading.whole:
        # What stood in an unreadable part would be reported as unknown.
        return []
    if any(reading.is_attribute(each) for each in found):
        # Rules would be blamed for the stand-in's type.
        check = check_catalog
    return [
        files.relocate(each)
        for each in check(files.catalog)
        if each.severity is Severity.ERROR and each.source.text != UNREADABLE_TEXT
    ]


class _Reading:
    """Reads environments, and remembers where everything stands."""

    def __init__(self, report: Callable[[Diagnostic], None]) -> None:
        self.report = report
        self.places = Places()
        #: Whether every name that was written down is in the records.
        self.whole = True
        self._attributes: list[tuple[str, Span]] = []

    def is_attribute(self, diagnostic: Diagnostic) -> bool:
        """Whether a mistake is in the declaration of an attribute."""
        return any(
            diagnostic.source.name == name
            and declared.start <= diagnostic.span.start <= declared.stop
            for name, declared in self._attributes
        )

    def environment(self, files: EnvironmentFiles) -> Environment:
        roots = [(source, self._root(source)) for source in files.sources]
        zone = _time_zone(roots)
        values: dict[str, list[Record]] = {name: [] for name in SECTIONS}
        first: dict[tuple[str, str], tuple[Source, int]] = {}
        own: tuple[Source, Mapping] = (Source(files.name, ""), NOTHING)
        for index, (source, root) in enumerate(roots):
            reader = Reader(source, zone, self.report)
            rest = self._sections(files.name, reader, root, values, first)
            if index == 0 and source.name.endswith("/environment.yaml"):
                own = source, rest
            else:
                self._refuse_rest(source, rest)
        source, rest = own
        self.places.add(
            resource_name(files.name), Place(source, Environment, rest, _top(source))
        )
        for key, node in rest.entries:
            if key.value in ("contact_attributes", "context_attributes"):
                self._attributes.append((source.name, Span(key.start, node.stop)))
        name = Scalar(files.name, 0, 0)
        record = Reader(source, zone, self.report).record(Environment, rest, name)
        if any(key.value not in form_of(Environment).keys for key, _ in rest.entries):
            self.whole = False
        sections = {section: tuple(records) for section, records in values.items()}
        return msgspec.structs.replace(cast(Environment, record), **sections)

    def _root(self, source: Source) -> Mapping:
        root = parse(source, self.report)
        if root is None:
            self.whole = False
            return NOTHING
        if isinstance(root, Mapping):
            return root
        if not is_nothing(root):
            self.whole = False
            self.report(mistakes.not_sections(source, first_line(source, root)))
        return NOTHING

    def _sections(
        self,
        environment: str,
        reader: Reader,
        root: Mapping,
        values: dict[str, list[Record]],
        first: dict[tuple[str, str], tuple[Source, int]],
    ) -> Mapping:
        """Read the sections of one file; the rest of the file is returned."""
        rest = tuple(entry for entry in root.entries if entry[0].value not in SECTIONS)
        for key, node in root.entries:
            section = key.value
            if section not in SECTIONS or is_nothing(node):
                continue
            kind = form_of(Environment).keys[section].kind
            assert isinstance(kind, Items)
            assert isinstance(kind.of, Body)
            if not isinstance(node, Mapping):
                self.whole = False
            read = cast(tuple[Record, ...], reader.value(kind, section, node))
            named = node.entries if isinstance(node, Mapping) else ()
            for record, (name, body) in zip(read, named, strict=True):
                known = first.setdefault(
                    (section, name.value), (reader.source, name.start)
                )
                if known != (reader.source, name.start):
                    span = first_line(reader.source, name)
                    what = words_of(kind.of.record)
                    self.report(
                        mistakes.name_twice(
                            reader.source, span, what, name.value, *known
                        )
                    )
                    continue
                values[section].append(record)
                self.places.add(
                    resource_name(environment, section, name.value),
                    Place(reader.source, kind.of.record, body, name),
                )
        return Mapping(rest, root.start, root.stop)

    def _refuse_rest(self, source: Source, rest: Mapping) -> None:
        for key, _ in rest.entries:
            span = first_line(source, key)
            if key.value in form_of(Environment).keys:
                self.report(mistakes.misplaced_key(source, span, key.value))
            else:
                self.whole = False
                self.report(mistakes.unknown_section(source, span, key.value, SECTIONS))


def _top(source: Source) -> Scalar:
    """The first line of a file, which stands for all of it."""
    return Scalar("", 0, len(source.text.split("\n", 1)[0]))


def _time_zone(roots: list[tuple[Source, Mapping]]) -> tzinfo:
    """The environment's zone; UTC where it is unknown, which the check reports."""
    for _, root in roots:
        entry = root.get("time_zone")
        if entry is not None and isinstance(entry[1], Scalar):
            try:
                return ZoneInfo(entry[1].value)
            except (ValueError, OSError, LookupError):
                return UTC
    return UTC
