"""Finds for each value of each attribute the rows that it leaves in the race.

A row matches when every conjunct of its rules is true; `&&` absorbs errors, so the
conjuncts may be asked in any order, and each once for all rows that have it:

    a. conjuncts over one attribute and constants become that attribute's table:
       a class of values -> the rows that survive it
    b. other conjuncts that many rows share are asked once per call
    c. the rest are asked only for rows that are about to win

Rows stand in the order in which they are proposed, so that the lowest bit of a set is
its best row. Rows of categories and of the environment stand once: they name a set of
offers, and `offer_index` says which offers are eligible.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

import msgspec

from catalog_store.category_paths import CategoryPaths
from catalog_store.index_tables import (
    AttributeTable,
    EnvironmentIndex,
    FactorGroup,
    RowSetIndex,
    encode_mask,
    set_of,
)
from catalog_store.records import Environment
from catalog_store.stored_rule import StoredRule
from compiler.attribute_tests import ORDERED_TYPES, AttributeTest
from compiler.conjuncts import NO_TREES, Conjunct, Conjuncts
from compiler.rules import code_of
from compiler.runtime.encoding import encode
from compiler.runtime.tree import Tree

#: Keys of one table. An ordered attribute has two masks a key: 256 keys over 100,000
#: rows are 6.4 MB. Conditions with rarer constants are asked like any other predicate.
KEYS_MAX = 256
#: A predicate that at least one row in this many has is asked once per call.
SHARED_ROWS_PER_PREDICATE = 64


class _Row(NamedTuple):
    """One own weight row, where it will stand."""

    offer: int
    place: int
    #: Upper bound of a formula's weight; the weight itself of others.
    weight: float
    is_formula: bool


def index_environment(
    environment: Environment,
    rules: Sequence[StoredRule],
    rule_of: Mapping[str, int],
    trees: Mapping[int, Tree] = NO_TREES,
) -> EnvironmentIndex:
    """The index of a compiled environment; the same input gives the same index.

    `trees` are those of rules at hand; others are decoded.
    """
    catalog = CategoryPaths(environment)
    conditions = Conjuncts(environment.name, rules, rule_of, trees)
    rows, groups = _in_order(environment, catalog)
    per_row = [
        conditions.of_offer(environment.offers[row.offer], catalog, row.place)
        for row in rows
    ]
    offer_index = None
    if environment.weights or any(c.weights for c in environment.categories):
        per_offer = [conditions.of_offer(o, catalog) for o in environment.offers]
        offer_index = _index(per_offer, conditions.distinct)
    return EnvironmentIndex(
        rows=tuple((row.offer, row.place) for row in rows),
        groups=groups,
        row_index=_index(per_row, conditions.distinct),
        offer_index=offer_index,
    )


def rebuild_index(
    index: EnvironmentIndex, with_code: Callable[[StoredRule], StoredRule]
) -> EnvironmentIndex:
    """The same index with other code for its predicates."""

    def rebuilt(row_set: RowSetIndex) -> RowSetIndex:
        predicates = tuple(map(with_code, row_set.predicates))
        return msgspec.structs.replace(row_set, predicates=predicates)

    offer_index = index.offer_index
    return msgspec.structs.replace(
        index,
        row_index=rebuilt(index.row_index),
        offer_index=None if offer_index is None else rebuilt(offer_index),
    )


def _in_order(
    environment: Environment, catalog: CategoryPaths
) -> tuple[list[_Row], tuple[FactorGroup, ...]]:
    """Own rows as they are proposed, in groups of the same multipliers."""
    by_factors: dict[tuple[str, ...], list[_Row]] = {}
    offers: dict[tuple[str, ...], list[int]] = {}
    for number, offer in enumerate(environment.offers):
        factors = tuple(
            c.name for c in catalog.path(offer.category) if c.multiplier is not None
        )
        group = by_factors.setdefault(factors, [])
        offers.setdefault(factors, []).append(number)
        for place, row in enumerate(offer.weights):
            if isinstance(row.weight, str):
                group.append(_Row(number, place, inf, is_formula=True))
            elif row.weight > 0.0:
                group.append(_Row(number, place, float(row.weight), is_formula=False))
    rows: list[_Row] = []
    groups: list[FactorGroup] = []
    for factors, group in by_factors.items():
        group.sort(key=lambda row: (row.is_formula, -row.weight, row.offer, row.place))
        start = len(rows)
        rows += group
        stop = start + sum(not row.is_formula for row in group)
        heirs = encode_mask(set_of(offers[factors], len(environment.offers)))
        groups.append(FactorGroup(factors, start, stop, len(rows), heirs))
    return rows, tuple(groups)


def _index(
    needs: Sequence[tuple[int, ...]], conditions: Sequence[Conjunct]
) -> RowSetIndex:
    """The index of rows, given the conditions that each of them needs."""
    members: dict[int, list[int]] = {}
    for row, needed in enumerate(needs):
        for condition in needed:
            members.setdefault(condition, []).append(row)
    by_attribute: dict[tuple[str, int], list[int]] = {}
    for number in sorted(members):
        test = conditions[number].test
        if test is not None:
            by_attribute.setdefault((test.record, test.slot), []).append(number)
    size = len(needs)
    tables: list[AttributeTable] = []
    answered: set[int] = set()
    for attribute in sorted(by_attribute):
        numbers = _worth_a_table(by_attribute[attribute], conditions, members)
        if not numbers:
            continue
        answered.update(numbers)
        tests = [
            (test, set_of(members[number], size))
            for number in numbers
            if (test := conditions[number].test) is not None
        ]
        tables.append(_table(tests, size))
    return _with_predicates(size, tables, answered, members, conditions)


def _with_predicates(
    size: int,
    tables: Sequence[AttributeTable],
    answered: set[int],
    members: dict[int, list[int]],
    conditions: Sequence[Conjunct],
) -> RowSetIndex:
    """Adds what no table answers."""
    predicates: list[StoredRule] = []
    shared: list[tuple[int, bytes]] = []
    residual: dict[int, list[int]] = {}
    for number in sorted(members.keys() - answered):
        tree = conditions[number].tree
        predicate = len(predicates)
        predicates.append(
            StoredRule(
                text=tree.sources[0][1],
                formula=False,
                tree=encode(tree),
                code=code_of(tree),
            )
        )
        rows = members[number]
        if len(rows) * SHARED_ROWS_PER_PREDICATE >= size:
            shared.append((predicate, encode_mask(set_of(rows, size))))
            continue
        for row in rows:
            residual.setdefault(row, []).append(predicate)
    return RowSetIndex(
        size=size,
        tables=tuple(tables),
        predicates=tuple(predicates),
        shared=tuple(shared),
        residual=tuple(
            (row, tuple(numbers)) for row, numbers in sorted(residual.items())
        ),
    )


def _worth_a_table(
    numbers: Iterable[int],
    conditions: Sequence[Conjunct],
    members: dict[int, list[int]],
) -> list[int]:
    """Conditions of one attribute, those of most rows first, while keys last."""
    keys: set[object] = set()
    chosen: list[int] = []
    for number in sorted(numbers, key=lambda n: (-len(members[n]), n)):
        test = conditions[number].test
        assert test is not None
        if len(keys | set(test.keys)) <= KEYS_MAX:
            keys |= set(test.keys)
            chosen.append(number)
    return chosen


def _table(tests: Sequence[tuple[AttributeTest, int]], size: int) -> AttributeTable:
    """One attribute's table: a class of values -> the rows that survive it."""
    first = tests[0][0]
    # has() alone says nothing of the type of its attribute; another test may.
    ordered = any(test.type in ORDERED_TYPES for test, _ in tests)
    keys = tuple(sorted({key for test, _ in tests for key in test.keys}))
    everyone = (1 << size) - 1
    masks: dict[int, int] = {}

    def survivors(passes: Iterable[bool]) -> int:
        out = 0
        for (_, rows), passing in zip(tests, passes, strict=True):
            if not passing:
                out |= rows
        return masks.setdefault(everyone & ~out, len(masks))

    classes: list[int] = []
    if ordered:
        classes.append(survivors(t.passes_above(None) for t, _ in tests))
        for key in keys:
            classes.append(survivors(t.passes_value(key) for t, _ in tests))
            classes.append(survivors(t.passes_above(key) for t, _ in tests))
    else:
        classes += [survivors(t.passes_value(k) for t, _ in tests) for k in keys]
        classes.append(survivors(t.passes[-1] for t, _ in tests))
    return AttributeTable(
        record=first.record,
        slot=first.slot,
        ordered=ordered,
        keys=keys,
        null_class=survivors(t.passes_null for t, _ in tests),
        absent_class=survivors(t.passes_absent for t, _ in tests),
        masks=tuple(encode_mask(mask) for mask in masks),
        classes=tuple(classes),
    )
