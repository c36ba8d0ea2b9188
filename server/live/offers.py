"""Offers, what they are called, and their own rows, from columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from catalog_store.records import Category, resource_name
from catalog_store.revision_file.columns import OfferColumns, RowColumns
from contact_store.names import name_hash
from server.engine.live_offers import LiveOffer, LiveRow, LiveWindow, OfferNumbers
from server.live.source import Source, Steps

#: Offers whose rows are put together in one step.
_STEP = 512


class LoadedOffers(NamedTuple):
    """The offers of an environment, by their numbers."""

    offers: list[LiveOffer]
    numbers: OfferNumbers
    #: Names by `contact_store.names`' hash.
    category_of_hash: dict[int, str]
    #: Numbers of their eligibility rules.
    rules: list[int | None]
    #: Numbers of their own rows, in the order of the record.
    row_numbers: list[tuple[int, ...]]


class LoadedRows(NamedTuple):
    """The own rows of an environment."""

    #: In the order of the index.
    rows: list[LiveRow]
    offer_of: list[int]
    #: Offer -> its rows in the index.
    rows_of_offer: list[tuple[int, ...]]
    #: Offer -> all of its rows, in the order of the record.
    offer_rows: list[tuple[LiveRow, ...]]
    #: Numbers of the rules that are their weights.
    formulas: set[int]


class Shared(NamedTuple):
    """What many offers and rows have in common."""

    windows: list[LiveWindow]
    #: Names of the spaces that rows are limited to.
    limits: list[frozenset[str]]


def load_shared(source: Source) -> Steps[Shared]:
    windows: list[LiveWindow] = []
    # Integers stay what they are, and only unbounded ends are floats.
    ends: Any = tuple[int | float, int | float]
    for items in source.lists("windows", ends):
        windows += (LiveWindow(start, end) for start, end in items)
        yield
    limits = yield from source.whole("space_limits", frozenset[str])
    return Shared(windows, limits)


def load_offers(
    source: Source, categories: Sequence[Category], shared: Shared
) -> Steps[LoadedOffers]:
    environment = source.head.environment.name
    names = [category.name for category in categories]
    hashes: list[int] = []
    for number, name in enumerate(names):
        hashes.append(name_hash(resource_name(environment, "categories", name)))
        if number % _STEP == 0:
            yield
    loaded = LoadedOffers(
        [], OfferNumbers(), dict(zip(hashes, names, strict=True)), [], []
    )
    offers, numbers = loaded.offers, loaded.numbers
    prefix = resource_name(environment, "offers", "")
    windows = shared.windows
    for (columns,) in source.lists("live_offers", OfferColumns):
        first = number = len(offers)
        for name, category, window in zip(
            columns.names, columns.categories, columns.windows, strict=True
        ):
            offers.append(
                LiveOffer(
                    number,
                    name,
                    names[category],
                    name_hash(prefix + name),
                    hashes[category],
                    windows[window],
                )
            )
            number += 1
        yield
        some = offers[first:]
        # One in a step: a dictionary that grows copies itself.
        numbers.update((offer.name, offer.number) for offer in some)
        yield
        numbers.name_of_hash.update((offer.offer_hash, offer.name) for offer in some)
        loaded.rules.extend(columns.rules)
        loaded.row_numbers.extend(columns.rows)
        yield
    numbers.name_of_hash.update(loaded.category_of_hash)
    return loaded


def load_rows(
    source: Source, loaded: LoadedOffers, shared: Shared
) -> Steps[LoadedRows]:
    windows, limits = shared
    offers = loaded.offers
    formulas: set[int] = set()
    rows: list[LiveRow] = []
    offer_of: list[int] = []
    for (columns,) in source.lists("live_rows", RowColumns):
        texts = zip(columns.offers, columns.places, columns.labels, strict=True)
        numbers = zip(columns.weights, columns.formulas, columns.rules, strict=True)
        scopes = zip(columns.windows, columns.spaces, strict=True)
        for (offer, place, label), (weight, formula, rule), (window, limit) in zip(
            texts, numbers, scopes, strict=True
        ):
            rows.append(
                LiveRow(
                    label or f"{offers[offer].name}.weights[{place}]",
                    weight,
                    formula,
                    windows[window],
                    limits[limit],
                    rule,
                )
            )
        offer_of += columns.offers
        formulas.update(number for number in columns.formulas if number is not None)
        yield
    indexed = source.head.index.row_index.size
    rows_of_offer: list[tuple[int, ...]] = []
    offer_rows: list[tuple[LiveRow, ...]] = []
    for offer, numbers in enumerate(loaded.row_numbers):
        offer_rows.append(tuple([rows[number] for number in numbers]))
        # In the order of the index, and without those that it leaves out.
        if len(numbers) > 1 or (numbers and numbers[0] >= indexed):
            numbers = tuple(sorted(n for n in numbers if n < indexed))
        rows_of_offer.append(numbers)
        if offer % _STEP == 0:
            yield
    del rows[indexed:], offer_of[indexed:]
    return LoadedRows(rows, offer_of, rows_of_offer, offer_rows, formulas)
