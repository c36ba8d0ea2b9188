"""The conditions that a rule joins with `&&`, each asked by itself.

All of them must be true; the interpreter says which are not, and why.
"""

import re
from typing import NamedTuple

from compiler.runtime.encoding import decode
from compiler.runtime.history import History
from compiler.runtime.interpreter import EvaluationError, evaluate
from compiler.runtime.tree import Node, Op, Tree, conjuncts, slot_of, walk
from compiler.runtime.values import MISSING
from server.engine.explanation.found_values import Found, Place, Records, declared
from server.engine.explanation.plain_words import quoted, value_text
from server.engine.live_catalog import LiveEnvironment

#: Rules whose conditions are kept at a time, 5 kB each.
RULES_KEPT_MAX = 1_024

_OF_CONTACT = re.compile(r"\bcontact\.")


class Condition(NamedTuple):
    """One condition, or a formula that must give a weight above 0."""

    tree: Tree
    #: As its author wrote it, on one line.
    text: str
    #: The segment that it is in, or empty.
    segment: str
    #: What it reads, each place once.
    places: tuple[Place, ...]

    def holds(self, records: Records, history: History) -> bool:
        """Whether it is true; without an answer it is not."""
        try:
            answer = evaluate(self.tree, records.contact, records.context, history)
        except EvaluationError:
            return False
        if isinstance(answer, bool):
            return answer
        return 0.0 < answer < float("inf")


class FailingCondition(NamedTuple):
    """A condition that is not true, and what it read."""

    text: str
    #: Why it has no answer; None when it is false.
    error: str | None
    found: tuple[Found, ...]
    message: str


class RuleConditions:
    """The conditions of an environment's rules, decoded when they are asked for.

    Made for one question and forgotten with it: a worker has no memory for the trees
    of all its rules, and none of them is needed to decide.

    PERF: one offer's changes ask for the same rules about five times, and decoding them
    each time was 60 % of an explanation (CPython 3.11, two busy cores).
    """

    def __init__(self, environment: LiveEnvironment) -> None:
        self._rules = environment.rules
        self._known: dict[int, tuple[Condition, ...]] = {}

    def of(self, rule: int) -> tuple[Condition, ...]:
        """What a rule joins, in order; of a formula, the formula."""
        known = self._known.get(rule)
        if known is None:
            if len(self._known) >= RULES_KEPT_MAX:
                self._known.clear()
            tree = decode(self._rules[rule].tree_bytes)
            known = self._known[rule] = tuple(
                _condition(Tree(tree.sources, root)) for root in conjuncts(tree.root)
            )
        return known


def failing(
    condition: Condition,
    environment: LiveEnvironment,
    records: Records,
    history: History,
) -> FailingCondition | None:
    """Why a condition is not true; None when it is."""
    error: str | None = None
    try:
        answer = evaluate(condition.tree, records.contact, records.context, history)
        if answer is True:
            return None
    except EvaluationError as raised:
        error = raised.message
    found = found_by(condition, environment, records)
    message = _message(condition, error, found)
    return FailingCondition(condition.text, error, found, message)


def found_by(
    condition: Condition, environment: LiveEnvironment, records: Records
) -> tuple[Found, ...]:
    """The values that a condition reads."""
    found: list[Found] = []
    for place in condition.places:
        attribute = declared(environment, place)
        name = f"{place.record}.{attribute.name}"
        found.append(Found(name, records.at(place), str(attribute.type)))
    return tuple(found)


def _condition(tree: Tree) -> Condition:
    node, source, segment = tree.root, 0, ""
    while node.op is Op.SEGMENT:
        segment, source = _segment(node)
        node = node.children[0]
    start, stop = node.span
    text = " ".join(tree.sources[source][1][start:stop].split())
    places = dict.fromkeys(
        Place(*slot_of(read)[:2])
        for read in walk(tree.root)
        if read.op in (Op.SLOT, Op.PRESENT)
    )
    return Condition(tree, text, segment, tuple(places))


def _segment(node: Node) -> tuple[str, int]:
    match node.value:
        case (str(name), int(source)):
            return name, source
        case _:
            raise ValueError(f"a segment holds {node.value!r}, not a name and a source")


def _message(condition: Condition, error: str | None, found: tuple[Found, ...]) -> str:
    """`needs balance >= 1000, has 900`."""
    needs = f"needs {quoted(_plain(condition.text))}"
    if condition.segment:
        needs += f" (segment {condition.segment})"
    if len(found) == 1:
        told = f", {_has(found[0])}"
    elif found:
        values = (f"{_plain(f.attribute)} {_is(f)}" for f in found)
        told = ", where " + quoted(", ".join(values))
    else:
        told = ", which is not so"
    absent = error is not None and error.endswith("is absent")
    return needs + told + ("" if error is None or absent else f": {error}")


def _has(found: Found) -> str:
    if found.value is MISSING:
        return f"{_plain(found.attribute)} is not known"
    return f"has {value_text(found.value, found.type)}"


def _is(found: Found) -> str:
    return f"is {value_text(found.value, found.type)}"


def _plain(text: str) -> str:
    """What is read of the contact needs no prefix among people."""
    return _OF_CONTACT.sub("", text)
