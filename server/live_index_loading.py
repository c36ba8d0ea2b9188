"""Builds the live index from the stored one, and from the records that it is about."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import NamedTuple

from catalog_store.index_tables import (
    AttributeTable,
    EnvironmentIndex,
    RowSetIndex,
    decode_mask,
    set_of,
)
from catalog_store.records import Category
from compiler.runtime.linker import LinkedRule, link
from server.engine.live_index import (
    LiveGroup,
    LiveIndex,
    LiveRowSet,
    LiveTables,
    OpenRows,
    OrderedTable,
    ValueTable,
)
from server.engine.live_offers import (
    LiveMultiplier,
    LiveOffer,
    LiveRow,
    LiveSpace,
    LiveWindow,
)

#: Rows handled in one step of loading.
_STEP = 512


class Surroundings(NamedTuple):
    """What the index is about, as far as it is loaded."""

    offers: Sequence[LiveOffer]
    #: Offer -> its own rows.
    rows: Sequence[Sequence[LiveRow]]
    spaces: Mapping[str, LiveSpace]
    #: Category -> offers of its subtree; theme -> offers; always included offers.
    categories: Mapping[str, int]
    themes: Mapping[str, int]
    always_included: int
    multipliers: Mapping[str, LiveMultiplier]
    #: Rows that categories and the environment hand down, nearest category first.
    inherited: tuple[tuple[LiveRow, int], ...]


def load_index(
    stored: EnvironmentIndex, about: Surroundings, rules: list[LinkedRule]
) -> Generator[None, None, LiveIndex]:
    """The live index; the predicates' rules are appended to `rules`."""
    offers = about.offers
    live_rows: list[LiveRow] = []
    for number, (offer, place) in enumerate(stored.rows):
        live_rows.append(about.rows[offer][place])
        if number % _STEP == 0:
            yield
    offer_of = [offer for offer, _ in stored.rows]
    rows_of_offer: list[tuple[int, ...]] = [()] * len(offers)
    for row, offer in enumerate(offer_of):
        rows_of_offer[offer] = (*rows_of_offer[offer], row)
    yield
    groups = [
        LiveGroup(
            multipliers=tuple(about.multipliers[name] for name in group.multiplied_by),
            rows=_range(group.start, group.stop),
            start=group.start,
            formula_rows=_range(group.stop, group.formula_stop),
            offers=decode_mask(group.offers),
        )
        for group in stored.groups
    ]
    yield
    rows = yield from _row_set(stored.row_index, rules)
    offer_set = LiveRowSet(LiveTables(), LiveTables(), (), {})
    if stored.offer_index is not None:
        offer_set = yield from _row_set(stored.offer_index, rules)
    of_offers = _RowsOfOffers(offer_of)
    space_rows: dict[str, int] = {}
    for name, space in about.spaces.items():
        elsewhere = set_of(
            (
                row
                for row, live in enumerate(live_rows)
                if live.spaces and name not in live.spaces
            ),
            len(live_rows),
        )
        space_rows[name] = of_offers.rows(space.offers) & ~elsewhere
        yield
    return LiveIndex(
        groups=tuple(groups),
        live_rows=live_rows,
        offer_of=offer_of,
        class_stops=_class_stops(live_rows, stored),
        rows=rows,
        all_rows=_range(0, len(live_rows)),
        all_offers=_range(0, len(offers)),
        open_rows=OpenRows(
            [
                _intersection(offers[offer].window, row.window)
                for offer, row in zip(offer_of, live_rows, strict=True)
            ]
        ),
        space_rows=space_rows,
        category_rows={n: of_offers.rows(m) for n, m in about.categories.items()},
        theme_rows={n: of_offers.rows(m) for n, m in about.themes.items()},
        always_included_rows=of_offers.rows(about.always_included),
        rows_of_offer=rows_of_offer,
        inherited=about.inherited,
        offers=offer_set,
        open_offers=OpenRows([offer.window for offer in offers]),
    )


def _row_set(
    stored: RowSetIndex, rules: list[LinkedRule]
) -> Generator[None, None, LiveRowSet]:
    """Tables as integers, and predicates as rules of the environment."""
    tables = {"contact": _Tables([], []), "context": _Tables([], [])}
    for table in stored.tables:
        _read_table(table, tables[table.record])
        yield
    first = len(rules)
    for number, predicate in enumerate(stored.predicates):
        rules.append(link(predicate.code, predicate.tree))
        if number % _STEP == 0:
            yield
    return LiveRowSet(
        contact=tables["contact"].live(),
        context=tables["context"].live(),
        shared=tuple((first + n, decode_mask(mask)) for n, mask in stored.shared),
        residual={
            row: tuple(first + number for number in numbers)
            for row, numbers in stored.residual
        },
    )


class _Tables(NamedTuple):
    """The tables of one record, as they are read."""

    ordered: list[OrderedTable]
    of_values: list[ValueTable]

    def live(self) -> LiveTables:
        return LiveTables(tuple(self.ordered), tuple(self.of_values))


def _read_table(stored: AttributeTable, into: _Tables) -> None:
    masks = [decode_mask(mask) for mask in stored.masks]
    classes = [masks[number] for number in stored.classes]
    null, absent = masks[stored.null_class], masks[stored.absent_class]
    if stored.ordered:
        into.ordered.append((stored.slot, stored.keys, classes, null, absent))
    else:
        of_value = dict(zip(stored.keys, classes, strict=False))
        table = (stored.slot, of_value, classes[-1], null, absent)
        into.of_values.append(table)


def _class_stops(rows: Sequence[LiveRow], stored: EnvironmentIndex) -> list[int]:
    """For each row, where those of the same weight in its group end."""
    stops = list(range(1, len(rows) + 1))
    for group in stored.groups:
        for row in range(group.stop - 2, group.start - 1, -1):
            if rows[row].weight == rows[row + 1].weight:
                stops[row] = stops[row + 1]
    return stops


class _RowsOfOffers:
    """Sets of offers to the sets of their own rows."""

    def __init__(self, offer_of: Sequence[int]) -> None:
        self._offer_of = offer_of

    def rows(self, offers: int) -> int:
        digits = bin(offers)[:1:-1]
        stop = len(digits)
        return set_of(
            (
                row
                for row, offer in enumerate(self._offer_of)
                if offer < stop and digits[offer] == "1"
            ),
            len(self._offer_of),
        )


def multipliers_of(categories: Iterable[Category]) -> dict[str, LiveMultiplier]:
    """Category -> its multiplier."""
    return {
        category.name: LiveMultiplier(
            category.multiplier.factor, LiveWindow.of(category.multiplier.window)
        )
        for category in categories
        if category.multiplier is not None
    }


def _range(start: int, stop: int) -> int:
    return (1 << stop) - (1 << start)


def _intersection(one: LiveWindow, other: LiveWindow) -> LiveWindow:
    return LiveWindow(max(one.start_ms, other.start_ms), min(one.end_ms, other.end_ms))
