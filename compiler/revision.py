"""A catalog to what one revision holds: every rule compiled, each distinct one once."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from catalog_store.compiled import CompiledCatalog, CompiledEnvironment, StoredRule
from catalog_store.records import (
    Catalog,
    Environment,
)
from compiler.assembly import Assembly
from compiler.catalog_check import check_catalog
from compiler.catalog_templates import compile_templates
from compiler.check import check
from compiler.conditions import ConditionNumbers, Conjunct, conjuncts_of
from compiler.index import index_environment, rebuild_index
from compiler.index_reuse import IndexBefore
from compiler.reuse import Reuse
from compiler.rule_fields import (
    RuleField,
    environment_schema,
    environment_segments,
    rule_fields,
)
from compiler.rules import (
    CODE_TAG,
    Kind,
    compile_rule,
    rebuild_code,
)
from compiler.schema import Schema
from compiler.segments import Segments
from compiler.source import Diagnostic, Refused, Severity

#: What is compiled once: a text, and what its result is for.
RuleKey = tuple[str, Kind]

#: Rules between two calls of a progress callback.
_PROGRESS_STEP = 64


class Compilation(NamedTuple):
    """A compiled catalog, and what its authors should know of it all the same."""

    catalog: CompiledCatalog
    #: Warnings and notes.
    diagnostics: tuple[Diagnostic, ...]


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
    known: Mapping[str, CompiledEnvironment] = {}
    if previous is not None and previous.code_tag == CODE_TAG:
        known = {one.environment.name: one for one in previous.environments}
    accepted = {name: one.environment for name, one in known.items()}
    found = check_catalog(catalog, accepted)
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
        CompiledEnvironment(
            one.environment,
            one.rules,
            one.rule_of,
            index_environment(
                one.environment, one.rules, one.rule_of, one.conditions, one.before
            ),
            one.templates,
        )
        for one in compiled
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


def _as_stored(environment: Environment) -> Environment:
    """The record as a revision gives it back, so that both have one digest.

    A weight written as 1 is 1.0 there; what cannot be encoded was refused before.
    """
    encoded = msgspec.msgpack.encode(environment)
    return msgspec.msgpack.decode(encoded, type=Environment)


def _compile_environment(
    environment: Environment,
    fields: Iterable[RuleField],
    reuse: Reuse,
    step: Callable[[], None],
) -> "_Compiled":
    """Raises Refused with the diagnostics of all of its rules."""
    try:
        schema = environment_schema(environment)
    except ValueError:
        # `check_catalog` says which names, and where.
        raise Refused([]) from None
    taken: dict[RuleKey, int] = {}
    new: dict[RuleKey, None] = {}
    for field in fields:
        key = field.source.text, field.kind
        if key in taken or key in new:
            continue
        old = reuse.rule(field)
        if old is None:
            new[key] = None
        else:
            taken[key] = old
    found: list[Diagnostic] = []
    segments: Segments | None = None
    templates: dict[str, bytes] = {}
    try:
        templates = compile_templates(environment, schema, reuse.contents(environment))
    except Refused as refused:
        found.extend(refused.diagnostics)
    try:
        needed = reuse.segments_needed(text for text, _ in new)
        segments = environment_segments(environment, schema, needed)
    except Refused as refused:
        found.extend(refused.diagnostics)
    assembly = Assembly((text for text, kind in new if kind is Kind.CONDITION), schema)
    conditions = reuse.condition_numbers()
    numbers: dict[RuleKey, int] = {}
    rules: list[StoredRule] = []
    rule_of: dict[str, int] = {}
    for field in fields:
        step()
        key = field.source.text, field.kind
        number = numbers.get(key)
        if number is None:
            old = taken.get(key)
            if old is None:
                try:
                    rule = _compile_rule(field, schema, segments, assembly)
                except Refused as refused:
                    found.extend(refused.diagnostics)
                    continue
                if rule is None:
                    continue
                conditions.add(rule.conjuncts)
                stored = rule.stored
            else:
                conditions.take(old)
                stored = reuse.stored(old)
            number = numbers[key] = len(rules)
            rules.append(stored)
        rule_of[field.source.name] = number
    if found:
        # A segment that is wrong was found so twice: it is a rule of its own, too.
        raise Refused(dict.fromkeys(found))
    new_rules = {numbers[key] for key in new}
    before = reuse.index_before(new_rules)
    return _Compiled(environment, tuple(rules), rule_of, templates, conditions, before)


class _Compiled(NamedTuple):
    """An environment's rules, before they are indexed."""

    environment: Environment
    rules: tuple[StoredRule, ...]
    rule_of: dict[str, int]
    templates: dict[str, bytes]
    conditions: ConditionNumbers
    before: IndexBefore | None


class _NewRule(NamedTuple):
    stored: StoredRule
    conjuncts: Sequence[Conjunct]


def _compile_rule(
    field: RuleField, schema: Schema, segments: Segments | None, assembly: Assembly
) -> _NewRule | None:
    """None when segments were refused: then only what is wrong here is news."""
    source, kind = field
    if segments is None:
        check(source, schema, kind)
        return None
    assembled = assembly.rule(source) if kind is Kind.CONDITION else None
    if assembled is not None:
        tree_bytes, code, conjuncts = assembled
    else:
        tree, tree_bytes, code = compile_rule(source, schema, kind, segments)
        conjuncts = conjuncts_of(tree) if kind is Kind.CONDITION else ()
    stored = StoredRule(
        text=source.text, formula=kind is Kind.FORMULA, tree=tree_bytes, code=code
    )
    return _NewRule(stored, conjuncts)


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
