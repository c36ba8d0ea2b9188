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

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from catalog_store.category_paths import CategoryPaths
from catalog_store.index_tables import (
    EnvironmentIndex,
    FactorGroup,
    RowSetIndex,
    encode_mask,
    set_of,
)
from catalog_store.records import Environment
from catalog_store.stored_rule import StoredRule
from compiler.conditions import ConditionNumbers, encode_conditions
from compiler.conjuncts import Conjuncts
from compiler.index_reuse import IndexBefore, KnownIndex
from compiler.row_sets import index_rows
from compiler.weight_bounds import RowBound, row_bounds, stored_bounds


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
    conditions: ConditionNumbers,
    before: IndexBefore | None = None,
) -> EnvironmentIndex:
    """The index of a compiled environment; the same input gives the same index.

    `conditions` are those of the rules. Of `before`, tables are taken that would be
    the same.
    """
    catalog = CategoryPaths(environment)
    needs = Conjuncts(environment.name, rules, rule_of, conditions.found())
    known = KnownIndex.of(before, environment, needs)
    order = known.order or _order(environment, catalog, rules, rule_of)
    offers = environment.offers
    per_row = [
        needs.of_offer(offers[offer], catalog, place) for offer, place in order.rows
    ]
    rows_known = known.rows_if(order.rows)
    row_index, asked = index_rows(per_row, conditions, rules, rows_known)
    offer_index, asked_of_offers = None, ()
    if environment.weights or any(c.weights for c in environment.categories):
        per_offer = [needs.of_offer(offer, catalog) for offer in offers]
        offer_index, asked_of_offers = index_rows(
            per_offer, conditions, rules, known.offers
        )
    return msgspec.structs.replace(
        order,
        row_index=row_index,
        offer_index=offer_index,
        conditions=encode_conditions(conditions.found(asked, asked_of_offers)),
    )


def _order(
    environment: Environment,
    catalog: CategoryPaths,
    rules: Sequence[StoredRule],
    rule_of: Mapping[str, int],
) -> EnvironmentIndex:
    """The index, as far as it does not depend on conditions."""
    formula_bounds = row_bounds(environment, rules, rule_of)
    rows, groups = _in_order(environment, catalog, formula_bounds)
    return EnvironmentIndex(
        rows=tuple((row.offer, row.place) for row in rows),
        groups=groups,
        row_index=RowSetIndex(len(rows), (), (), (), ()),
        offer_index=None,
        conditions=b"",
        formula_bounds=stored_bounds(
            [formula_bounds[r.offer, r.place] for r in rows if r.is_formula]
        ),
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
    environment: Environment,
    catalog: CategoryPaths,
    formula_bounds: Mapping[tuple[int, int], RowBound],
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
                highest = formula_bounds[number, place].highest
                group.append(_Row(number, place, highest, is_formula=True))
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
