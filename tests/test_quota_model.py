"""Quotas against dictionaries: random calls, days, limits and restarts.

A longer run: PROPONO_QUOTA_CALLS=20000 PROPONO_QUOTA_SEED=7 pytest -s this file.
"""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from catalog_store.counting import QuotaPeriod
from catalog_store.records import Environment, Quota, UnixMs
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from contact_store.records import Proposition
from server.engine.live_quotas import LiveQuota
from server.quota_counts import period_key
from server.wire import decision_pb2 as pb
from tests.bank import environment, offer
from tests.batches import batches
from tests.quota_bank import quota
from tests.services import Served, offers, served

CALLS = int(os.environ.get("PROPONO_QUOTA_CALLS", "400"))
SEED = int(os.environ.get("PROPONO_QUOTA_SEED", "1"))
#: Heaviest first.
NAMES = ("gold", "blue", "loan", "news", "fund")
CONTACTS = [f"c{number}" for number in range(40)]
ZONES = ("Europe/Lisbon", "America/New_York", "Australia/Lord_Howe")
#: A week before the clocks go back in Lisbon, so that both changes come up.
START_MS = 1_792_300_000_000
STEPS_MS = (0, 0, 0, 1, 1_000, 60_000, 900_000, 3_600_000, 20 * 3_600_000)

Made = tuple[str, int]


class Model:
    """All propositions ever recorded, and what quotas say of them."""

    def __init__(self) -> None:
        self.made: list[Made] = []

    def used(self, one: Quota, now_ms: int) -> int:
        """Propositions of the quota's offers in the period that is now."""
        now = _name(one, now_ms)
        return sum(o in one.offers and _name(one, at) == now for o, at in self.made)

    def expected(self, record: Environment, now_ms: int, count: int) -> list[str]:
        """The heaviest offers with room everywhere, one after the other."""
        left = {q.name: q.limit - self.used(q, now_ms) for q in record.quotas}
        found: list[str] = []
        for name in NAMES:
            own = [q.name for q in record.quotas if name in q.offers]
            if len(found) < count and all(left[each] > 0 for each in own):
                found.append(name)
                for each in own:
                    left[each] -= 1
        return found


def _name(one: Quota, at_ms: int) -> object:
    """What a calendar calls the quota's period; hours by their moment."""
    zone = ZoneInfo(one.time_zone or "UTC")
    at = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(
        zone
    )
    match one.period:
        case QuotaPeriod.TOTAL:
            return ()
        case QuotaPeriod.HOUR:
            first = at.replace(minute=0, second=0, microsecond=0)
            return first.astimezone(UTC)
        case QuotaPeriod.DAY:
            return at.date()
        case QuotaPeriod.WEEK:
            return at.isocalendar()[:2]
        case QuotaPeriod.MONTH:
            return at.year, at.month


def quotas(random: Random) -> tuple[Quota, ...]:
    """Of each period, over a few offers each."""
    return tuple(
        Quota(
            name=f"by_{period}",
            limit=random.choice([3, 5, 8]) if period != "total" else CALLS // 6,
            period=period,
            time_zone=random.choice(ZONES),
            offers=tuple(random.sample(NAMES, 2)),
        )
        for period in QuotaPeriod
    )


def test_calls_find_what_the_model_has_left(tmp_path: Path) -> None:
    """Exactly the offers with room, at every moment, whatever is edited meanwhile."""
    print(f"PROPONO_QUOTA_SEED={SEED}")
    random = Random(SEED)
    model = Model()
    record = environment(
        [offer(name, 9 - place) for place, name in enumerate(NAMES)],
        quotas=quotas(random),
    )
    now_ms = START_MS
    met: Counter[str] = Counter()
    done = 0
    while done < CALLS:
        # A server that starts again, and one that goes on with other limits.
        record = replace(
            record, quotas=tuple(_edited(q, random) for q in record.quotas)
        )
        with served(tmp_path, record) as web:
            for _ in range(random.choice([1, 30, 100])):
                done += 1
                now_ms += random.choice(STEPS_MS)
                met[_ask(web, random, model, record, now_ms)] += 1
            _recount(web.history, model, record, now_ms)
    assert met["proposed"] > CALLS / 3
    assert met["short"] > CALLS / 10
    assert met["nothing recorded"] > CALLS / 10


def _edited(one: Quota, random: Random) -> Quota:
    """Mostly as it was; now and then the limit moves, below what is used too."""
    if random.random() < 0.3:
        return replace(one, limit=max(0, one.limit + random.choice([-3, -1, 1, 3])))
    return one


def _ask(
    web: Served, random: Random, model: Model, record: Environment, now_ms: int
) -> str:
    web.clock.now_ms = now_ms
    count, dry_run = random.choice([1, 2, 5]), random.random() < 0.2
    request = pb.ProposeRequest(contact_id=random.choice(CONTACTS), dry_run=dry_run)
    request.request_id = f"{now_ms}-{random.getrandbits(60)}"
    request.spaces.add(space="banner", max_propositions=count)
    expected = model.expected(record, now_ms, count)

    assert offers(web.ask(request)) == expected
    if dry_run:
        return "nothing recorded"
    model.made += [(name, now_ms) for name in expected]
    if random.random() < 0.2:
        # The answer was lost, and the client asks again.
        assert offers(web.ask(request)) == expected
    return "proposed" if len(expected) == count else "short"


def _recount(
    history: HistoryStore, model: Model, record: Environment, now_ms: int
) -> None:
    """What is stored is what the model made, and what the counters say."""
    hashes = {name_hash(f"environments/bank/offers/{name}"): name for name in NAMES}
    stored: list[Proposition] = []
    for contact in CONTACTS:
        found = history.read("bank", contact)
        stored += found.propositions if found else ()
    assert sorted(model.made) == sorted(
        (hashes[p.offer], p.decided_at_ms) for p in stored
    )
    for number, one in enumerate(record.quotas):
        assert model.used(one, now_ms) == history.quota_used(_key(one, number, now_ms))


def _key(one: Quota, number: int, now_ms: int) -> QuotaPeriodKey:
    resource = name_hash(f"environments/bank/quotas/{one.name}")
    zone = one.time_zone or "UTC"
    live = LiveQuota(number, one.name, resource, 0, 0, one.period, zone)
    return period_key(live, UnixMs(now_ms))


def test_a_batch_shares_it_among_its_contacts(tmp_path: Path) -> None:
    """Exactly the limit, in the order asked; asked again it takes nothing more."""
    limited = quota(30, offers=("gold",))
    record = environment([offer("gold", 2), offer("news")], quotas=(limited,))
    with batches(tmp_path, record) as one:
        ids = [f"c{number}" for number in range(80)]
        first = [offers(each.decision) for each in one.ask(*ids, request_id="batch")]
        again = [offers(each.decision) for each in one.ask(*ids, request_id="batch")]
        single = offers(one.served.propose(contact_id="late"))

    assert first == [["gold"]] * 30 + [["news"]] * 50
    assert again == first
    assert single == ["news"]


def test_a_dry_batch_decides_for_each_contact_alone(tmp_path: Path) -> None:
    """It takes nothing, from one contact to the next either."""
    record = environment([offer("gold", 2)], quotas=(quota(1, offers=("gold",)),))
    with batches(tmp_path, record) as one:
        found = [offers(e.decision) for e in one.ask("ann", "bob", dry_run=True)]

    assert found == [["gold"], ["gold"]]
