"""Random quotas, and what is left of them when a call asks."""

from typing import Any

from catalog_store.counting import OnFailure, QuotaPeriod
from catalog_store.records import Environment, Quota
from server.engine.live_catalog import LiveEnvironment
from tests.reference_quotas import FALLBACK
from tests.test_index import Dice


def quotas_of(dice: Dice, record: Environment) -> tuple[Quota, ...]:
    """Some quotas, of offers that every space of theirs records."""
    unrecorded = {space.name for space in record.spaces if not space.recording}
    loose = {o.name for o in record.offers if unrecorded & set(o.spaces)}
    of_category = {c.name: subtree(record, c.name) for c in record.categories}
    counted = [o.name for o in record.offers if o.name not in loose]
    scopes: list[dict[str, Any]] = [
        *({"offers": (name,)} for name in counted),
        *(
            {"categories": (c,)}
            for c, names in of_category.items()
            if not names & loose
        ),
        *[{}] * (0 if loose else 3),
    ]
    if len(counted) > 2:
        scopes += [{"offers": tuple(counted[:3])}] * 3
    if not scopes:
        return ()
    return tuple(
        Quota(
            name=f"quota_{number}",
            period=dice.one(list(QuotaPeriod)),
            active=not dice.chance(0.1),
            **_failing(dice),
            **dice.one(scopes),
        )
        for number in range(dice.one([0, 0, 1, 2, 4]))
    )


def _failing(dice: Dice) -> dict[str, Any]:
    """A limit, and what holds when it cannot be counted."""
    on_failure = dice.one(list(OnFailure))
    if on_failure is OnFailure.FALL_BACK:
        return {"limit": 10, "on_failure": on_failure, "fallback_limit": 2}
    return {"limit": dice.one([0, 1, 10]), "on_failure": on_failure}


def subtree(record: Environment, name: str) -> set[str]:
    """The offers of a category and of those below it."""
    below = {c.name for c in record.categories if c.parent == name}
    found = {offer.name for offer in record.offers if offer.category == name}
    return found.union(*(subtree(record, each) for each in below))


def quotas_left_of(dice: Dice, record: Environment) -> dict[str, int]:
    """Some have none left, or less; a few cannot be read."""
    left = {
        quota.name: dice.one([0, 1, 1, 2, 5, 100, -3])
        for quota in record.quotas
        if not dice.chance(0.1 if quota.fallback_limit is None else 0.5)
    }
    return left | {
        FALLBACK + quota.name: dice.one([0, 1, 1, 2])
        for quota in record.quotas
        if quota.fallback_limit is not None and not dice.chance(0.1)
    }


def numbered(decides: LiveEnvironment, left: dict[str, int]) -> dict[int, int]:
    """Quotas by their numbers."""
    live = decides.quotas.live
    return {q.number: left[q.name] for q in live if q.name in left}


def fallbacks_numbered(
    decides: LiveEnvironment, left: dict[str, int]
) -> dict[int, int]:
    """The same of what they fall back on."""
    return numbered(
        decides,
        {
            k.removeprefix(FALLBACK): v
            for k, v in left.items()
            if k.startswith(FALLBACK)
        },
    )
