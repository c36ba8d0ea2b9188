"""What a rule without an answer leaves behind is freed at once."""

import gc

import pytest
from rule_examples import contact, context, linked

from compiler.runtime.interpreter import EvaluationError


@pytest.mark.parametrize(
    "rule",
    [
        "contact.age > 30 || contact.age < 0",
        "contact.age > 30 && contact.age > 20 || 1 / 0 == 1",
        "[0, 1].all(x, 1 / x > 0)",
        "[0, 2].exists(x, 1 / x > 3)",
        "contact.age > 30 ? true : false",
    ],
)
def test_an_error_waits_for_no_collector(rule: str) -> None:
    """It holds frames, and they the call, with all that was read for it."""
    slow = linked(rule)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            with pytest.raises(EvaluationError):
                slow.evaluate_exactly(contact(), context())
            assert slow.holds(contact(), context()) is None
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0
