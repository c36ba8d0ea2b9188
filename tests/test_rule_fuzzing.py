"""Random rules: generated code, the interpreter and the C++ implementation agree.

A longer run: PROPONO_FUZZ_EVALUATIONS=1000000 PROPONO_FUZZ_SEED=7 pytest -s this file.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rule_agreement import CONTACTS_PER_RULE, Evaluation, evaluations

from compiler import emitter
from compiler.runtime import interpreter, linker
from compiler.runtime.tree import Node, Op
from compiler.runtime.values import GLOBALS

EVALUATIONS = int(os.environ.get("PROPONO_FUZZ_EVALUATIONS", "20000"))
SEED = int(os.environ.get("PROPONO_FUZZ_SEED", "20260131"))
#: Within which each seeded fault is found.
FAULT_EVALUATIONS_MAX = 12_000


def test_random_rules_have_one_answer_however_they_are_evaluated() -> None:
    """Compiling changes the speed of an answer, never the answer."""
    seen: Counter[str] = Counter()
    count = 0
    for evaluation in stream(EVALUATIONS, seen):
        assert evaluation.answers.agree(), evaluation
        count += 1
    print(f"seed {SEED}: {count} evaluations, {dict(seen)}")

    # A generator that only made errors would prove nothing.
    assert count >= EVALUATIONS
    assert seen["answer"] > 0.4 * count
    assert seen["no answer"] > 0.1 * count
    assert seen["fast"] > 0.3 * count
    assert seen["reads history"] > 0.1 * count / CONTACTS_PER_RULE


def stream(count: int, seen: Counter[str]) -> Iterator[Evaluation]:
    rules = -(-count // CONTACTS_PER_RULE)
    return evaluations(SEED, rules, seen)


def _no_overflow_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GLOBALS, "int64", lambda result: result)


def _floor_division(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GLOBALS, "divide", lambda left, right: left // right)


def _strict_and(monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(evaluation: Any, node: Node) -> bool:
        return all([evaluation.condition(child) for child in node.children])

    monkeypatch.setitem(interpreter._EVALUATE, Op.AND, strict)


def _strict_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(evaluation: Any, node: Node) -> bool:
        return any(evaluation.mapped(node))

    monkeypatch.setitem(interpreter._EVALUATE, Op.EXISTS, strict)


def _bare_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitter.Emitter, "passed_on", emitter.Emitter.plain)


def _every_error_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linker, "never_true_once_raised", lambda _: True)
    monkeypatch.setattr(linker, "fails_once_raised", lambda _: True)


def _history_in_disorder(monkeypatch: pytest.MonkeyPatch) -> None:
    field: Any = interpreter._EVALUATE[Op.FIELD]

    def next_field(evaluation: Any, node: Any) -> Any:
        index, name = node.value
        return field(evaluation, node._replace(value=((index + 1) % 5, name)))

    monkeypatch.setitem(interpreter._EVALUATE, Op.FIELD, next_field)


@pytest.mark.parametrize(
    "break_it",
    [
        _no_overflow_check,
        _floor_division,
        _strict_and,
        _strict_exists,
        _bare_slots,
        _every_error_settles,
        _history_in_disorder,
    ],
)
def test_a_fault_in_the_back_end_is_found(
    break_it: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rules tell a wrong back end from a right one, soon."""
    break_it(monkeypatch)
    found = next(
        (
            number
            for number, evaluation in enumerate(
                stream(FAULT_EVALUATIONS_MAX, Counter()), start=1
            )
            if not evaluation.answers.agree()
        ),
        None,
    )
    print(f"found after {found} evaluations")

    assert found is not None
