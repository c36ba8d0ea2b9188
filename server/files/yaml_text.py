"""Records to YAML, as people would write it: what `yaml_records` reads, turned round.

Of what a record has by default nothing is written.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any, cast

import yaml
from msgspec import NODEFAULT, inspect

from catalog_store.records import Record, UnixMs
from server.files import yaml_scalars as scalars
from server.files.yaml_forms import (
    Body,
    Form,
    Items,
    Key,
    Kind,
    Number,
    Structure,
    Texts,
    TextsByName,
    Time,
    form_of,
)

Events = Iterator[yaml.Event]

#: Lists of words no longer than this stand on one line.
_LINE_CHARACTERS = 60
#: What is in no block with `|`: it would be read as another line, or not at all.
_IN_BLOCK = re.compile(r"(?! )[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\n]+")
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def section_text(section: str, records: Iterable[Record], zone: tzinfo) -> str:
    """A file with one section; times are of `zone` where dates can say them."""
    named = {record.name: record for record in cast("Iterable[Any]", records)}
    body = _mapping((name, _body(one, zone)) for name, one in named.items())
    return _emitted(_mapping([(section, body)]))


def record_text(record: Record, zone: tzinfo) -> str:
    """A file that is the body of a record."""
    return _emitted(_fields(_written(record), zone))


def _emitted(events: Events) -> str:
    document = (
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(explicit=False),
        *events,
        yaml.DocumentEndEvent(explicit=False),
        yaml.StreamEndEvent(),
    )
    # Untyped in its stubs.
    emit = cast("Callable[..., str]", cast(Any, yaml).emit)
    return emit(document, Dumper=yaml.CSafeDumper, allow_unicode=True, width=-1)


def _body(record: Record, zone: tzinfo) -> Events:
    written = _written(record)
    match written:
        case [(name, Key(kind=kind), value)] if name == form_of(
            type(record)
        ).shorthand and not isinstance(kind, Body | Structure | Texts | TextsByName):
            return _value(kind, value, zone)
        case _:
            return _fields(written, zone)


def _fields(written: list[tuple[str, Key, Any]], zone: tzinfo) -> Events:
    return _mapping(
        (name, _value(key.kind, value, zone)) for name, key, value in written
    )


def _written(record: Record) -> list[tuple[str, Key, Any]]:
    """The keys that say something, with their values."""
    form, defaults = form_of(type(record)), _defaults(type(record))
    found: list[tuple[str, Key, Any]] = []
    for name, key in form.keys.items():
        value: Any = record
        for step in key.path.split("."):
            value = getattr(value, step)
        if key.required or value != defaults[name]:
            found.append((name, key, value))
    return found


@cache
def _defaults(record: type[Record]) -> Mapping[str, object]:
    info = inspect.type_info(record)
    assert isinstance(info, inspect.StructType)
    of_field = {
        field.name: field.default_factory()
        if field.default is NODEFAULT and field.default_factory is not NODEFAULT
        else field.default
        for field in info.fields
    }
    form: Form = form_of(record)
    # The ends of a window, of which nothing is unbounded.
    return {name: of_field.get(key.path) for name, key in form.keys.items()}


def _value(kind: Kind, value: Any, zone: tzinfo) -> Events:
    match kind:
        case Items(of, named):
            if named:
                return _mapping((one.name, _body(one, zone)) for one in value)
            return _list([list(_item(of, one, zone)) for one in value])
        case Body():
            return _body(value, zone)
        case Texts():
            return _mapping((name, _text(text)) for name, text in value.items())
        case TextsByName():
            return _mapping(
                (name, _value(Texts(), texts, zone)) for name, texts in value.items()
            )
        case Structure():
            return _structure(value)
        case Time("period"):
            return _plain("forever" if value is None else _period(value))
        case Time():
            return _plain(_moment(value, zone))
        case Number() if not isinstance(value, str):
            return _plain(_number(value))
        case _ if isinstance(value, bool):
            return _plain("true" if value else "false")
        case _:
            return _text(str(value))


def _item(kind: Kind, value: Any, zone: tzinfo) -> Events:
    """A list of one item stands as that item, in a list of lists."""
    if isinstance(kind, Items) and len(value) == 1:
        return _item(kind.of, value[0], zone)
    return _value(kind, value, zone)


def _structure(value: Any) -> Events:
    match value:
        case Mapping():
            items = cast("Mapping[str, Any]", value).items()
            return _mapping((name, _structure(one)) for name, one in items)
        case list():
            items = cast("list[Any]", value)
            return _list([list(_structure(one)) for one in items])
        case None:
            return _plain("null")
        case bool():
            return _plain("true" if value else "false")
        case str() if value in ("true", "false"):
            return _scalar(value, "'")
        case str():
            return _text(value)
        case _:
            return _plain(repr(value))


def _mapping(entries: Iterable[tuple[str, Events]]) -> Events:
    below = [(_text(name), value) for name, value in entries]
    yield yaml.MappingStartEvent(None, None, implicit=True, flow_style=not below)
    for name, value in below:
        yield from name
        yield from value
    yield yaml.MappingEndEvent()


def _list(items: list[list[yaml.Event]]) -> Events:
    texts = [
        one[0].value
        for one in items
        if isinstance(one[0], yaml.ScalarEvent) and not one[0].style
    ]
    is_short = sum(len(text) + 2 for text in texts) < _LINE_CHARACTERS
    on_a_line = len(texts) == len(items) and is_short
    yield yaml.SequenceStartEvent(None, None, implicit=True, flow_style=on_a_line)
    for item in items:
        yield from item
    yield yaml.SequenceEndEvent()


def _text(text: str) -> Events:
    """A text that is read as that text whatever is asked for."""
    if text in scalars.NOTHING or scalars.is_number(text):
        return _scalar(text, "'")
    if "\n" not in text:
        return _plain(text)
    is_block = _IN_BLOCK.fullmatch(text) and not re.search(r" \n|\A\n|\n\n\Z", text)
    return _scalar(text, "|" if is_block and text.strip() else '"')


def _plain(text: str) -> Events:
    """In quotes where YAML wants them."""
    return _scalar(text, "")


def _scalar(text: str, style: str) -> Events:
    yield yaml.ScalarEvent(None, None, implicit=(True, True), value=text, style=style)


def _number(value: float) -> str:
    is_whole = isinstance(value, int) or (value.is_integer() and abs(value) < 1e15)
    return str(int(value)) if is_whole else repr(value)


def _period(period_ms: int) -> str:
    parts: list[str] = []
    for unit, unit_ms in _UNITS:
        count, period_ms = divmod(period_ms, unit_ms)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)


def _moment(at_ms: UnixMs, zone: tzinfo) -> str:
    """A date where its midnight is meant, else a time in UTC."""
    at = _EPOCH + timedelta(milliseconds=at_ms)
    try:
        date = at.astimezone(zone).date().isoformat()
    except OverflowError:
        # The last hours of the year 9999, which are of the next one in the east.
        date = ""
    if scalars.moment(date, zone) == at_ms:
        return date
    precise = (
        "milliseconds" if at.microsecond else "seconds" if at.second else "minutes"
    )
    return at.replace(tzinfo=None).isoformat(timespec=precise) + "Z"
