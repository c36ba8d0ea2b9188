"""Tables of rows, or of offers: what each value of each attribute leaves in the race.

A table's classes stand in a row: gaps and keys, then null, then absence. Of each row it
is known in which classes it fails, and so between which of them it changes sides. One
walk along the classes turns those changes into the set of each class.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from catalog_store.index_tables import (
    AttributeTable,
    RowSetIndex,
    encode_mask,
    set_of,
)
from catalog_store.stored_rule import StoredRule
from compiler.attribute_tests import ORDERED_TYPES, AttributeTest
from compiler.conditions import Condition, ConditionNumbers

#: Keys of one table. An ordered attribute has two masks a key: 256 keys over 100,000
#: rows are 6.4 MB. Conditions with rarer constants are asked like any other predicate.
KEYS_MAX = 256
#: A predicate that at least one row in this many has is asked once per call.
SHARED_ROWS_PER_PREDICATE = 64

#: Record and slot.
Attribute = tuple[str, int]


class KnownRows(NamedTuple):
    """What is known of the index of the same rows, with other conditions."""

    #: Of attributes about which no row's conditions changed.
    tables: Mapping[Attribute, AttributeTable]
    #: Meanings of the conditions that were predicates.
    asked: Collection[bytes]


NOTHING_KNOWN = KnownRows(MappingProxyType({}), frozenset())


def index_rows(
    needs: Sequence[Sequence[int]],
    conditions: ConditionNumbers,
    rules: Sequence[StoredRule],
    known: KnownRows,
) -> tuple[RowSetIndex, Sequence[int]]:
    """The index of rows, given the conditions that each of them needs.

    With it come the conditions that are its predicates.
    """
    members = _members(needs, conditions.distinct, known)
    by_attribute: dict[Attribute, list[int]] = {}
    asked: list[int] = []
    for number in sorted(members):
        test = conditions.distinct[number].test
        if test is None or (test.record, test.slot) in known.tables:
            asked.append(number)
        else:
            by_attribute.setdefault((test.record, test.slot), []).append(number)
    tables = dict(known.tables)
    for attribute, numbers in by_attribute.items():
        chosen = _worth_a_table(numbers, conditions, members)
        if len(chosen) < len(numbers):
            asked += set(numbers).difference(chosen)
        if chosen:
            tests = [
                (test, members[number])
                for number in chosen
                if (test := conditions.distinct[number].test) is not None
            ]
            tables[attribute] = _table(tests, len(needs))
    asked.sort()
    predicates = tuple(conditions.predicate(number, rules) for number in asked)
    rows_of = [members[number] for number in asked]
    in_order = [tables[attribute] for attribute in sorted(tables)]
    return _with_predicates(len(needs), in_order, predicates, rows_of), asked


def _members(
    needs: Sequence[Sequence[int]], distinct: Sequence[Condition], known: KnownRows
) -> dict[int, list[int]]:
    """The rows of each condition, but for those that a known table answers."""
    wanted = [
        condition.test is None
        or (condition.test.record, condition.test.slot) not in known.tables
        or condition.meaning in known.asked
        for condition in distinct
    ]
    members: dict[int, list[int]] = {}
    for row, needed in enumerate(needs):
        for condition in needed:
            if wanted[condition]:
                members.setdefault(condition, []).append(row)
    return members


def _with_predicates(
    size: int,
    tables: Sequence[AttributeTable],
    predicates: tuple[StoredRule, ...],
    rows_of: Sequence[Sequence[int]],
) -> RowSetIndex:
    """Adds what no table answers: predicates, and the rows of each."""
    shared: list[tuple[int, bytes]] = []
    residual: dict[int, list[int]] = {}
    for predicate, rows in enumerate(rows_of):
        if len(rows) * SHARED_ROWS_PER_PREDICATE >= size:
            shared.append((predicate, encode_mask(set_of(rows, size))))
            continue
        for row in rows:
            residual.setdefault(row, []).append(predicate)
    return RowSetIndex(
        size=size,
        tables=tuple(tables),
        predicates=predicates,
        shared=tuple(shared),
        residual=tuple(
            (row, tuple(numbers)) for row, numbers in sorted(residual.items())
        ),
    )


def _worth_a_table(
    numbers: Collection[int],
    conditions: ConditionNumbers,
    members: Mapping[int, Sequence[int]],
) -> Collection[int]:
    """Conditions of one attribute, those of most rows first, while keys last."""
    keys_of = {
        number: test.keys
        for number in numbers
        if (test := conditions.distinct[number].test) is not None
    }
    keys = set[object]().union(*keys_of.values())
    if len(keys) <= KEYS_MAX:
        return numbers
    keys.clear()
    chosen: list[int] = []
    # Among equals the digest decides: numbers move with every rule before them.
    for number in sorted(
        numbers, key=lambda n: (-len(members[n]), conditions.distinct[n].meaning)
    ):
        more = set(keys_of[number]) - keys
        if len(keys) + len(more) <= KEYS_MAX:
            keys |= more
            chosen.append(number)
    return chosen


def _table(
    tests: Sequence[tuple[AttributeTest, Sequence[int]]], size: int
) -> AttributeTable:
    """One attribute's table: a class of values -> the rows that survive it."""
    first = tests[0][0]
    # has() alone says nothing of the type of its attribute; another test may.
    ordered = any(test.type in ORDERED_TYPES for test, _ in tests)
    # 0.0 for -0.0, which equals it: whichever came first must not matter.
    keys = sorted({key or type(key)() for test, _ in tests for key in test.keys})
    classes = 2 * len(keys) + 1 if ordered else len(keys) + 1
    places = {key: 2 * n + 1 if ordered else n for n, key in enumerate(keys)}
    fails_of: dict[int, int] = {}
    for test, rows in tests:
        fails = _fails(test, places, classes)
        for row in rows:
            fails_of[row] = fails_of.get(row, 0) | fails
    masks: dict[int, int] = {}
    survivors = (1 << size) - 1
    numbers: list[int] = []
    for changing in _changes(fails_of, classes + 2):
        survivors ^= set_of(changing, size)
        numbers.append(masks.setdefault(survivors, len(masks)))
    return AttributeTable(
        record=first.record,
        slot=first.slot,
        ordered=ordered,
        keys=tuple(keys),
        null_class=numbers[-2],
        absent_class=numbers[-1],
        masks=tuple(encode_mask(mask) for mask in masks),
        classes=tuple(numbers[:-2]),
    )


