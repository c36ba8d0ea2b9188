"""What an earlier compilation of an environment can give to the next one."""

import re
from collections.abc import Collection, Iterable

from catalog_store.compiled import CompiledEnvironment
from catalog_store.records import Attribute, Environment
from catalog_store.stored_rule import StoredRule
from compiler.rule_fields import RuleField, environment_schema, rule_fields
from compiler.rules import Kind
from compiler.schema import SEGMENT_RECORD, Schema

_WORD = re.compile(r"[A-Za-z0-9_]+")


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
