"""One rule, one contact, every way to evaluate it: do they agree?"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from cel_oracle import NO_ANSWER, Oracle
from rule_generation import SCHEMA, RuleGenerator

from compiler.rules import Kind, compile_rule
from compiler.runtime.interpreter import EvaluationError
from compiler.runtime.linker import LinkedRule, link
from compiler.source import Source

CONTACTS_PER_RULE = 6
#: Rules that one oracle evaluates.
ORACLE_RULES = 1_000

Slots = tuple[Any, Any, Any]


class Answers(NamedTuple):
    """What each way gives.

    As texts, because those tell -0.0 from 0.0 and find NaN equal to itself.
    """

    expected: str
    linked: str
    interpreted: str
    #: What `linked` gives when generated code raised.
    fast: str
    #: What decides: whether a condition holds, or a formula's weight.
    decided: str

    def agree(self) -> bool:
        without = (repr(False), repr(None))
        has_answer = self.expected != repr(NO_ANSWER)
        decided = (self.expected,) if has_answer else without
        return len(set(self[:4])) == 1 and self.decided in decided


class Evaluation(NamedTuple):
    """One rule asked about one contact."""

    text: str
    slots: Slots
    answers: Answers


def evaluations(seed: int, rules: int, seen: Counter[str]) -> Iterator[Evaluation]:
    """Random rules, each asked about several contacts; `seen` counts what happens."""
    generator = RuleGenerator(Random(seed))
    for number in range(rules):
        if number % ORACLE_RULES == 0:
            # It remembers its expressions, which long runs have no memory for.
            oracle = Oracle(SCHEMA)
        kind = Kind.FORMULA if number % 4 == 0 else Kind.CONDITION
        type_ = "bool" if kind is Kind.CONDITION else ("int", "double")[number // 4 % 2]
        text = generator.rule(type_, 1 + number % 5)
        compiled = compile_rule(Source(f"rule {number}", text), SCHEMA, kind)
        rule = link(compiled.code, compiled.tree_bytes)
        seen["reads history"] += rule.reads_history
        for _ in range(CONTACTS_PER_RULE):
            slots = generator.contact(), generator.context(), generator.history()
            expected = repr(oracle.evaluate(text, *slots))
            seen["no answer" if expected == repr(NO_ANSWER) else "answer"] += 1
            yield Evaluation(text, slots, answers(rule, kind, slots, expected, seen))


def answers(
    rule: LinkedRule, kind: Kind, slots: Slots, expected: str, seen: Counter[str]
) -> Answers:
    interpreted = _answer(rule.evaluate_exactly, slots)
    linked = _answer(rule.evaluate, slots)
    decide = rule.weight
    if kind is Kind.CONDITION:
        # None and False are both "not true"; the difference is only counted.
        decide = lambda *slots: bool(rule.holds(*slots))  # noqa: E731
    try:
        fast = repr(rule.fast(*slots))
    except Exception:
        fast = linked
    else:
        seen["fast"] += 1
    return Answers(expected, linked, interpreted, fast, repr(decide(*slots)))


def _answer(evaluate: Callable[..., bool | float], slots: Slots) -> str:
    answer: bool | float | str = NO_ANSWER
    with contextlib.suppress(EvaluationError):
        answer = evaluate(*slots)
    return repr(answer)
