"""Builds the live index from the stored one."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import NamedTuple

from catalog_store.index_tables import AttributeTable, FactorGroup, decode_mask, set_of
from catalog_store.index_tables import FormulaBounds as StoredBounds
from catalog_store.revision_file.membership import MemberSets
from catalog_store.revision_file.parts import TABLE
from catalog_store.stored_rule import StoredRule
from compiler.runtime.linker import LinkedRule, link
from server.engine.live_index import (
    FormulaBounds,
    LiveGroup,
    LiveIndex,
    LiveRowSet,
    LiveTables,
    OrderedTable,
    Origins,
    ValueTable,
    cuts,
    repeating,
)
from server.engine.live_offers import LiveMultiplier, LiveRow
from server.live.offers import LoadedRows
from server.live.source import Source, Steps
from server.live.windows import load_open_sets

#: Rows handled in one step of loading.
_STEP = 4_096
#: Formulas in one step.
_FORMULAS = 512
#: Groups, and predicates, in one step.
_FEW = 32


class Members(NamedTuple):
    """Offers, and their own rows, by the name of what they belong to."""

    offers: dict[str, int]
    rows: dict[str, int]


class Membership(NamedTuple):
    """Who is where: a call's candidates."""

    spaces: Members
    categories: Members
    themes: Members
    #: Of the name "".
    always_included: Members


class Surroundings(NamedTuple):
    """What the index is about."""

    offer_count: int
    rows: LoadedRows
    membership: Membership
    multipliers: Mapping[str, LiveMultiplier]
    #: Rows that categories and the environment hand down, nearest category first.
    inherited: tuple[tuple[LiveRow, int], ...]


def load_membership(source: Source) -> Steps[Membership]:
    return Membership(
        spaces=(yield from _members(source, "space_sets")),
        categories=(yield from _members(source, "category_sets")),
        themes=(yield from _members(source, "theme_sets")),
        always_included=(yield from _members(source, "always_included")),
    )


def load_index(
    source: Source, about: Surroundings, rules: list[LinkedRule]
) -> Steps[LiveIndex]:
    """The live index; the predicates' rules are appended to `rules`."""
    groups: list[LiveGroup] = []
    stored_groups: list[FactorGroup] = []
    for items in source.lists("groups", FactorGroup):
        for group in items:
            stored_groups.append(group)
            groups.append(_group(group, about.multipliers))
            if len(groups) % _FEW == 0:
                yield
    members = about.membership
    row_count = len(about.rows.rows)
    class_stops = yield from _class_stops(about.rows.rows, stored_groups)
    rows = yield from _row_set(source, "row_index", rules)
    offers = LiveRowSet(LiveTables(), LiveTables(), (), {}, 0)
    if source.head.index.offer_index is not None:
        offers = yield from _row_set(source, "offer_index", rules)
    bounds = _formula_bounds(source.head.index.formula_bounds, stored_groups, row_count)
    yield
    repeats = set_of(repeating(about.rows.offer_of, class_stops), row_count)
    yield
    origins = Origins(groups, about.rows.rows, bounds, about.inherited)
    yield
    return LiveIndex(
        groups=tuple(groups),
        live_rows=about.rows.rows,
        offer_of=about.rows.offer_of,
        formula_places=(yield from _formula_places(about.rows, stored_groups)),
        class_stops=class_stops,
        repeats=repeats,
        formula_bounds=bounds,
        rows=rows,
        all_rows=_range(0, row_count),
        all_offers=_range(0, about.offer_count),
        open_rows=(yield from load_open_sets(source, "open_rows", row_count)),
        space_rows=members.spaces.rows,
        category_rows=members.categories.rows,
        theme_rows=members.themes.rows,
        always_included_rows=members.always_included.rows[""],
        rows_of_offer=about.rows.rows_of_offer,
        inherited=about.inherited,
        offers=offers,
        open_offers=(
            yield from load_open_sets(source, "open_offers", about.offer_count)
        ),
        origins=origins,
    )


def _group(stored: FactorGroup, multipliers: Mapping[str, LiveMultiplier]) -> LiveGroup:
    return LiveGroup(
        multipliers=tuple(multipliers[name] for name in stored.multiplied_by),
        rows=_range(stored.start, stored.stop),
        start=stored.start,
        formula_rows=_range(stored.stop, stored.formula_stop),
        offers=decode_mask(stored.offers),
    )


