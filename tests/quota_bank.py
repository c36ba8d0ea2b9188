"""A small bank whose offers are under quotas."""

from pathlib import Path
from typing import Any

from catalog_store.records import Category, Environment, Quota
from server.engine.live_catalog import LiveEnvironment
from tests.bank import environment, live, offer

CARDS = (
    Category(name="products"),
    Category(name="cards", parent="products"),
)
OFFERS = (
    offer("gold", 4, category="cards"),
    offer("blue", 3, category="cards"),
    offer("loan", 2, category="products"),
    offer("news", 1),
)


def quota(limit: int = 1, **fields: Any) -> Quota:
    return Quota(**{"name": "scarce", "limit": limit, "period": "day", **fields})


def bank(*quotas: Quota, **fields: Any) -> Environment:
    fields = {"categories": CARDS, **fields}
    return environment(OFFERS, quotas=quotas, **fields)


def decides(folder: Path, *quotas: Quota, **fields: Any) -> LiveEnvironment:
    return live(folder, bank(*quotas, **fields)).environments["bank"]
