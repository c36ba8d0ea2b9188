"""The most that an environment's weight formulas can give.

Ranking evaluates a formula only while its bound could still win. A formula whose
attributes lack their ranges has none, and runs for every contact whom its row is for.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple

from catalog_store.index_tables import FormulaBounds
from catalog_store.records import Environment, resource_name
from catalog_store.stored_rule import StoredRule
from compiler.bounds import Range, bounds, ranges
from compiler.rule_fields import environment_schema
from compiler.runtime.encoding import decode


class RowBound(NamedTuple):
    """The most that the formula of one row can give."""

    #: Infinite where nothing is known.
    highest: float
    #: What it relies on.
    ranges: frozenset[Range]


def row_bounds(
    environment: Environment,
    rules: Sequence[StoredRule],
    rule_of: Mapping[str, int],
) -> dict[tuple[int, int], RowBound]:
    """Offer and place -> the bound, of every row whose weight is a formula."""
    schema = environment_schema(environment)
    known: dict[int, RowBound] = {}
    found: dict[tuple[int, int], RowBound] = {}
    for number, offer in enumerate(environment.offers):
        for place, row in enumerate(offer.weights):
            if not isinstance(row.weight, str):
                continue
            name = resource_name(environment.name, "offers", offer.name)
            rule = rule_of[f"{name}:weights[{place}].weight"]
            if rule not in known:
                root = decode(rules[rule].tree).root
                highest = float(bounds(root, schema).high)
                relied_on = ranges(root, schema) if highest < inf else ()
                known[rule] = RowBound(highest, frozenset(relied_on))
            found[number, place] = known[rule]
    return found


def stored_bounds(in_order: Sequence[RowBound]) -> FormulaBounds:
    """As an index keeps them, given those of its rows in their order."""
    declared = {range_ for bound in in_order for range_ in bound.ranges}
    return FormulaBounds(
        highest=tuple(bound.highest for bound in in_order),
        declared=tuple(sorted(declared)),
    )
