"""Which tables of an index are as they were in the compilation before.

A table follows from its rows and from those of their conditions that are about its
attribute. Where rows stand as they did, only the conditions of rows that changed, those
that they had and those that they have, touch an attribute.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Self

import msgspec

from catalog_store.category_paths import CategoryPaths
from catalog_store.compiled import CompiledEnvironment
from catalog_store.index_tables import EnvironmentIndex, RowSetIndex
from catalog_store.records import Environment, Offer, resource_name
from compiler.conditions import Condition, RuleConditions
from compiler.conjuncts import Conjuncts
from compiler.row_sets import NOTHING_KNOWN, Attribute, KnownRows


class IndexBefore(NamedTuple):
    """What a compilation can take tables from."""

    compiled: CompiledEnvironment
    conditions: RuleConditions
    #: Rules of the compilation now that were not taken from that before.
    new_rules: Collection[int]


class KnownIndex(NamedTuple):
    """What is the same in the index now."""

    #: The order of rows, with whatever else does not depend on conditions.
    order: EnvironmentIndex | None = None
    #: The rows for which `rows` holds.
    places: Sequence[tuple[int, int]] = ()
    rows: KnownRows = NOTHING_KNOWN
    offers: KnownRows = NOTHING_KNOWN

    @classmethod
    def of(
        cls, before: IndexBefore | None, environment: Environment, needs: Conjuncts
    ) -> Self:
        """What no change touched; `needs` are those of the environment now."""
        if before is None:
            return cls()
        old, index = before.compiled.environment, before.compiled.index
        changed = _resources(needs.rule_of, before.new_rules)
        above = resource_name(environment.name, "categories")
        if (
            old.categories != environment.categories
            or len(old.offers) != len(environment.offers)
            or any(resource.startswith(above) for resource in changed)
        ):
            return cls()
        catalog = CategoryPaths(environment)
        old_needs = Conjuncts(
            old.name, before.compiled.rules, before.compiled.rule_of, before.conditions
        )
        touched: set[Attribute] = set()
        same_order = _without_offers(old) == _without_offers(environment)
        for was, offer in zip(old.offers, environment.offers, strict=True):
            resource = resource_name(environment.name, "offers", offer.name)
            if was == offer and resource not in changed:
                continue
            same_order = same_order and _ranked(was) == _ranked(offer)
            for found, each in ((old_needs, was), (needs, offer)):
                for place in (None, *range(len(each.weights))):
                    numbers = found.of_offer(each, catalog, place)
                    touched |= _attributes(found.distinct, numbers)
        conditions = before.conditions
        row_asked, offer_asked = (
            frozenset(conditions.distinct[number].meaning for number in asked)
            for asked in (conditions.row_predicates, conditions.offer_predicates)
        )
        return cls(
            order=index if same_order else None,
            places=index.rows,
            rows=_untouched(index.row_index, touched, row_asked),
            offers=_untouched(index.offer_index, touched, offer_asked),
        )

    def rows_if(self, places: Sequence[tuple[int, int]]) -> KnownRows:
        """What is known of rows, if they are these in this order."""
        return self.rows if self.places == places else NOTHING_KNOWN


def _without_offers(environment: Environment) -> Environment:
    return msgspec.structs.replace(environment, offers=())


def _ranked(offer: Offer) -> tuple[object, ...]:
    """What of an offer has a say in the order of rows."""
    return offer.category, *(row.weight for row in offer.weights)


def _resources(rule_of: Mapping[str, int], rules: Collection[int]) -> set[str]:
    """The records that have one of some rules."""
    return {field.partition(":")[0] for field, rule in rule_of.items() if rule in rules}


def _attributes(
    conditions: Sequence[Condition], numbers: Iterable[int]
) -> set[Attribute]:
    tests = (conditions[number].test for number in numbers)
    return {(test.record, test.slot) for test in tests if test is not None}


def _untouched(
    index: RowSetIndex | None, touched: Collection[Attribute], asked: Collection[bytes]
) -> KnownRows:
    if index is None:
        return NOTHING_KNOWN
    tables = {
        (table.record, table.slot): table
        for table in index.tables
        if (table.record, table.slot) not in touched
    }
    return KnownRows(tables, asked)