def _fails(test: AttributeTest, places: Mapping[object, int], classes: int) -> int:
    """The classes of a table that do not pass a test, as a set."""
    passes = 0
    if test.type in ORDERED_TYPES:
        begin = 0
        for number, key in enumerate(test.keys):
            place = places[key]
            if test.passes[2 * number]:
                passes |= (1 << place) - (1 << begin)
            if test.passes[2 * number + 1]:
                passes |= 1 << place
            begin = place + 1
        if test.passes[-1]:
            passes |= (1 << classes) - (1 << begin)
    else:
        # Every value that is not a key of this test is another value to it.
        everything = (1 << classes) - 1
        passes = everything if test.passes[-1] else 0
        for key, passing in zip(test.keys, test.passes, strict=False):
            if passing is not test.passes[-1]:
                passes ^= 1 << places[key]
    passes |= test.passes_null << classes | test.passes_absent << (classes + 1)
    return (1 << (classes + 2)) - 1 & ~passes


def _changes(fails_of: Mapping[int, int], classes: int) -> list[list[int]]:
    """For each class, the rows that pass and did not in the class before, or fail.

    PERF: 20 tables of 10,000 rows take 0.1 s; asking each test for each class took
    1.2 s for 3,000 rows under the profiler (two busy cores).
    """
    rows_of: dict[int, list[int]] = {}
    for row, fails in fails_of.items():
        rows_of.setdefault(fails, []).append(row)
    changes: list[list[int]] = [[] for _ in range(classes)]
    end = (1 << classes) - 1
    for fails, rows in rows_of.items():
        left = (fails ^ fails << 1) & end
        while left:
            lowest = left & -left
            changes[lowest.bit_length() - 1] += rows
            left ^= lowest
    return changes
