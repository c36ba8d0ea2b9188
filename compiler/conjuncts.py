"""What every row and every offer of an environment needs."""

from collections.abc import Mapping, Sequence

from catalog_store.category_paths import CategoryPaths
from catalog_store.records import Offer, resource_name
from catalog_store.stored_rule import StoredRule
from compiler.attribute_tests import attribute_test
from compiler.conditions import RuleConditions, rule_conditions
from compiler.runtime.tree import Op, Tree, conjuncts, slot_of, walk

_KEYS_SHOWN_MAX = 12


class Conjuncts:
    """The distinct conditions of an environment, and where they are needed."""

    def __init__(
        self,
        name: str,
        rules: Sequence[StoredRule],
        rule_of: Mapping[str, int],
        conditions: RuleConditions | None = None,
    ) -> None:
        """`conditions` are those of the rules; they are decoded when not given."""
        found = rule_conditions(rules).found() if conditions is None else conditions
        self.distinct = found.distinct
        self.rule_of = rule_of
        self._of_rule = found.of_rule
        self._name = name
        self._of_category: dict[str, tuple[int, ...]] = {}

    def of_offer(
        self, offer: Offer, catalog: CategoryPaths, place: int | None = None
    ) -> tuple[int, ...]:
        """What an offer needs, and one of its rows; the environment's rule apart."""
        inherited = self._of_category.get(offer.category)
        if inherited is None:
            inherited = self._needed_above(offer.category, catalog)
        fields: list[str] = []
        own = resource_name(self._name, "offers", offer.name)
        if offer.rule is not None:
            fields.append(f"{own}:rule")
        if place is not None and offer.weights[place].rule is not None:
            fields.append(f"{own}:weights[{place}].rule")
        if not inherited and len(fields) == 1 and fields[0] in self.rule_of:
            return self._of_rule[self.rule_of[fields[0]]]
        needed = dict.fromkeys(inherited)
        for field in fields:
            rule = self.rule_of.get(field)
            if rule is not None:
                needed.update(dict.fromkeys(self._of_rule[rule]))
        return tuple(needed)

    def of_rule(self, rule: int) -> tuple[int, ...]:
        """Numbers of the conditions of one rule."""
        return self._of_rule[rule]

    def _needed_above(self, category: str, catalog: CategoryPaths) -> tuple[int, ...]:
        needed: dict[int, None] = {}
        for above in catalog.path(category):
            name = resource_name(self._name, "categories", above.name)
            rule = self.rule_of.get(f"{name}:rule")
            if rule is not None:
                needed.update(dict.fromkeys(self._of_rule[rule]))
        self._of_category[category] = tuple(needed)
        return self._of_category[category]


def explain_index(tree: Tree) -> str:
    """How each conjunct of a rule is answered, for people: `propono rule explain`."""
    lines = ["index:"]
    for conjunct in conjuncts(tree.root):
        start, stop = conjunct.span
        text = " ".join(tree.sources[0][1][start:stop].split())
        test = attribute_test(conjunct, tree)
        if test is None:
            how = "asked at most once per call"
        else:
            reads = next(n for n in walk(conjunct) if n.op in (Op.SLOT, Op.PRESENT))
            record, _, name = slot_of(reads)
            keys = ", ".join(map(repr, test.keys[:_KEYS_SHOWN_MAX])) or "none"
            more = ", ..." if len(test.keys) > _KEYS_SHOWN_MAX else ""
            how = f"{record}.{name}: a table with keys {keys}{more}"
        lines.append(f"  {text}    # {how}")
    return "\n".join(lines) + "\n"
