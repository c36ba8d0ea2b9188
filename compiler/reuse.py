"""What an earlier compilation of an environment can give to the next one."""

import re
from collections.abc import Collection, Iterable

from catalog_store.compiled import CompiledEnvironment
from catalog_store.records import Attribute, Environment
from catalog_store.stored_rule import StoredRule
from compiler.catalog_templates import contents_of, offer_attributes
from compiler.conditions import ConditionNumbers, RuleConditions, decode_conditions
from compiler.index_reuse import IndexBefore
from compiler.rule_fields import RuleField, environment_schema
from compiler.rules import Kind
from compiler.runtime.encoding import source_name
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
        self._changed: set[str] = set(self._texts)
        self._previous = previous
        self._conditions: RuleConditions | None = None
        if previous is None or _declared(environment) != _declared(
            previous.environment
        ):
            return
        conditions = decode_conditions(previous.index.conditions, len(previous.rules))
        if conditions is None:
            return
        self._conditions = conditions
        before = {one.name: one.rule for one in previous.environment.segments}
        self._changed = self._users(
            {
                name
                for name in self._texts.keys() | before.keys()
                if self._texts.get(name) != before.get(name)
            }
        )

    def rule(self, field: RuleField) -> int | None:
        """The previous number of a field's rule; None if it must be compiled.

        The field is the first that holds the rule.
        """
        if self._conditions is None or self._previous is None:
            return None
        source, kind = field
        number = self._previous.rule_of.get(source.name)
        if number is None or number >= len(self._previous.rules):
            return None
        rule = self._previous.rules[number]
        if (
            rule.text != source.text
            or rule.formula != (kind is Kind.FORMULA)
            # The first field that held it gave it its name, and positions in errors.
            or source_name(rule.tree) != source.name.encode()
            or _words(source.text, self._changed)
        ):
            return None
        return number

    def stored(self, number: int) -> StoredRule:
        """A rule by its previous number."""
        assert self._previous is not None
        return self._previous.rules[number]

    def contents(self, environment: Environment) -> dict[str, bytes]:
        """Texts of contents -> their templates, where these follow from the text."""
        previous = self._previous
        if self._conditions is None or previous is None or not previous.templates:
            return {}
        before = previous.environment
        if before.time_zone != environment.time_zone or offer_attributes(
            before
        ) != offer_attributes(environment):
            return {}
        return contents_of(before, previous.templates)

    def condition_numbers(self) -> ConditionNumbers:
        """Numbers of conditions that know the previous ones."""
        conditions, previous = self._conditions, self._previous
        if conditions is None or previous is None:
            return ConditionNumbers()
        predicates: dict[bytes, StoredRule] = {}
        for index, numbers in (
            (previous.index.offer_index, conditions.offer_predicates),
            (previous.index.row_index, conditions.row_predicates),
        ):
            if index is not None:
                for number, predicate in zip(numbers, index.predicates, strict=False):
                    predicates[conditions.distinct[number].meaning] = predicate
        return ConditionNumbers(conditions, predicates)

    def index_before(self, new_rules: Collection[int]) -> IndexBefore | None:
        """What the index can be made of, given the rules that were not taken."""
        if self._conditions is None or self._previous is None:
            return None
        return IndexBefore(self._previous, self._conditions, new_rules)

    def segments_needed(self, texts: Iterable[str]) -> set[str] | None:
        """The segments that must be compiled: those that rules compiled now use.

        None is all of them, since one that changed may be wrong.
        """
        if self._changed:
            return None
        needed = set[str]()
        reached = {name for text in texts for name in _words(text, self._texts)}
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
