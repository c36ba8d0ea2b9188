"""Random rules: generated code, the interpreter and the C++ implementation agree.

A longer run: PROPONO_FUZZ_RULES=200000 PROPONO_FUZZ_SEED=7 pytest -s this file.
"""

import contextlib
import os
import random
from collections import Counter

from cel_oracle import NO_ANSWER, Oracle
from rule_generation import SCHEMA, RuleGenerator

from compiler.rules import Kind, compile_rule
from compiler.runtime.interpreter import EvaluationError
from compiler.runtime.linker import LinkedRule, link
from compiler.source import Source

RULES = int(os.environ.get("PROPONO_FUZZ_RULES", "600"))
SEED = int(os.environ.get("PROPONO_FUZZ_SEED", "20260131"))
CONTACTS_PER_RULE = 6


def test_random_rules_have_one_answer_however_they_are_evaluated() -> None:
    """Compiling changes the speed of an answer, never the answer."""
    print(f"seed {SEED}, {RULES} rules")
    generator = RuleGenerator(random.Random(SEED))
    oracle = Oracle(SCHEMA)
    seen: Counter[str] = Counter()
    for number in range(RULES):
        kind = Kind.FORMULA if number % 4 == 0 else Kind.CONDITION
        type_ = "bool" if kind is Kind.CONDITION else ("int", "double")[number // 4 % 2]
        text = generator.rule(type_, 1 + number % 5)
        compiled = compile_rule(Source(f"rule {number}", text), SCHEMA, kind)
        rule = link(compiled.code, compiled.tree_bytes)
        for _ in range(CONTACTS_PER_RULE):
            contact, context = generator.contact(), generator.context()
            expected = repr(oracle.evaluate(text, contact, context))
            actual = answers(rule, contact, context)

            assert (expected, expected, expected) == actual, (text, contact, context)
            seen["no answer" if expected == repr(NO_ANSWER) else "answer"] += 1
            seen["fast"] += raised_nothing(rule, contact, context)
    print(dict(seen))

    # A generator that only made errors would prove nothing.
    assert seen["answer"] > 0.4 * RULES * CONTACTS_PER_RULE
    assert seen["no answer"] > 0.1 * RULES * CONTACTS_PER_RULE
    assert seen["fast"] > 0.3 * RULES * CONTACTS_PER_RULE


def answers(
    rule: LinkedRule, contact: tuple[object, ...], context: tuple[object, ...]
) -> tuple[str, str, str]:
    """The linked rule's answer, the interpreter's, and the fast path's if it has one.

    As texts, because those tell -0.0 from 0.0 and find NaN equal to itself.
    """
    exact = NO_ANSWER
    with contextlib.suppress(EvaluationError):
        exact = rule.evaluate_exactly(contact, context)
    linked = NO_ANSWER
    with contextlib.suppress(EvaluationError):
        linked = rule.evaluate(contact, context)
    try:
        fast = rule.fast(contact, context)
    except Exception:
        fast = linked
    return repr(linked), repr(exact), repr(fast)


def raised_nothing(
    rule: LinkedRule, contact: tuple[object, ...], context: tuple[object, ...]
) -> bool:
    try:
        rule.fast(contact, context)
    except Exception:
        return False
    return True
