"""Random design records of every kind, well-formed and otherwise anything."""

from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from catalog_store.counting import OnFailure
from catalog_store.records import (
    PERIOD_MS_MAX,
    UNIX_MS_MAX,
    Quota,
    Record,
    Rendering,
    WeightRow,
    Window,
)

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
#: Whatever protobuf and YAML can hold, awkward beginnings and ends among it.
TEXTS = st.one_of(
    st.sampled_from(
        ["", "null", "~", "true", "20", "1e3", "2026-01-01", "- a", "a: b", "#", "'"]
    ),
    st.sampled_from([" a ", "a\nb", "a\n", "\n a", "\t", "{{ x }}", "!x", "\\", '"']),
    st.text(max_size=12),
)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | _NUMBERS.filter(lambda number: not number.is_integer())
    | TEXTS,
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3)
    ),
    max_leaves=5,
)


def records(record: type[Record]) -> st.SearchStrategy[Any]:
    """Records of a type; read off its fields, so that a new field is met at once."""
    if record is Rendering:
        return st.one_of(
            st.builds(Rendering, html=TEXTS),
            st.builds(Rendering, text=TEXTS),
            st.builds(Rendering, json=st.dictionaries(TEXTS, _JSON, max_size=3)),
        )
    if record is Window:
        moments = st.none() | st.integers(0, UNIX_MS_MAX)
        return st.builds(Window, start=moments, end=moments)
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: _values(record, field) for field in info.fields}
    if record is Quota:
        # On the wire one says the other.
        falls_back = {**fields, "on_failure": st.just(OnFailure.FALL_BACK)}
        others = st.sampled_from([OnFailure.OPEN, OnFailure.CLOSED])
        without = {"fallback_limit": st.none(), "on_failure": others}
        return st.one_of(
            st.builds(record, **falls_back), st.builds(record, **{**fields, **without})
        )
    return st.builds(record, **fields)


def _values(record: type[Record], field: inspect.Field) -> st.SearchStrategy[Any]:
    match field.name:
        case "name":
            return NAMES
        case "period_ms" | "rest_ms":
            periods = st.integers(1, PERIOD_MS_MAX // 1_000).map(lambda s: s * 1_000)
            return st.none() | periods
        case "maximum" if record.__name__ == "PresentationRule":
            return st.integers(0, 2**32 - 1)
        case "fallback_limit":
            return st.integers(1, 2**59)
        case "limit":
            return st.integers(0, 2**59)
        case "decided_at" | "at":
            return st.integers(0, UNIX_MS_MAX)
        case "max_propositions":
            return st.none() | st.integers(1, 2**32 - 1)
        case "contact" | "context":
            return st.dictionaries(NAMES, _JSON, max_size=3)
        case "weight" if record is WeightRow:
            return _NUMBERS | TEXTS
        case "content" | "attributes" if record.__name__ == "Offer":
            return st.dictionaries(NAMES, TEXTS, max_size=3)
        case "space_content":
            texts = st.dictionaries(NAMES, TEXTS, max_size=2)
            return st.dictionaries(NAMES, texts, max_size=2)
        case "targeting_dimension" | "time_zone" if record.__name__ == "Environment":
            # Empty stands for the default on the wire.
            return NAMES
        case (
            "categories" | "offers" | "spaces" | "segments" | "presentation_rules"
            | "typologies" | "quotas" | "golden_decisions"
        ) if record.__name__ == "Environment":  # fmt: skip
            return st.just(())
        case _:
            return _of_type(field.type)


def _of_type(type_: inspect.Type) -> st.SearchStrategy[Any]:
    match type_:
        case inspect.BoolType():
            return st.booleans()
        case inspect.StrType():
            return TEXTS
        case inspect.FloatType():
            return _NUMBERS
        case inspect.EnumType(cls=members):
            return st.sampled_from(list(members))
        case inspect.StructType(cls=record):
            return records(record)
        case inspect.VarTupleType(item_type=item):
            return st.lists(_of_type(item), max_size=3, unique_by=_key).map(tuple)
        case inspect.UnionType(types=types) if any(
            isinstance(one, inspect.NoneType) for one in types
        ):
            others = [one for one in types if not isinstance(one, inspect.NoneType)]
            (other,) = others
            # An empty text and none at all are one on the wire.
            given = _of_type(other)
            return st.none() | (given.filter(bool) if _is_text(other) else given)
        case _:
            raise AssertionError(f"no values for {type_}")


def _is_text(type_: inspect.Type) -> bool:
    return isinstance(type_, inspect.StrType)


def _key(item: Any) -> Any:
    if isinstance(item, msgspec.Struct):
        return getattr(item, "name", None) or msgspec.msgpack.encode(item)
    return item
