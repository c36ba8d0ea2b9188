"""A catalog to what one revision holds: every rule compiled, each distinct one once."""

import hashlib
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from catalog_store.compiled import CompiledCatalog, CompiledEnvironment, StoredRule
from catalog_store.records import (
    Attribute,
    Catalog,
    Environment,
    WeightRow,
    resource_name,
)
from compiler.catalog_check import check_catalog
from compiler.check import check
from compiler.index import index_environment, rebuild_index
from compiler.rules import CODE_TAG, Kind, compile_rule, rebuild_code
from compiler.schema import SEGMENT_RECORD, Schema
from compiler.segments import Segments, compile_segments
from compiler.source import Diagnostic, Refused, Severity, Source, field_source

_WORD = re.compile(r"[A-Za-z0-9_]+")
#: Rules between two calls of a progress callback.
_PROGRESS_STEP = 64


class Compilation(NamedTuple):
    """A compiled catalog, and what its authors should know of it all the same."""

    catalog: CompiledCatalog
    #: Warnings and notes.
    diagnostics: tuple[Diagnostic, ...]


class RuleField(NamedTuple):
    """A field of a record that holds a rule or a formula."""

    source: Source
    kind: Kind


#: Called with how many of how many rules are done.
Progress = Callable[[int, int], None]


def compile_catalog(
    catalog: Catalog,
    previous: CompiledCatalog | None = None,
    *,
    progress: Progress | None = None,
) -> Compilation:
    """Compile everything; raises Refused with every error of all environments.

    Of `previous`, which must be this function's own work with the same
    `compiler_fingerprint`, every rule is taken that would be compiled to the same
    again: the result is equal to that without it. `progress` is told how many of how
    many rules are done.
    """
    found = check_catalog(catalog)
    known: Mapping[str, CompiledEnvironment] = {}
    if previous is not None and previous.code_tag == CODE_TAG:
        known = {one.environment.name: one for one in previous.environments}
    stored = tuple(map(_as_stored, catalog.environments))
    fields = [tuple(rule_fields(environment)) for environment in stored]
    step = _Steps(progress, sum(map(len, fields))).done
    compiled: list[_Compiled] = []
    for environment, own_fields in zip(stored, fields, strict=True):
        reuse = Reuse(environment, known.get(environment.name))
        try:
            compiled.append(_compile_environment(environment, own_fields, reuse, step))
        except Refused as refused:
            found.extend(refused.diagnostics)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in found):
        raise Refused(found)
    environments = tuple(
        CompiledEnvironment(*one, index=index_environment(*one)) for one in compiled
    )
    return Compilation(CompiledCatalog(environments, CODE_TAG), tuple(found))


def rebuild(catalog: CompiledCatalog) -> CompiledCatalog:
    """The same catalog with code for this Python; trees are trusted as checked.

    Raises EncodingError when a tree is not one.
    """
    return CompiledCatalog(
        environments=tuple(
            msgspec.structs.replace(
                environment,
                rules=tuple(map(_with_code, environment.rules)),
                index=rebuild_index(environment.index, _with_code),
            )
            for environment in catalog.environments
        ),
        code_tag=CODE_TAG,
    )


def _with_code(rule: StoredRule) -> StoredRule:
    return msgspec.structs.replace(rule, code=rebuild_code(rule.tree))


@cache
def compiler_fingerprint() -> str:
    """Whose work a compilation is: 64 hexadecimal digits.

    Two compilers with the same fingerprint make the same of the same catalog: it covers
    the compiler's sources, its front end's version and this Python.
    """
    sha256 = hashlib.sha256(f"{CODE_TAG}\0{version('cel-expr-python')}".encode())
    package = Path(__file__).parent
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        name = path.relative_to(package).as_posix()
        sha256.update(f"\0{name}\0{len(source)}\0".encode() + source)
    return sha256.hexdigest()


def rule_fields(environment: Environment) -> Iterator[RuleField]:
    """Every field with a rule or a formula, in the order of the record."""
    name = environment.name
    yield from _fields(resource_name(name), environment.rule, environment.weights)
    for category in environment.categories:
        resource = resource_name(name, "categories", category.name)
        yield from _fields(resource, category.rule, category.weights)
    for offer in environment.offers:
        resource = resource_name(name, "offers", offer.name)
        yield from _fields(resource, offer.rule, offer.weights)
    for rule in environment.presentation_rules:
        resource = resource_name(name, "presentation_rules", rule.name)
        yield from _fields(resource, rule.rule)


def environment_schema(environment: Environment) -> Schema:
    """What the rules of an environment may name; raises ValueError."""
    return Schema.of(
        environment.contact_attributes,
        environment.context_attributes,
        tuple(segment.name for segment in environment.segments),
    )


def environment_segments(
    environment: Environment, schema: Schema, only: Container[str] | None = None
) -> Segments:
    """The segments of an environment, or some that need no others, compiled.

    Raises Refused.
    """
    sources = {
        segment.name: field_source(
            resource_name(environment.name, "segments", segment.name),
            "rule",
            segment.rule,
        )
        for segment in environment.segments
        if only is None or segment.name in only
    }
    return compile_segments(sources, schema)


def _as_stored(environment: Environment) -> Environment:
    """The record as a revision gives it back, so that both have one digest.

    A weight written as 1 is 1.0 there; what cannot be encoded was refused before.
    """
    encoded = msgspec.msgpack.encode(environment)
    return msgspec.msgpack.decode(encoded, type=Environment)


