"""What every quota of the published catalog has had, and what is left of it."""

from collections.abc import Iterable

import msgspec

from catalog_store.counting import OnFailure
from catalog_store.records import Quota, UnixMs, resource_name
from catalog_store.revision_file import RevisionFile
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from server.engine.quota_periods import bounds


class QuotaState(msgspec.Struct, frozen=True):
    """One quota in the period that is now."""

    environment: str
    quota: str
    active: bool
    period: str
    time_zone: str
    limit: int
    #: None when the counter is damaged.
    used: int | None
    #: At least 0; None when it is damaged and the quota goes on uncounted.
    left: int | None
    #: Had of what a damaged quota falls back on; None of all others.
    fallback_used: int | None
    #: When the next period begins, in UTC milliseconds; None is never.
    frees_at_ms: int | None


def quota_states(
    revision: RevisionFile,
    history: HistoryStore | None,
    environments: Iterable[str],
    now_ms: UnixMs,
) -> list[QuotaState]:
    """In the order of the catalog, inactive ones too.

    Without a history nothing was proposed yet. Raises DamagedRevision and StoreFailed.
    """
    at_ms = now_ms if history is None else history.latest_decided_at(now_ms)
    return [
        _state(name, quota, revision.head(name).environment.time_zone, history, at_ms)
        for name in environments
        for quota in revision.items(name, "quotas", Quota)
    ]


def _state(
    environment: str,
    quota: Quota,
    time_zone: str,
    history: HistoryStore | None,
    at_ms: UnixMs,
) -> QuotaState:
    zone = quota.time_zone or time_zone
    period = bounds(quota.period, zone, at_ms)
    resource = resource_name(environment, "quotas", quota.name)
    key = QuotaPeriodKey(name_hash(resource), quota.period.value, period.start_ms)
    used = 0 if history is None else history.quota_used(key)
    fallback_used: int | None = None
    left: int | None = 0
    if used is not None:
        left = max(0, quota.limit - used)
    elif quota.on_failure is OnFailure.OPEN:
        left = None
    elif quota.fallback_limit is not None and history is not None:
        fallback_used = history.quota_used(key.fallback())
        if fallback_used is not None:
            left = max(0, quota.fallback_limit - fallback_used)
    return QuotaState(
        environment=environment,
        quota=quota.name,
        active=quota.active,
        period=quota.period.value,
        time_zone=zone,
        limit=quota.limit,
        used=used,
        left=left,
        fallback_used=fallback_used,
        frees_at_ms=period.end_ms,
    )
