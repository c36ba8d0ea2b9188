"""Offers and their own rows as columns: one list per field, some hundred a chunk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from catalog_store.compiled import CompiledEnvironment
from catalog_store.records import Environment, Offer, resource_name
from catalog_store.revision_file.windows import Ends, ends

_Value = TypeVar("_Value")

#: Offers or rows of one item.
_COLUMN_ITEMS = 256


class OfferColumns(msgspec.Struct, frozen=True, array_like=True):
    """Some offers, in catalog order."""

    names: list[str]
    categories: list[int]
    #: Their own and their categories' windows, intersected.
    windows: list[int]
    #: Numbers of their eligibility rules.
    rules: list[int | None]
    #: Their own rows in the order of the record; those that the index leaves out are
    #: numbered after the others.
    rows: list[tuple[int, ...]]


class RowColumns(msgspec.Struct, frozen=True, array_like=True):
    """Some own rows, in the order of the index; those that it leaves out come last."""

    offers: list[int]
    #: What an offer's rows are called; None is by their place.
    labels: list[str | None]
    places: list[int]
    weights: list[float]
    formulas: list[int | None]
    windows: list[int]
    spaces: list[int]
    rules: list[int | None]


class OwnRow(NamedTuple):
    """One own row."""

    offer_number: int
    place: int
    offer: Offer


def offer_columns(
    compiled: CompiledEnvironment,
    rows: Sequence[OwnRow],
    windows: Sequence[Ends],
    place_of: Callable[[Ends], int],
) -> Iterator[OfferColumns]:
    environment, rule_of = compiled.environment, compiled.rule_of
    numbers = {c.name: number for number, c in enumerate(environment.categories)}
    own: list[dict[int, int]] = [{} for _ in windows]
    for number, row in enumerate(rows):
        own[row.offer_number][row.place] = number
    resource = f"{resource_name(environment.name)}/offers"
    for first in range(0, len(windows), _COLUMN_ITEMS):
        stop = first + _COLUMN_ITEMS
        some = environment.offers[first:stop]
        yield OfferColumns(
            names=[offer.name for offer in some],
            categories=[numbers[offer.category] for offer in some],
            windows=[place_of(window) for window in windows[first:stop]],
            rules=[rule_of.get(f"{resource}/{offer.name}:rule") for offer in some],
            rows=[
                tuple(number for _, number in sorted(o.items()))
                for o in own[first:stop]
            ],
        )


def row_columns(
    rows: Sequence[OwnRow],
    compiled: CompiledEnvironment,
    window_of: Callable[[Ends], int],
    spaces_of: Callable[[tuple[str, ...]], int],
) -> Iterator[RowColumns]:
    environment = compiled.environment.name

    def rule(row: OwnRow, field: str) -> int | None:
        resource = resource_name(environment, "offers", row.offer.name)
        return compiled.rule_of.get(f"{resource}:weights[{row.place}].{field}")

    for first in range(0, len(rows), _COLUMN_ITEMS):
        some = rows[first : first + _COLUMN_ITEMS]
        records = [row.offer.weights[row.place] for row in some]
        yield RowColumns(
            offers=[row.offer_number for row in some],
            labels=[record.label or None for record in records],
            places=[row.place for row in some],
            weights=[
                0.0 if isinstance(record.weight, str) else float(record.weight)
                for record in records
            ],
            formulas=[rule(row, "weight") for row in some],
            windows=[window_of(ends(record.window)) for record in records],
            spaces=[spaces_of(tuple(sorted(set(r.spaces)))) for r in records],
            rules=[rule(row, "rule") for row in some],
        )


def left_out(
    environment: Environment, indexed: Iterable[tuple[int, int]]
) -> list[OwnRow]:
    """The own rows that are not in the index: those of weight 0."""
    known = set(indexed)
    return [
        OwnRow(number, place, offer)
        for number, offer in enumerate(environment.offers)
        for place in range(len(offer.weights))
        if (number, place) not in known
    ]


def offer_attributes(offers: Iterable[Offer]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, offer in enumerate(offers):
        if offer.attributes:
            yield number, offer.attributes


def places(known: dict[_Value, int]) -> Callable[[_Value], int]:
    """Gives each value a place, in the order in which they first come."""
    return lambda value: known.setdefault(value, len(known))