def _members(source: Source, part: str) -> Steps[Members]:
    members = Members({}, {})
    for items in source.lists(part, MemberSets):
        for one in items:
            members.offers[one.name] = decode_mask(one.offers)
            members.rows[one.name] = decode_mask(one.rows)
        yield
    return members


def _row_set(source: Source, part: str, rules: list[LinkedRule]) -> Steps[LiveRowSet]:
    """Tables as integers, and predicates as rules of the environment."""
    masks: list[int] = []
    for items in source.lists(f"{part}.masks", bytes):
        masks += map(decode_mask, items)
        yield
    tables = {"contact": _Tables([], []), "context": _Tables([], [])}
    own = iter(masks)
    for items in source.lists(f"{part}.tables", TABLE):
        for mask_count, table in items:
            _read_table(table, own, mask_count, tables[table.record])
            yield
    first = len(rules)
    for items in source.lists(f"{part}.predicates", StoredRule):
        for predicate in items:
            rules.append(link(predicate.code, predicate.tree))
            if len(rules) % _FEW == 0:
                yield
    shared: list[tuple[int, int]] = []
    for items in source.lists(f"{part}.shared", tuple[int, bytes]):
        shared += ((first + number, decode_mask(mask)) for number, mask in items)
        yield
    residual: dict[int, tuple[int, ...]] = {}
    size = getattr(source.head.index, part).size
    for items in source.lists(f"{part}.residual", tuple[int, tuple[int, ...]]):
        for row, numbers in items:
            residual[row] = tuple([first + number for number in numbers])
        yield
    return LiveRowSet(
        contact=tables["contact"].live(),
        context=tables["context"].live(),
        shared=tuple(shared),
        residual=residual,
        residual_rows=set_of(residual, size),
    )


class _Tables(NamedTuple):
    """The tables of one record, as they are read."""

    ordered: list[OrderedTable]
    of_values: list[ValueTable]

    def live(self) -> LiveTables:
        return LiveTables(tuple(self.ordered), tuple(self.of_values))


def _read_table(
    stored: AttributeTable, masks: Iterator[int], mask_count: int, into: _Tables
) -> None:
    own = [next(masks) for _ in range(mask_count)]
    classes = [own[number] for number in stored.classes]
    null, absent = own[stored.null_class], own[stored.absent_class]
    if stored.ordered:
        into.ordered.append((stored.slot, cuts(stored.keys), classes, null, absent))
    else:
        of_value = dict(zip(stored.keys, classes, strict=False))
        table = (stored.slot, of_value, classes[-1], null, absent)
        into.of_values.append(table)


def _class_stops(
    rows: Sequence[LiveRow], groups: Sequence[FactorGroup]
) -> Steps[list[int]]:
    """For each row, where those of the same weight in its group end."""
    stops: list[int] = []
    while len(stops) < len(rows):
        # Each alone, until the groups say otherwise.
        stops += range(len(stops) + 1, min(len(stops) + _STEP, len(rows)) + 1)
        yield
    for group in groups:
        for row in range(group.stop - 2, group.start - 1, -1):
            if rows[row].weight == rows[row + 1].weight:
                stops[row] = stops[row + 1]
            if row % _STEP == 0:
                yield
    return stops


def _formula_bounds(
    stored: StoredBounds, groups: Sequence[FactorGroup], row_count: int
) -> FormulaBounds:
    rows = (row for group in groups for row in range(group.stop, group.formula_stop))
    # An index made before there were bounds has none.
    highest = {
        row: bound
        for row, bound in zip(rows, stored.highest, strict=False)
        if bound < inf
    }
    return FormulaBounds(highest, set_of(highest, row_count), stored.declared)


def _formula_places(
    rows: LoadedRows, groups: Sequence[FactorGroup]
) -> Steps[dict[int, int]]:
    places: dict[int, int] = {}
    for group in groups:
        for row in range(group.stop, group.formula_stop):
            places[row] = rows.offer_rows[rows.offer_of[row]].index(rows.rows[row])
            if len(places) % _FORMULAS == 0:
                yield
    return places


def _range(start: int, stop: int) -> int:
    return (1 << stop) - (1 << start)
