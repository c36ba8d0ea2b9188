"""Gives a quota whose counter is damaged a count again.

Somebody says how many it had, or the propositions that are stored say it: those of the
offers that are the quota's now, decided in the period that is now. Of contacts who
were erased and of what was purged nothing is stored, so that this may be too few, and
whoever asks for it must know.

A server may serve meanwhile. What the quota fell back on has counted goes on being
counted until the very transaction in which it is added.
"""

from collections.abc import Callable
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.lmdb_env import ReadTxn
from contact_store.packing import unpack_record
from contact_store.walk import entries_after
from server.engine.bit_sets import ascending
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_quotas import LiveQuota
from server.engine.quota_periods import bounds
from server.quota_counts import period_key

#: More than any limit, and within eight bytes.
USED_MAX = 10**15

#: Learns how many records were read, and of how many.
Progress = Callable[[int, int], None]


class CannotRestore(Exception):
    """The quota has no damaged counter; says why, and what to do."""


class Restored(NamedTuple):
    """A counter that can be read again."""

    environment: str
    quota: str
    #: In the period that is now: what was given, and what the fallback had counted.
    used: int
    limit: int


def restore_quota(
    catalog: LiveCatalog,
    history: HistoryStore,
    environment: str,
    name: str,
    used: int | None,
    now_ms: UnixMs,
    progress: Progress,
) -> Restored:
    """Count `used` for a damaged quota; None counts what is stored.

    Raises CannotRestore, CorruptRecord and StoreFailed.
    """
    decides = catalog.environments[environment]
    quota = next((q for q in decides.quotas.live if q.name == name), None)
    if quota is None:
        known = ", ".join(q.name for q in decides.quotas.live) or "none"
        raise CannotRestore(
            f"environment {environment!r} has no active quota {name!r}; known: {known}"
        )
    at_ms = history.latest_decided_at(now_ms)
    key = period_key(quota, at_ms)
    had = history.quota_used(key)
    if had is None:
        if used is None:
            # Read first: what is proposed meanwhile is rather counted twice than not.
            fallback_used = history.quota_used(key.fallback()) or 0
            stored = _stored(history, decides, quota, at_ms, progress)
            used = max(0, stored - fallback_used)
        with history.transaction() as txn:
            restored = txn.restore_quota(key, used)
        if restored is not None:
            return Restored(environment, name, restored, quota.limit)
        had = history.quota_used(key)
    raise CannotRestore(
        f"quota {name!r} is not damaged: it has had {had} of {quota.limit}; to allow"
        " more or fewer, publish another limit"
    )


def _stored(
    history: HistoryStore,
    environment: LiveEnvironment,
    quota: LiveQuota,
    at_ms: UnixMs,
    progress: Progress,
) -> int:
    """Propositions of the quota's offers that were decided in its period."""
    period = bounds(quota.period, quota.time_zone, at_ms)
    start_ms = 0 if period.start_ms is None else period.start_ms
    offers = {
        environment.offers[number].offer_hash
        for number in (
            range(len(environment.offers))
            if quota.offers < 0
            else ascending(quota.offers)
        )
    }
    records = history.lmdb_env.open_db(b"records", create=False)
    count, passed, done = 0, b"", 0
    while True:
        with ReadTxn(history.lmdb_env) as txn:
            entries = entries_after(txn, records, passed)
            total = txn.stat(records)["entries"]
        if not entries:
            return count
        for key, value in entries:
            try:
                record = unpack_record(key, value)
            except CorruptRecord as error:
                raise CannotRestore(
                    f"{error}; or run `propono doctor --repair`, and say what the"
                    " quota has had, since that record can no longer be counted"
                ) from error
            count += sum(
                one.offer in offers and one.decided_at_ms >= start_ms
                for one in record.propositions
            )
        passed, done = entries[-1][0], done + len(entries)
        progress(done, total)
