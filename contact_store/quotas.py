"""Counters over all contacts: how many propositions each quota has had in a period.

quotas      name hash, period, its start     -> how many; a period in capitals is of
                                                what the quota falls back on

A period without a counter has had none. Whoever counts says when the period begins, by
the store's clock, which never goes back: what is read and added in one write
transaction is exact, on any number of workers. A counter that is damaged stays as it
is, and is told apart from all numbers.

The first proposition of a period removes the counters of the quota's old ones, a few at
a time; those that began less than two days before stay, since a clock that is set back
can bring a date again.
"""

from collections.abc import Mapping
from typing import NamedTuple

import lmdb

from contact_store.errors import CorruptRecord
from contact_store.lmdb_env import Txn
from contact_store.sealed import seal, unseal

#: Old counters removed with each that begins: more than one, so that they run out.
REMOVED_PER_PERIOD = 2
#: How long before the period that begins another must have begun to be old.
KEPT_MS = 2 * 86_400_000

_NAME_BYTES = 8
_COUNT_BYTES = 8
_START_BYTES = 8


class QuotaPeriodKey(NamedTuple):
    """A quota in one of its periods."""

    #: Of its resource name: it is the same quota in every revision.
    name_hash: int
    #: `total`, `hour` and so on: counted otherwise it is counted anew.
    period: str
    #: UTC milliseconds; None has no beginning.
    start_ms: int | None

    def encoded(self) -> bytes:
        if self.start_ms is None:
            return self.series()
        # Before 1970 nobody decided.
        return self.series() + max(0, self.start_ms).to_bytes(_START_BYTES)

    def fallback(self) -> "QuotaPeriodKey":
        """The counter of what the quota falls back on, while this one is damaged."""
        return self._replace(period=self.period.upper())

    def series(self) -> bytes:
        """What the keys of all periods begin with."""
        return self.name_hash.to_bytes(_NAME_BYTES) + self.period[0].encode()


class QuotaTables:
    """The table of one store, used inside its transactions."""

    DATABASES = 1

    def __init__(self, lmdb_env: lmdb.Environment) -> None:
        self._counters = lmdb_env.open_db(b"quotas")

    def used(self, txn: Txn, period: QuotaPeriodKey) -> int | None:
        """What was counted; None when the counter is damaged."""
        return self._read(txn, period.encoded())

    def consume(self, txn: Txn, taken: Mapping[QuotaPeriodKey, int]) -> None:
        """Count propositions; those of a damaged counter are lost."""
        for period, count in taken.items():
            key = period.encoded()
            used = self._read(txn, key)
            if used is None:
                continue
            after = (used + count).to_bytes(_COUNT_BYTES)
            txn.put(key, seal(key, after), db=self._counters)
            if used == 0 and period.start_ms is not None:
                self._remove_old(txn, period.series(), period.start_ms - KEPT_MS)

    def restore(self, txn: Txn, period: QuotaPeriodKey, used: int) -> int | None:
        """Give a damaged counter a count again; None if it is not damaged.

        What its fallback has counted since is added; returns the sum.
        """
        key, fallback_key = period.encoded(), period.fallback().encoded()
        if self._read(txn, key) is not None:
            return None
        used += self._read(txn, fallback_key) or 0
        txn.put(key, seal(key, used.to_bytes(_COUNT_BYTES)), db=self._counters)
        txn.delete(fallback_key, db=self._counters)
        return used

    def _read(self, txn: Txn, key: bytes) -> int | None:
        value = txn.get(key, db=self._counters)
        if value is None:
            return 0
        try:
            return int.from_bytes(unseal(key, value))
        except CorruptRecord:
            return None

    def _remove_old(self, txn: Txn, series: bytes, before_ms: int) -> None:
        with txn.cursor(db=self._counters) as cursor:
            for _ in range(REMOVED_PER_PERIOD):
                if not cursor.set_range(series):
                    return
                key = cursor.key()
                start = key[len(series) :]
                if not key.startswith(series) or int.from_bytes(start) >= before_ms:
                    return
                cursor.delete()
