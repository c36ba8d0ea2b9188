"""What is left of an environment's quotas, read when a decision asks for it."""

from collections.abc import Callable, Iterator, Mapping

from catalog_store.records import UnixMs
from contact_store.quotas import QuotaPeriodKey
from server.engine.live_quotas import LiveQuota, LiveQuotas
from server.engine.quota_periods import bounds

#: What a quota had in a period; None when its counter is damaged.
Used = Callable[[QuotaPeriodKey], int | None]


class QuotaCounts(Mapping[int, int]):
    """Quota -> what is left of it at one moment, as `Call.quotas_left` wants it.

    PERF: a decision asks for the quotas of the offers that it comes to, 3 to 4 us each;
    all of 1,000 in an environment would take 4 ms inside the write transaction (CPython
    3.11, two busy cores).
    """

    def __init__(self, quotas: LiveQuotas, decided_at_ms: UnixMs, used: Used) -> None:
        """`used` is asked once for each quota, while its transaction lasts."""
        self._quotas = quotas
        self.decided_at_ms = decided_at_ms
        self._used = used
        #: What was read; None is damaged.
        self._known: dict[int, int | None] = {}
        #: The same of the limits that the damaged ones fall back on.
        self.fallbacks = _Fallbacks(quotas, decided_at_ms, used)

    def __getitem__(self, number: int) -> int:
        """Raises KeyError for a quota whose counter is damaged."""
        if number not in self._known:
            quota = self._quotas.live[number]
            used = self._used(period_key(quota, self.decided_at_ms))
            self._known[number] = None if used is None else quota.limit - used
        left = self._known[number]
        if left is None:
            raise KeyError(number)
        return left

    def __iter__(self) -> Iterator[int]:
        """Those that can be read; reads all."""
        return iter(self.read_all())

    def __len__(self) -> int:
        return len(self.read_all())

    def read_all(self) -> dict[int, int]:
        """All that can be read, to keep when the transaction is over."""
        for number in range(len(self._quotas.live)):
            if number not in self:
                self.fallbacks.get(number)
        return self.read()

    def read(self) -> dict[int, int]:
        """The same of what was read so far."""
        return {n: left for n, left in self._known.items() if left is not None}

    def warnings(self) -> list[str]:
        """Of what was asked for and is damaged."""
        return [
            _damaged(self._quotas.live[number], self.fallbacks.get(number))
            for number, left in self._known.items()
            if left is None
        ]

    def to_consume(self, taken: Mapping[int, int]) -> dict[QuotaPeriodKey, int]:
        """The periods to count what a decision took."""
        consumed: dict[QuotaPeriodKey, int] = {}
        for number, count in taken.items():
            quota = self._quotas.live[number]
            key = period_key(quota, self.decided_at_ms)
            if self._known[number] is not None:
                consumed[key] = count
            elif quota.fallback_limit:
                consumed[key.fallback()] = count
        return consumed


class _Fallbacks(Mapping[int, int]):
    """Quota -> what is left of the limit that it falls back on, while it is damaged."""

    def __init__(self, quotas: LiveQuotas, decided_at_ms: UnixMs, used: Used) -> None:
        self._quotas = quotas
        self._decided_at_ms = decided_at_ms
        self._used = used
        self._known: dict[int, int | None] = {}

    def __getitem__(self, number: int) -> int:
        """Raises KeyError if there is none, or if its counter is damaged as well."""
        if number not in self._known:
            quota = self._quotas.live[number]
            used = None
            if quota.fallback_limit:
                used = self._used(period_key(quota, self._decided_at_ms).fallback())
            left = None if used is None else (quota.fallback_limit or 0) - used
            self._known[number] = left
        left = self._known[number]
        if left is None:
            raise KeyError(number)
        return left

    def __iter__(self) -> Iterator[int]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())

    def read(self) -> dict[int, int]:
        """Of those that were asked for."""
        return {n: left for n, left in self._known.items() if left is not None}


def period_key(quota: LiveQuota, at_ms: UnixMs) -> QuotaPeriodKey:
    """The counter of a quota at a moment."""
    start_ms = bounds(quota.period, quota.time_zone, at_ms).start_ms
    return QuotaPeriodKey(quota.quota_hash, quota.period.value, start_ms)


def _damaged(quota: LiveQuota, fallback_left: int | None) -> str:
    if quota.fallback_limit is None:
        what = "its offers are proposed uncounted"
    elif fallback_left is None:
        what = "none is left"
    else:
        what = f"it falls back on a limit of {quota.fallback_limit}"
    return f"quota {quota.name!r} has a damaged counter: {what}; see `propono quotas`"
