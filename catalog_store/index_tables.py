"""The index of an environment's rows, as a revision keeps it.

A set of rows is an integer with one bit per row, here as little-endian bytes without
trailing zeros. `compiler.index` says what the parts mean and how they are found.
"""

from collections.abc import Iterable

import msgspec

from catalog_store.stored_rule import StoredRule

#: A key of a table: what the value of an attribute is compared with.
Key = bool | int | float | str


class AttributeTable(msgspec.Struct, frozen=True, array_like=True):
    """For one attribute: which rows survive each of its values.

    `classes` holds numbers of `masks`: for an ordered attribute the gap below the first
    key, the first key, the gap above it, and so on; for others one for each key, and
    one for every other value.
    """

    record: str
    slot: int
    ordered: bool
    keys: tuple[Key, ...]
    masks: tuple[bytes, ...]
    classes: tuple[int, ...]
    null_class: int
    absent_class: int


class RowSetIndex(msgspec.Struct, frozen=True, array_like=True):
    """What decides which of a number of rows match, for one contact and call."""

    size: int
    tables: tuple[AttributeTable, ...]
    #: Conditions that no table answers, each once.
    predicates: tuple[StoredRule, ...]
    #: Predicates that many rows share, asked once per call, and the rows that need
    #: them.
    shared: tuple[tuple[int, bytes], ...]
    #: Row -> predicates that are asked only when the row is about to win.
    residual: tuple[tuple[int, tuple[int, ...]], ...]


class FactorGroup(msgspec.Struct, frozen=True, array_like=True):
    """Rows whose offers have the same multipliers: `[start, stop)` in weight order.

    `[stop, formula_stop)` are their rows with formulas, highest bound first.
    """

    #: Categories with a multiplier, root first.
    multiplied_by: tuple[str, ...]
    start: int
    stop: int
    formula_stop: int
    #: All of their offers, those without own rows too.
    offers: bytes


class FormulaBounds(msgspec.Struct, frozen=True, array_like=True):
    """The most that formulas of own rows can give."""

    #: One for each row with a formula, in the order of the rows; infinite where
    #: nothing is known.
    highest: tuple[float, ...] = ()
    #: What the finite ones rely on: slots of the contact, and from where to where each
    #: was declared to be.
    declared: tuple[tuple[int, float, float], ...] = ()


class EnvironmentIndex(msgspec.Struct, frozen=True, array_like=True):
    """Everything that finds an environment's best rows."""

    #: Row -> its offer's number, and its place among the offer's own weight rows.
    rows: tuple[tuple[int, int], ...]
    groups: tuple[FactorGroup, ...]
    row_index: RowSetIndex
    #: One bit per offer, for rows that categories and the environment hand down; None
    #: where there are none.
    offer_index: RowSetIndex | None
    #: What its rules need, for the next compilation and for nobody else; see
    #: `compiler.conditions`. Bytes, because only that one reads them.
    conditions: bytes
    formula_bounds: FormulaBounds = FormulaBounds()


def set_of(members: Iterable[int], size: int) -> int:
    """The set of some of `size` numbers."""
    bits = bytearray((size + 7) // 8)
    for member in members:
        bits[member >> 3] |= 1 << (member & 7)
    return int.from_bytes(bits, "little")


def encode_mask(mask: int) -> bytes:
    return mask.to_bytes((mask.bit_length() + 7) // 8, "little")


def decode_mask(data: bytes) -> int:
    return int.from_bytes(data, "little")