def _compile_environment(
    environment: Environment,
    fields: Iterable[RuleField],
    reuse: "Reuse",
    step: Callable[[], None],
) -> "_Compiled":
    """Raises Refused with the diagnostics of all of its rules."""
    try:
        schema = environment_schema(environment)
    except ValueError:
        # `check_catalog` says which names, and where.
        raise Refused([]) from None
    found: list[Diagnostic] = []
    segments: Segments | None = None
    try:
        needed = reuse.segments_needed(fields)
        segments = environment_segments(environment, schema, needed)
    except Refused as refused:
        found.extend(refused.diagnostics)
    numbers: dict[tuple[str, Kind], int] = {}
    rules: list[StoredRule] = []
    rule_of: dict[str, int] = {}
    for field in fields:
        step()
        source, kind = field
        number = numbers.get((source.text, kind))
        if number is None:
            try:
                rule = reuse.rule(field) or _compile_rule(field, schema, segments)
            except Refused as refused:
                found.extend(refused.diagnostics)
                continue
            if rule is None:
                continue
            number = numbers[source.text, kind] = len(rules)
            rules.append(rule)
        rule_of[source.name] = number
    if found:
        raise Refused(found)
    return _Compiled(environment, tuple(rules), rule_of)


class _Compiled(NamedTuple):
    """An environment's rules, before they are indexed."""

    environment: Environment
    rules: tuple[StoredRule, ...]
    rule_of: dict[str, int]


def _compile_rule(
    field: RuleField, schema: Schema, segments: Segments | None
) -> StoredRule | None:
    """None when segments were refused: then only what is wrong here is news."""
    source, kind = field
    if segments is None:
        check(source, schema, kind)
        return None
    compiled = compile_rule(source, schema, kind, segments)
    return StoredRule(
        text=source.text,
        formula=kind is Kind.FORMULA,
        tree=compiled.tree_bytes,
        code=compiled.code,
    )


class Reuse:
    """What the previous compilation of an environment can give to this one.

    Tree and code of a rule follow from its text and kind, the name of the field where
    it first stands, the attributes that are declared, and the texts of the segments
    that it uses, directly or not. Where all of these are as they were, it is taken.
    """

    def __init__(
        self, environment: Environment, previous: CompiledEnvironment | None
    ) -> None:
        self._texts = {one.name: one.rule for one in environment.segments}
        self._rules: dict[RuleField, StoredRule] = {}
        self._changed: set[str] = set(self._texts)
        if previous is None or _declared(environment) != _declared(
            previous.environment
        ):
            return
        before = {one.name: one.rule for one in previous.environment.segments}
        self._rules = _first_uses(previous)
        self._changed = self._users(
            {
                name
                for name in self._texts.keys() | before.keys()
                if self._texts.get(name) != before.get(name)
            }
        )

    def rule(self, field: RuleField) -> StoredRule | None:
        """The rule of a field as it was compiled; None if it must be compiled."""
        rule = self._rules.get(field)
        if rule is not None and _words(field.source.text, self._changed):
            return None
        return rule

    def segments_needed(self, fields: Iterable[RuleField]) -> set[str] | None:
        """The segments that must be compiled: those that rules not known here use.

        None is all of them, since one that changed may be wrong.
        """
        if self._changed:
            return None
        compiled = {field.source.text for field in fields if field not in self._rules}
        needed = set[str]()
        reached = {name for text in compiled for name in _words(text, self._texts)}
        while reached:
            needed |= reached
            used = (_words(self._texts[name], self._texts) for name in reached)
            reached = set[str]().union(*used) - needed
        return needed

    def _users(self, changed: set[str]) -> set[str]:
        """These segments, and all that use one of them, directly or not."""
        found, reached = set[str](), changed
        while reached:
            found |= reached
            reached = {
                name
                for name, text in self._texts.items()
                if name not in found and _words(text, reached)
            }
        return found


def _first_uses(previous: CompiledEnvironment) -> dict[RuleField, StoredRule]:
    """Compiled rules by the field that gave a rule its name: the first to hold it."""
    first: dict[tuple[str, Kind], RuleField] = {}
    for field in rule_fields(previous.environment):
        first.setdefault((field.source.text, field.kind), field)
    return {
        field: rule
        for field, rule in zip(first.values(), previous.rules, strict=False)
        if rule.text == field.source.text
        and rule.formula == (field.kind is Kind.FORMULA)
    }


def _words(text: str, names: Collection[str]) -> set[str]:
    """Those of some segments that a rule may use.

    A rule has no other way to use a segment than to spell out its name, so that a name
    in a string or a comment is the only mistake that this can make; it costs a
    compilation.
    """
    if not names or SEGMENT_RECORD not in text:
        return set()
    return {word for word in _WORD.findall(text) if word in names}


def _declared(environment: Environment) -> Schema | None:
    """What of a schema can change a rule's tree; None if it is no schema."""

    def bare(attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        return tuple(Attribute(name=one.name, type=one.type) for one in attributes)

    try:
        schema = environment_schema(environment)
    except ValueError:
        return None
    return schema._replace(
        contact=bare(schema.contact), context=bare(schema.context), segments=()
    )


class _Steps:
    """Counts rules for whoever shows the progress."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def done(self) -> None:
        self._done += 1
        if self._progress is not None and (
            self._done % _PROGRESS_STEP == 0 or self._done == self._total
        ):
            self._progress(self._done, self._total)


def _fields(
    resource: str, rule: str | None, rows: Iterable[WeightRow] = ()
) -> list[RuleField]:
    found: list[RuleField] = []
    if rule is not None:
        found.append(RuleField(Source(f"{resource}:rule", rule), Kind.CONDITION))
    for place, row in enumerate(rows):
        field = f"{resource}:weights[{place}]"
        if isinstance(row.weight, str):
            source = Source(f"{field}.weight", row.weight)
            found.append(RuleField(source, Kind.FORMULA))
        if row.rule is not None:
            source = Source(f"{field}.rule", row.rule)
            found.append(RuleField(source, Kind.CONDITION))
    return found
