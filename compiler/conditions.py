"""The distinct conditions of an environment's rules, and which of them each rule needs.

A revision keeps them beside its index, so that the next compilation need not decode
the trees of rules that it takes. They follow from the trees, as code does.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from catalog_store.stored_rule import StoredRule
from compiler.attribute_tests import AttributeTest, KnownAnswers, attribute_test
from compiler.rules import code_of
from compiler.runtime.encoding import decode, encode, meaning, sources_of
from compiler.runtime.interpreter import EvaluationError, evaluate
from compiler.runtime.tree import Node, Op, Tree, conjuncts, walk


class Condition(NamedTuple):
    """One distinct conjunct, known by what it computes."""

    #: `compiler.runtime.encoding.meaning`.
    meaning: bytes
    #: What it says of one attribute; None when it says more, or less.
    test: AttributeTest | None
    #: What it is for everybody; None when that depends.
    constant: bool | None


class RuleConditions(NamedTuple):
    """What the rules of an environment need."""

    #: In order of first use, by the order of rules.
    distinct: Sequence[Condition]
    #: Rule -> numbers of its conditions, in the order of its text; formulas have none.
    of_rule: Sequence[tuple[int, ...]]
    #: Those that no table answers, in the order of the index's predicates: of rows, and
    #: of offers.
    row_predicates: Sequence[int] = ()
    offer_predicates: Sequence[int] = ()


class Conjunct(NamedTuple):
    """A conjunct of a rule, before it is known whether another rule has it."""

    meaning: bytes
    node: Node
    #: Code points that the node's spans are off by: its own text may begin later.
    offset: int
    sources: tuple[tuple[str, str], ...]

    def tree(self) -> Tree:
        return Tree(self.sources, _moved(self.node, self.offset))


class ConditionNumbers:
    """Numbers conditions as rules are added, in order."""

    def __init__(
        self,
        previous: RuleConditions | None = None,
        predicates: Mapping[bytes, StoredRule] = MappingProxyType({}),
    ) -> None:
        self.distinct: list[Condition] = []
        self.of_rule: list[tuple[int, ...]] = []
        #: Condition -> the first rule that has it.
        self._first: list[int] = []
        self._numbers: dict[bytes, int] = {}
        #: Of conditions that only their tree can answer, where it is at hand.
        self._trees: dict[int, Tree] = {}
        self._known_answers: KnownAnswers = {}
        self._previous = previous or RuleConditions((), ())
        #: Predicates of the previous compilation, by the meaning of their conditions.
        self._predicates = predicates
        self._old_of: dict[bytes, int] | None = None
        #: Number in the previous compilation -> number now; -1 where there is none yet.
        self._new_of = [-1] * len(self._previous.distinct)

    def add(self, found: Iterable[Conjunct]) -> None:
        """The next rule, compiled now."""
        numbers: dict[int, None] = {}
        for conjunct in found:
            number = self._numbers.get(conjunct.meaning)
            if number is None:
                number = self._add_condition(conjunct)
            numbers[number] = None
        self.of_rule.append(tuple(numbers))

    def take(self, rule: int) -> None:
        """The next rule, taken: `rule` is its number in the previous compilation."""
        new_of = self._new_of
        old_numbers = self._previous.of_rule[rule]
        numbers = [new_of[old] for old in old_numbers]
        if -1 in numbers:
            for old in old_numbers:
                if new_of[old] < 0:
                    new_of[old] = self._number(self._previous.distinct[old])
            numbers = [new_of[old] for old in old_numbers]
        self.of_rule.append(tuple(numbers))

    def found(
        self, row_predicates: Sequence[int] = (), offer_predicates: Sequence[int] = ()
    ) -> RuleConditions:
        return RuleConditions(
            self.distinct, self.of_rule, row_predicates, offer_predicates
        )

    def tree(self, number: int, rules: Sequence[StoredRule]) -> Tree:
        """A condition as the first rule that has it writes it."""
        tree = self._trees.get(number)
        if tree is None:
            wanted = self.distinct[number].meaning
            whole = decode(rules[self._first[number]].tree)
            found = next(n for n in conjuncts(whole.root) if meaning(n) == wanted)
            tree = Tree(whole.sources, found)
        return tree

    def predicate(self, number: int, rules: Sequence[StoredRule]) -> StoredRule:
        """A condition as a rule of its own."""
        rule = rules[self._first[number]]
        known = self._predicates.get(self.distinct[number].meaning)
        # The sources are the rule's, with all of its segments.
        if known is not None and sources_of(known.tree) == sources_of(rule.tree):
            return known
        tree = self.tree(number, rules)
        return StoredRule(
            text=rule.text, formula=False, tree=encode(tree), code=code_of(tree)
        )

    def _add_condition(self, conjunct: Conjunct) -> int:
        if self._old_of is None:
            known = enumerate(self._previous.distinct)
            self._old_of = {one.meaning: old for old, one in known}
        old = self._old_of.get(conjunct.meaning)
        if old is None:
            number = self._number(_condition(conjunct, self._known_answers))
        else:
            number = self._number(self._previous.distinct[old])
            self._new_of[old] = number
        if self.distinct[number].test is None:
            self._trees[number] = conjunct.tree()
        return number

    def _number(self, condition: Condition) -> int:
        number = self._numbers[condition.meaning] = len(self.distinct)
        self.distinct.append(condition)
        self._first.append(len(self.of_rule))
        return number


def conjuncts_of(tree: Tree) -> list[Conjunct]:
    """The conjuncts of a whole rule."""
    return [
        Conjunct(meaning(node), node, 0, tree.sources) for node in conjuncts(tree.root)
    ]


def rule_conditions(rules: Iterable[StoredRule]) -> ConditionNumbers:
    """The conditions of stored rules, from their trees."""
    numbers = ConditionNumbers()
    for rule in rules:
        numbers.add(() if rule.formula else conjuncts_of(decode(rule.tree)))
    return numbers


def encode_conditions(conditions: RuleConditions) -> bytes:
    return _encode(conditions)


def decode_conditions(data: bytes, rules: int) -> RuleConditions | None:
    """What was encoded for so many rules; None if it is something else."""
    try:
        found = _decode(data)
    except msgspec.MsgspecError:
        return None
    return found if len(found.of_rule) == rules else None


def _condition(conjunct: Conjunct, known: KnownAnswers) -> Condition:
    tree = Tree(conjunct.sources, conjunct.node)
    test = attribute_test(conjunct.node, tree, known)
    # What says something of an attribute reads it.
    constant = None if test is not None else _constant(tree)
    return Condition(conjunct.meaning, test, constant)


def _constant(tree: Tree) -> bool | None:
    """The answer of a condition that reads nothing; an error is not true."""
    reads = (Op.SLOT, Op.PRESENT, Op.HISTORY)
    if any(node.op in reads for node in walk(tree.root)):
        return None
    try:
        return evaluate(tree, (), (), ()) is True
    except EvaluationError:
        return False


def _moved(node: Node, offset: int) -> Node:
    if offset == 0:
        return node
    start, stop = node.span
    children = tuple(_moved(child, offset) for child in node.children)
    return node._replace(span=(start + offset, stop + offset), children=children)


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(RuleConditions).decode
