"""Which weight rows count for a contact, and why the others do not."""

from collections.abc import Iterable, Sequence
from math import isfinite, isnan
from typing import Protocol

from compiler.runtime.history import History
from compiler.runtime.interpreter import EvaluationError, evaluate
from server.engine.call import Call, SpaceCall
from server.engine.eligibility import Conditions
from server.engine.explanation import reasons
from server.engine.explanation.failing_conditions import (
    Condition,
    FailingCondition,
    RuleConditions,
    found_by,
)
from server.engine.explanation.found_values import Records
from server.engine.explanation.reasons import RowReason
from server.engine.live_nouns import LiveCategory
from server.engine.live_offers import LiveRow


class Asking(Protocol):
    """What a row must be told: a space of a decided call."""

    call: Call
    asked: SpaceCall
    records: Records
    rules: RuleConditions

    @property
    def history(self) -> History: ...

    def failing(self, rule: int | None) -> tuple[FailingCondition, ...]: ...


class RowScrutiny:
    """The rows of one space of a decided call."""

    def __init__(self, asking: Asking, conditions: Conditions) -> None:
        self._asking = asking
        self._conditions = conditions

    def best(
        self, resource: str, rows: Sequence[LiveRow]
    ) -> tuple[float, tuple[RowReason, ...]]:
        """The highest weight of a noun's rows, 0 without one, and the rows' reasons."""
        best = 0.0
        found: list[RowReason] = []
        for place, row in enumerate(rows):
            misses = self.misses(f"{resource}:weights[{place}]", row)
            if misses:
                found += misses
            else:
                best = max(best, self._weight(row))
        return best, tuple(found)

    def misses(self, resource: str, row: LiveRow) -> list[RowReason]:
        """Why a row does not count; empty when it does."""
        call, space = self._asking.call, self._asking.asked.space.name
        found: list[RowReason] = []
        if not row.window.includes(call.at_ms):
            found.append(
                reasons.row_window(resource, row.label, row.window, call.at_ms)
            )
        if row.spaces and space not in row.spaces:
            found.append(reasons.row_of_other_spaces(resource, row.label, row.spaces))
        found += [
            reasons.row_rule(resource, row.label, condition)
            for condition in self._asking.failing(row.rule)
        ]
        found += self._of_weight(resource, row)
        return found

    def scaled(self, weight: float, path: Iterable[LiveCategory]) -> float:
        """A weight times the multipliers in force, root first as doubles demand."""
        for node in path:
            multiplier = node.multiplier
            if multiplier is not None and multiplier.window.includes(
                self._asking.call.at_ms
            ):
                weight *= multiplier.factor
        return weight

    def _weight(self, row: LiveRow) -> float:
        if row.formula is None:
            return row.weight
        weight = self._conditions.weight(row.formula)
        assert weight is not None, "a row that counts has a weight"
        return weight

    def _of_weight(self, resource: str, row: LiveRow) -> list[RowReason]:
        if row.formula is None:
            if row.weight > 0.0:
                return []
            return [reasons.row_weight_zero(resource, row.label, "")]
        weight = self._conditions.weight(row.formula)
        if weight is not None and weight > 0.0 and isfinite(weight):
            return []
        return [self._of_formula(resource, row.label, row.formula, weight)]

    def _of_formula(
        self, resource: str, label: str, formula: int, weight: float | None
    ) -> RowReason:
        asking = self._asking
        (condition,) = asking.rules.of(formula)
        if weight is None:
            error = self._error(condition)
            found = found_by(condition, asking.call.environment, asking.records)
            return reasons.row_without_answer(
                resource, label, condition.text, error, found
            )
        if isnan(weight) or weight == float("inf"):
            return reasons.row_not_finite(resource, label, condition.text)
        if weight < 0.0:
            return reasons.row_negative(resource, label, condition.text, weight)
        return reasons.row_weight_zero(resource, label, condition.text)

    def _error(self, formula: Condition) -> str:
        asking = self._asking
        contact, context = asking.records
        try:
            evaluate(formula.tree, contact, context, asking.history)
        except EvaluationError as error:
            return error.message
        raise AssertionError("generated code and the interpreter agree")
