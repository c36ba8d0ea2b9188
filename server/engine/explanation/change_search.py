"""Searches for values and a time that make one offer eligible in one space.

One weight row is chosen, the most promising first. For it, and for the rules on the
way down to it, the earliest time that suits is taken, and then one attribute after the
other gets the value nearest to its own with which its conditions hold. What comes out
is put to the scrutiny as a whole: only what it confirms is returned.
"""

from collections.abc import Iterator, Set
from heapq import heapify, heappop, heappush
from math import isinf

from compiler.runtime.tree import CONTEXT_NOW
from server.engine.call import Call
from server.engine.explanation.altered_call import with_value
from server.engine.explanation.candidate_values import candidates
from server.engine.explanation.failing_conditions import Condition
from server.engine.explanation.found_values import Place, Records, declared, is_settable
from server.engine.explanation.reasons import Reason, ReasonCode
from server.engine.explanation.scrutiny import Scrutiny
from server.engine.live_offers import LiveRow, LiveWindow

#: Rows tried for one offer.
ROWS_TRIED_MAX = 8
#: Moments tried for one row.
MOMENTS_TRIED_MAX = 16
#: A change of time can open a condition on attributes, and the other way round.
ROUNDS_MAX = 3

_NOW = Place("context", CONTEXT_NOW)


class Search:
    """One offer in one space; `settled` are reasons that others must remove."""

    def __init__(
        self, scrutiny: Scrutiny, offer: int, settled: Set[tuple[ReasonCode, str]]
    ) -> None:
        self._scrutiny = scrutiny
        self._offer = scrutiny.call.environment.offers[offer]
        self._settled = settled
        self._path = scrutiny.path(self._offer.category).nodes

    def run(self, call: Call) -> Call | None:
        """The call with what must change; None when nothing is known."""
        scrutiny = self._scrutiny
        asking = scrutiny if call is scrutiny.call else scrutiny.of_call(call)
        for row in self._rows(asking):
            changed = self._for_row(asking, row)
            if changed is not None:
                return changed.call
        return None

    def _for_row(self, asking: Scrutiny, row: LiveRow | None) -> Scrutiny | None:
        conditions = list(self._conditions(asking, row))
        current: Scrutiny | None = asking
        for _ in range(ROUNDS_MAX):
            current = self._at_a_time(current, row, conditions)
            current = current and self._with_values(current, conditions)
            if current is None or self._is_eligible(current):
                return current
        return None

    def _is_eligible(self, asking: Scrutiny) -> bool:
        return all(
            reason.code is ReasonCode.OUTRANKED or key_of(reason) in self._settled
            for reason in asking.reasons(self._offer.number)
        )

    def _rows(self, asking: Scrutiny) -> list[LiveRow | None]:
        """The rows worth trying, those with the fewest reasons first."""
        if any(code is ReasonCode.NO_MATCHING_WEIGHT for code, _ in self._settled):
            return [None]
        rows = asking.hopeful_rows(self._offer.number)
        if len(rows) > 1:
            rows.sort(key=lambda row: len(asking.rows.misses("", row)))
        return list(rows[:ROWS_TRIED_MAX])

    def _conditions(self, asking: Scrutiny, row: LiveRow | None) -> Iterator[Condition]:
        """All that must be true of the contact, and a formula that must be above 0."""
        environment = asking.call.environment
        numbers = [environment.rule, *(node.rule for node in self._path)]
        numbers.append(environment.nouns.offer_rules[self._offer.number])
        if row is not None:
            numbers += [row.rule, row.formula]
        for number in numbers:
            if number is not None:
                yield from asking.rules.of(number)

    def _windows(self, asking: Scrutiny, row: LiveRow | None) -> list[LiveWindow]:
        """Those that must be open; what has closed is not the contact's to open."""
        own = asking.call.environment.nouns.offer_windows.get(self._offer.number)
        windows = [node.window for node in self._path]
        windows += [] if own is None else [own]
        windows += [] if row is None else [row.window]
        return [window for window in windows if asking.call.at_ms < window.end_ms]

    def _at_a_time(
        self, asking: Scrutiny, row: LiveRow | None, conditions: list[Condition]
    ) -> Scrutiny | None:
        """The first moment from now on at which nothing that is of time is against."""
        windows = self._windows(asking, row)
        clock = [condition for condition in conditions if condition.places == (_NOW,)]
        now_ms = asking.call.at_ms
        pending = [now_ms, *self._moments(asking, windows, clock)]
        heapify(pending)
        not_before = now_ms
        for _ in range(MOMENTS_TRIED_MAX):
            while pending and pending[0] < not_before:
                heappop(pending)
            if not pending:
                return None
            at_ms = heappop(pending)
            if not all(window.includes(at_ms) for window in windows):
                continue
            then = asking if at_ms == now_ms else asking.at(at_ms)
            if not all(c.holds(then.records, then.history) for c in clock):
                continue
            exclusions = then.exclusions(self._offer)
            if not exclusions:
                return then
            # PERF: until the last of them frees nothing can suit, and each moment tried
            # counts the history anew: 3 ms for 4,096 propositions and ten rules.
            for exclusion in exclusions:
                if exclusion.frees_at_ms is None:
                    return None
                not_before = max(not_before, exclusion.frees_at_ms)
            heappush(pending, not_before)
        return None

    def _moments(
        self, asking: Scrutiny, windows: list[LiveWindow], clock: list[Condition]
    ) -> Iterator[int]:
        now_ms = asking.call.at_ms
        for window in windows:
            if not isinf(window.start_ms) and window.start_ms > now_ms:
                yield int(window.start_ms)
        if clock:
            attribute = declared(asking.call.environment, _NOW)
            trees = [condition.tree for condition in clock]
            for moment in candidates(attribute, _NOW, now_ms * 1_000, trees):
                # In whole milliseconds, rounded up.
                if isinstance(moment, int) and moment > now_ms * 1_000:
                    yield -(-moment // 1_000)

    def _with_values(
        self, asking: Scrutiny, conditions: list[Condition]
    ) -> Scrutiny | None:
        """Attributes changed until every condition holds."""
        call, records, history = asking.call, asking.records, asking.history
        for condition in conditions:
            if condition.holds(records, history):
                continue
            for place in condition.places:
                value = self._value(asking, records, place, condition, conditions)
                if value is not None:
                    records = records.put(place, value.value)
                    call = with_value(call, place, value.value)
                    break
            else:
                return None
        return asking if call is asking.call else asking.of_call(call)

    def _value(
        self,
        asking: Scrutiny,
        records: Records,
        place: Place,
        condition: Condition,
        conditions: list[Condition],
    ) -> "_Value | None":
        """The nearest value with which a condition holds, and what held still does."""
        if not is_settable(place):
            return None
        history = asking.history
        together = [
            other
            for other in conditions
            if place in other.places
            and (
                other is condition
                or other.places == (place,)
                or other.holds(records, history)
            )
        ]
        attribute = declared(asking.call.environment, place)
        trees = [other.tree for other in together]
        for value in candidates(attribute, place, records.at(place), trees):
            tried = records.put(place, value)
            if all(other.holds(tried, history) for other in together):
                return _Value(value)
        return None


class _Value:
    """A value that was found: null is one too."""

    def __init__(self, value: object) -> None:
        self.value = value


def key_of(reason: Reason) -> tuple[ReasonCode, str]:
    """What tells apart the reasons that one edit of the catalog removes."""
    return reason.code, reason.resource
