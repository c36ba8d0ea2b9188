"""What every row of an environment needs: distinct conditions, each once."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from catalog_store.category_paths import CategoryPaths
from catalog_store.records import Offer, resource_name
from catalog_store.stored_rule import StoredRule
from compiler.attribute_tests import AttributeTest, attribute_test
from compiler.runtime.encoding import decode, meaning
from compiler.runtime.interpreter import EvaluationError, evaluate
from compiler.runtime.tree import Op, Tree, conjuncts, slot_of, walk

#: Where every tree is decoded from its rule.
NO_TREES: Mapping[int, Tree] = MappingProxyType({})

_KEYS_SHOWN_MAX = 12


class Conjunct(NamedTuple):
    """One distinct conjunct."""

    tree: Tree
    #: What it says of one attribute; None when it says more, or less.
    test: AttributeTest | None
    #: What it is for everybody; None when that depends.
    constant: bool | None


class Conjuncts:
    """The distinct conjuncts of an environment, by what they compute."""

    def __init__(
        self,
        name: str,
        rules: Sequence[StoredRule],
        rule_of: Mapping[str, int],
        trees: Mapping[int, Tree] = NO_TREES,
    ) -> None:
        self._name = name
        self._rules = rules
        self._rule_of = rule_of
        self._trees = trees
        self._conjuncts_of: dict[int, tuple[int, ...]] = {}
        self._numbers: dict[bytes, int] = {}
        self.distinct: list[Conjunct] = []

    def of_offer(
        self, offer: Offer, catalog: CategoryPaths, place: int | None = None
    ) -> tuple[int, ...]:
        """What an offer needs, and one of its rows; the environment's rule apart."""
        name = self._name
        fields = [
            f"{resource_name(name, 'categories', category.name)}:rule"
            for category in catalog.path(offer.category)
        ]
        own = resource_name(name, "offers", offer.name)
        fields.append(f"{own}:rule")
        if place is not None:
            fields.append(f"{own}:weights[{place}].rule")
        needed: dict[int, None] = {}
        for field in fields:
            rule = self._rule_of.get(field)
            if rule is not None:
                needed.update(dict.fromkeys(self.of_rule(rule)))
        return tuple(needed)

    def of_rule(self, rule: int) -> tuple[int, ...]:
        """Numbers of the conjuncts of one rule."""
        known = self._conjuncts_of.get(rule)
        if known is None:
            # PERF: decoding what the compiler just had took 40 % of indexing.
            tree = self._trees.get(rule) or decode(self._rules[rule].tree)
            numbers: list[int] = []
            for conjunct in conjuncts(tree.root):
                key = meaning(conjunct)
                number = self._numbers.get(key)
                if number is None:
                    number = self._numbers[key] = len(self.distinct)
                    whole = Tree(tree.sources, conjunct)
                    test = attribute_test(conjunct, tree)
                    constant = _constant(whole)
                    self.distinct.append(Conjunct(whole, test, constant))
                numbers.append(number)
            known = self._conjuncts_of[rule] = tuple(numbers)
        return known


def _constant(tree: Tree) -> bool | None:
    """The answer of a condition that reads nothing; an error is not true."""
    reads = (Op.SLOT, Op.PRESENT, Op.HISTORY)
    if any(node.op in reads for node in walk(tree.root)):
        return None
    try:
        return evaluate(tree, (), (), ()) is True
    except EvaluationError:
        return False


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
