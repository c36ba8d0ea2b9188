"""How each record is written: its keys, and what each of them takes.

Read off the records themselves, so that a new field can be written at once. Where a
record's shape is not how people think, its form differs:

    window            `start` and `end` stand on the record itself
    <field>_ms        the key has no `_ms`, and a period as its value
    <field>_at        a moment
    tuple of named    a mapping of names to bodies
    tuple of others   a list, or one item alone
    one needed field  the body may be that field's value alone; or the one that a
                      record names as its SHORTHAND
"""

from functools import cache
from typing import Literal

import msgspec
from msgspec import inspect

from catalog_store.records import Record, Window


class Text(msgspec.Struct, frozen=True):
    """Any text; nothing at all is None where that is possible, else empty."""

    optional: bool = False


class Number(msgspec.Struct, frozen=True):
    """A number, whole if `whole`; or with `or_text` anything else as a formula.

    Nothing at all is None where it is `optional`.
    """

    whole: bool = False
    or_text: bool = False
    optional: bool = False


class Truth(msgspec.Struct, frozen=True):
    """True or false."""


class Choice(msgspec.Struct, frozen=True):
    """One of a few words; `values` are the members in the same order."""

    words: tuple[str, ...]
    values: tuple[object, ...]
    optional: bool = False


class Time(msgspec.Struct, frozen=True):
    """A moment as a date or a time, of which nothing is unbounded; or a period.

    A period that is `unbounded` may be the word `forever`.
    """

    kind: Literal["moment", "period"] = "moment"
    unbounded: bool = False


class Body(msgspec.Struct, frozen=True):
    """A record."""

    record: type[Record]
    optional: bool = False


class Items(msgspec.Struct, frozen=True):
    """A list; `named` is a mapping of names to bodies."""

    of: "Kind"
    named: bool = False


class Texts(msgspec.Struct, frozen=True):
    """A mapping of words to texts."""


class TextsByName(msgspec.Struct, frozen=True):
    """A mapping of words to mappings of words to texts."""


class Structure(msgspec.Struct, frozen=True):
    """Any value of JSON; words are texts, but for true, false and null."""

    #: Whether it must be a mapping; nothing at all is an empty one.
    mapping: bool = False


Kind = (
    Structure | Text | Number | Truth | Choice | Time | Body | Items
    | Texts | TextsByName
)  # fmt: skip


class Key(msgspec.Struct, frozen=True):
    """One key of a record's body, and the field that it sets."""

    #: The field, or the field and its own field: `window.start`.
    path: str
    kind: Kind
    required: bool


class Form(msgspec.Struct, frozen=True):
    """How one record is written."""

    keys: dict[str, Key]
    #: The key whose value may stand for the whole body.
    shorthand: str | None
    #: Whether the record's name is the key above its body.
    named: bool


@cache
def form_of(record: type[Record]) -> Form:
    """A record's form; raises TypeError for a field that no form is known for."""
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    keys: dict[str, Key] = {}
    for field in info.fields:
        if field.name == "name":
            continue
        if isinstance(field.type, inspect.StructType) and field.type.cls is Window:
            for end in ("start", "end"):
                keys[end] = Key(f"{field.name}.{end}", Time(), required=False)
        elif field.name.endswith("_ms"):
            unbounded = isinstance(field.type, inspect.UnionType)
            period = Time("period", unbounded)
            keys[field.name[:-3]] = Key(field.name, period, required=field.required)
        elif field.name == "at" or field.name.endswith("_at"):
            keys[field.name] = Key(field.name, Time(), field.required)
        else:
            keys[field.name] = Key(field.name, _kind(field.type), field.required)
    required = [name for name, key in keys.items() if key.required]
    only = required[0] if len(required) == 1 else None
    shorthand: str | None = getattr(record, "SHORTHAND", only)
    return Form(
        keys=keys,
        shorthand=shorthand,
        named=any(field.name == "name" for field in info.fields),
    )


def _kind(of: inspect.Type) -> Kind:
    match of:
        case inspect.AnyType():
            return Structure()
        case inspect.StrType():
            return Text()
        case inspect.BoolType():
            return Truth()
        case inspect.IntType():
            return Number(whole=True)
        case inspect.FloatType():
            return Number()
        case inspect.EnumType(cls=members):
            return Choice(tuple(str(each.value) for each in members), tuple(members))
        case inspect.StructType(cls=record) if issubclass(record, Record):
            return Body(record)
        case inspect.VarTupleType(item_type=item):
            kind = _kind(item)
            named = isinstance(kind, Body) and form_of(kind.record).named
            return Items(kind, named)
        case inspect.DictType(key_type=inspect.StrType(), value_type=inspect.StrType()):
            return Texts()
        case inspect.DictType(
            key_type=inspect.StrType(), value_type=inspect.DictType() as below
        ) if _kind(below) == Texts():
            return TextsByName()
        case inspect.DictType(key_type=inspect.StrType(), value_type=inspect.AnyType()):
            return Structure(mapping=True)
        case inspect.UnionType(types=types):
            return _kind_of_union(types)
        case _:
            raise TypeError(f"no form for {of}")


def _kind_of_union(types: tuple[inspect.Type, ...]) -> Kind:
    optional = any(isinstance(each, inspect.NoneType) for each in types)
    kinds = [
        _kind(each)
        for each in types
        if not isinstance(each, inspect.NoneType | inspect.LiteralType)
    ]
    match kinds:
        case [Number(), Text()] | [Text(), Number()]:
            return Number(or_text=True)
        case [Number(whole)]:
            return Number(whole, optional=optional)
        case [Text()]:
            return Text(optional)
        case [Choice(words, values)]:
            return Choice(words, values, optional)
        case [Body(record)]:
            return Body(record, optional)
        case _:
            raise TypeError(f"no form for {types}")
