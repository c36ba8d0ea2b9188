"""What a catalog says that its authors cannot mean.

Conditions over one attribute and constants are known for every value that there is
(`attribute_tests`), so that a contradiction between them is found, not guessed:

    a rule that no contact can meet, alone or together with those above it
    a rule that every contact meets
    a weight row that another row of the same offer beats for every contact
    windows that never meet
    attributes that no rule reads, or without the range that formulas need
    spaces that what is always included does not reach

Warnings tell of offers and rows that can never be proposed; notes of what is merely
without effect. Nothing here keeps a catalog from being published.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf

from catalog_store.category_paths import CategoryPaths
from catalog_store.compiled import CompiledEnvironment
from catalog_store.records import (
    WEIGHT_MAX,
    Attribute,
    Environment,
    Offer,
    Space,
    WeightRow,
    Window,
    resource_name,
)
from catalog_store.stored_rule import StoredRule
from compiler import analysis_diagnostics as findings
from compiler.attribute_tests import ORDERED_TYPES, AttributeTest
from compiler.bounds import unbounded
from compiler.catalog_diagnostics import Field
from compiler.conditions import RuleConditions, decode_conditions
from compiler.conjuncts import Conjuncts
from compiler.rule_fields import environment_schema
from compiler.runtime.encoding import decode
from compiler.runtime.tree import Op, slot_of, walk
from compiler.source import Diagnostic
from compiler.weight_bounds import row_bounds

_WORD = re.compile(r"[A-Za-z0-9_]+")


def analyse(compiled: CompiledEnvironment) -> list[Diagnostic]:
    """Findings in an environment that was compiled here, in the order of its records.

    PERF: 10,000 offers whose rules all differ, of bench.catalogs: 0.35 s; with every
    tree decoded to find its conditions, and what it reads, 7.1 s.
    """
    environment, rules, rule_of = (
        compiled.environment,
        compiled.rules,
        compiled.rule_of,
    )
    conditions = decode_conditions(compiled.index.conditions, len(rules))
    analysis = _Analysis(environment, rules, rule_of, conditions)
    found = [*analysis.of_rules()]
    for offer in environment.offers:
        found += analysis.of_offer(offer)
    found += _unused(environment, rules)
    found += _unbounded(environment, rules, rule_of)
    found += _unreached(environment, analysis.paths)
    return found


class _Analysis:
    """One environment, with what its rules need taken apart."""

    def __init__(
        self,
        environment: Environment,
        rules: Sequence[StoredRule],
        rule_of: Mapping[str, int],
        conditions: RuleConditions | None,
    ) -> None:
        self.paths = CategoryPaths(environment)
        self._environment = environment
        #: Conditions -> whether they can hold together.
        self._holds: dict[tuple[int, ...], bool] = {}
        self._rules = rules
        self._rule_of = rule_of
        self._conjuncts = Conjuncts(environment.name, rules, rule_of, conditions)

    def of_rules(self) -> Iterator[Diagnostic]:
        """Each condition for itself."""
        for name, number in self._rule_of.items():
            rule = self._rules[number]
            if rule.formula:
                continue
            resource, _, path = name.partition(":")
            field = Field(resource, path, rule.text)
            needed = self._conjuncts.of_rule(number)
            if not needed:
                # Not a condition: an expression that a space stores.
                continue
            if not self._can_hold(needed):
                yield findings.never_true(field)
            elif all(self._always_holds(n) for n in needed):
                yield findings.always_true(field)

    def of_offer(self, offer: Offer) -> Iterator[Diagnostic]:
        """An offer with all that it inherits, and its rows."""
        environment = self._environment.name
        resource = resource_name(environment, "offers", offer.name)
        path = self.paths.path(offer.category)
        open_ = _intersection([offer.window, *(c.window for c in path)])
        if open_[0] >= open_[1]:
            yield findings.windows_never_meet(Field(resource, "window"))
            return
        needed = self._conjuncts.of_offer(offer, self.paths)
        own = self._rule_of.get(f"{resource}:rule")
        if not self._can_hold(needed):
            if own is None or self._can_hold(self._conjuncts.of_rule(own)):
                yield findings.contradicts_categories(
                    Field(resource, "rule", offer.rule or "")
                )
            return
        for place, row in enumerate(offer.weights):
            yield from self._of_row(offer, place, row, open_)

    def _of_row(
        self, offer: Offer, place: int, row: WeightRow, open_: tuple[float, float]
    ) -> Iterator[Diagnostic]:
        resource = resource_name(self._environment.name, "offers", offer.name)
        own_window = _limits(row.window)
        if max(own_window[0], open_[0]) >= min(own_window[1], open_[1]):
            yield findings.windows_never_meet(
                Field(resource, f"weights[{place}].window")
            )
            return
        needed = self._conjuncts.of_offer(offer, self.paths, place)
        if not self._can_hold(needed):
            rule = self._rule_of.get(f"{resource}:weights[{place}].rule")
            if rule is not None and self._can_hold(self._conjuncts.of_rule(rule)):
                field = f"weights[{place}].rule"
                yield findings.contradicts_offer(Field(resource, field, row.rule or ""))
            return
        for other, rival in enumerate(offer.weights):
            if other != place and self._beats(offer, (other, rival), (place, row)):
                yield findings.never_wins(
                    Field(resource, f"weights[{place}].weight", str(row.weight)),
                    rival.label or f"weights[{other}]",
                )
                return

    def _beats(
        self, offer: Offer, rival: tuple[int, WeightRow], row: tuple[int, WeightRow]
    ) -> bool:
        """Whether the rival matches wherever the row does, with no less weight."""
        (rival_place, one), (place, other) = rival, row
        if isinstance(one.weight, str) or isinstance(other.weight, str):
            return False
        heavier = one.weight > other.weight
        if not heavier and (one.weight != other.weight or rival_place > place):
            return False
        one_window, other_window = _limits(one.window), _limits(other.window)
        return (
            one.weight > 0
            and one_window[0] <= other_window[0]
            and other_window[1] <= one_window[1]
            and (not one.spaces or set(other.spaces or ()) <= set(one.spaces))
            and bool(not one.spaces or other.spaces)
            and set(self._conjuncts.of_offer(offer, self.paths, rival_place))
            <= set(self._conjuncts.of_offer(offer, self.paths, place))
        )

    def _can_hold(self, needed: tuple[int, ...]) -> bool:
        """Whether some contact and call meet all conditions, as far as is known.

        A rule, its offer and that one's rows often need the same.
        """
        known = self._holds.get(needed)
        if known is None:
            known = self._holds[needed] = self._can_all_hold(needed)
        return known

    def _can_all_hold(self, needed: Iterable[int]) -> bool:
        by_attribute: dict[tuple[str, int], list[AttributeTest]] = {}
        for number in needed:
            conjunct = self._conjuncts.distinct[number]
            if conjunct.constant is False:
                return False
            if conjunct.test is not None:
                key = conjunct.test.record, conjunct.test.slot
                by_attribute.setdefault(key, []).append(conjunct.test)
        return all(map(_some_value_passes, by_attribute.values()))

    def _always_holds(self, number: int) -> bool:
        conjunct = self._conjuncts.distinct[number]
        test = conjunct.test
        if test is None:
            return conjunct.constant is True
        return all(test.passes) and test.passes_null and test.passes_absent


def _some_value_passes(tests: Sequence[AttributeTest]) -> bool:
    """Whether one value of an attribute passes all of its tests."""
    if all(t.passes_null for t in tests) or all(t.passes_absent for t in tests):
        return True
    keys = sorted({key for test in tests for key in test.keys})
    if any(all(t.passes_value(key) for t in tests) for key in keys):
        return True
    if not any(test.type in ORDERED_TYPES for test in tests):
        # A bool has no value beside its keys.
        is_bool = any(test.type == "bool" for test in tests)
        return not is_bool and all(t.passes[-1] for t in tests)
    return any(
        all(t.passes_above(low) for t in tests)
        for low, high in zip([None, *keys], [*keys, None], strict=True)
        if not _is_empty(low, high, tests)
    )


def _is_empty(low: object, high: object, tests: Sequence[AttributeTest]) -> bool:
    """Whether there is no value strictly between two neighbouring keys."""
    whole = all(test.type != "double" for test in tests)
    return whole and isinstance(low, int) and isinstance(high, int) and high - low == 1


def _unused(
    environment: Environment, rules: Sequence[StoredRule]
) -> Iterator[Diagnostic]:
    """Attributes that are imported or sent, and read by no rule."""
    read = _read(environment, rules)
    own = resource_name(environment.name)
    for record, attributes in _attributes(environment):
        for place, attribute in enumerate(attributes):
            if (record, attribute.name) not in read:
                field = f"{record}_attributes[{place}].name"
                yield findings.unused_attribute(Field(own, field, attribute.name))


def _read(
    environment: Environment, rules: Sequence[StoredRule]
) -> set[tuple[str, str]]:
    """Records and names of the attributes that some rule reads.

    A rule reads what its text names, or the text of a segment, which is a rule too: a
    tree is decoded only where a name stands that nothing before it was seen to read.
    """
    unread = {
        (record, attribute.name)
        for record, attributes in _attributes(environment)
        for attribute in attributes
    }
    names = {name for _, name in unread}
    read: set[tuple[str, str]] = set()
    for rule in rules:
        if not names:
            break
        if names.isdisjoint(_WORD.findall(rule.text)):
            continue
        slots = (
            slot_of(node)
            for node in walk(decode(rule.tree).root)
            if node.op in (Op.SLOT, Op.PRESENT)
        )
        found = {(record, name) for record, _, name in slots}
        read |= found
        if not unread.isdisjoint(found):
            unread -= found
            names = {name for _, name in unread}
    return read


def _unbounded(
    environment: Environment, rules: Sequence[StoredRule], rule_of: Mapping[str, int]
) -> Iterator[Diagnostic]:
    """Formulas that ranking evaluates for each of its rows, and why it must."""
    schema = environment_schema(environment)
    row_counts: Counter[tuple[str, str]] = Counter()
    for (number, place), bound in row_bounds(environment, rules, rule_of).items():
        # Numbers end at WEIGHT_MAX: what can give more always comes before them.
        if bound.highest <= WEIGHT_MAX:
            continue
        offer = environment.offers[number]
        resource = resource_name(environment.name, "offers", offer.name)
        field = f"weights[{place}].weight"
        rule = rules[rule_of[f"{resource}:{field}"]]
        lacking = set(unbounded(decode(rule.tree).root, schema))
        row_counts.update(lacking)
        if not lacking:
            yield findings.boundless_formula(Field(resource, field, rule.text))
    own = resource_name(environment.name)
    for record, attributes in _attributes(environment):
        for place, attribute in enumerate(attributes):
            count = row_counts[record, attribute.name]
            if count:
                path = f"{record}_attributes[{place}].name"
                yield findings.unbounded_formulas(
                    Field(own, path, attribute.name), count
                )


def _attributes(
    environment: Environment,
) -> tuple[tuple[str, tuple[Attribute, ...]], ...]:
    return (
        ("contact", environment.contact_attributes),
        ("context", environment.context_attributes),
    )


def _unreached(environment: Environment, paths: CategoryPaths) -> Iterator[Diagnostic]:
    """Spaces that can stay empty although something is always included."""
    fallbacks = [
        offer
        for offer in environment.offers
        if any(c.always_included for c in paths.path(offer.category))
    ]
    for space in environment.spaces:
        if fallbacks and not any(_shows(space, offer) for offer in fallbacks):
            resource = resource_name(environment.name, "spaces", space.name)
            yield findings.no_fallback(Field(resource, "name", space.name))


def _shows(space: Space, offer: Offer) -> bool:
    required = [field.name for field in space.fields if field.required]
    texts = offer.content_in(space.name)
    return space.name in offer.spaces and all(map(texts.get, required))


def _limits(window: Window) -> tuple[float, float]:
    return (
        -inf if window.start is None else window.start,
        inf if window.end is None else window.end,
    )


def _intersection(windows: Iterable[Window]) -> tuple[float, float]:
    limits = [_limits(window) for window in windows]
    return max(start for start, _ in limits), min(end for _, end in limits)
