"""How one field of a message stands in a record, and back.

Each kind of field reads its value from a message, noting what is wrong with it, and
writes it into one. What is empty on the wire is what the record has by default.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, cast

from google.protobuf.descriptor import EnumDescriptor

from catalog_store.counting import OnFailure
from catalog_store.records import (
    ALWAYS,
    Record,
    Rendering,
    UnixMs,
    Window,
)
from server.design.structures import structure
from server.requests import Violation
from server.translation import timestamp

Found = list[Violation]


class Field(Protocol):
    """One field; `name` is the message's and `record` the record's, empty if none."""

    @property
    def name(self) -> str: ...
    @property
    def record(self) -> str: ...
    def read(self, message: Any, path: str, found: Found) -> object: ...
    def write(self, message: Any, value: Any) -> None: ...


class Form(NamedTuple):
    """How a record stands in a message."""

    record: type[Record]
    fields: tuple[Field, ...]

    def read(self, message: Any, path: str, found: Found, **fixed: object) -> Record:
        """The record of a message; `path` is the message's, ending in a dot.

        Where something was found, stand-ins take the place of what is wrong.
        """
        values = {
            field.record: field.read(message, path + field.name, found)
            for field in self.fields
        }
        values.pop("", None)
        return self.record(**values, **fixed)

    def write(self, message: Any, record: Record) -> None:
        for field in self.fields:
            value = getattr(record, field.record) if field.record else None
            field.write(message, value)


class Plain(NamedTuple):
    """A text, a number or a truth; where it is empty it may stand for another."""

    name: str
    empty: object = None

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        value = getattr(message, self.name)
        return self.empty if self.empty is not None and not value else value

    def write(self, message: Any, value: Any) -> None:
        setattr(message, self.name, value)


class Optional(NamedTuple):
    """A text or a number; empty, or 0, is None."""

    name: str

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        return getattr(message, self.name) or None

    def write(self, message: Any, value: Any) -> None:
        if value is None:
            message.ClearField(self.name)
        else:
            setattr(message, self.name, value)


class Opposite(NamedTuple):
    """A truth that the record states the other way round."""

    name: str
    record: str

    def read(self, message: Any, path: str, found: Found) -> object:
        return not getattr(message, self.name)

    def write(self, message: Any, value: Any) -> None:
        setattr(message, self.name, not value)


class OnFailureOf(NamedTuple):
    """What becomes of a quota whose counter is damaged, of two fields on the wire."""

    name: str = "fails_open"
    record: str = "on_failure"

    def read(self, message: Any, path: str, found: Found) -> object:
        if message.fails_open:
            return OnFailure.OPEN
        return OnFailure.FALL_BACK if message.fallback_limit else OnFailure.CLOSED

    def write(self, message: Any, value: Any) -> None:
        message.fails_open = value is OnFailure.OPEN


class Texts(NamedTuple):
    """Several texts."""

    name: str

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        return tuple(getattr(message, self.name))

    def write(self, message: Any, value: Any) -> None:
        getattr(message, self.name)[:] = value


class Named(NamedTuple):
    """Texts by names, in the order of the names."""

    name: str

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        texts: Mapping[str, str] = getattr(message, self.name)
        return {name: texts[name] for name in sorted(texts)}

    def write(self, message: Any, value: Any) -> None:
        texts = getattr(message, self.name)
        texts.clear()
        texts.update(value)


class Bound(NamedTuple):
    """A number that may be absent."""

    name: str

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        return getattr(message, self.name) if message.HasField(self.name) else None

    def write(self, message: Any, value: Any) -> None:
        if value is None:
            message.ClearField(self.name)
        else:
            setattr(message, self.name, value)


class Word(NamedTuple):
    """A member of an enumeration; `unspecified` is what 0 means, if it may be sent."""

    name: str
    enum: EnumDescriptor
    words: type[StrEnum]
    prefix: str
    unspecified: StrEnum | None = None
    required: bool = False

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        number = getattr(message, self.name)
        if number == 0 and not self.required:
            return self.unspecified
        known = self.enum.values_by_number.get(number)
        if number == 0 or known is None:
            names = ", ".join(value.name for value in self.enum.values[1:])
            text = "is required" if number == 0 else f"has no value {number}"
            found.append(Violation(path, f"{text}: send one of {names}"))
            return next(iter(self.words))
        return self.words[known.name.removeprefix(self.prefix)]

    def write(self, message: Any, value: Any) -> None:
        if value is None:
            message.ClearField(self.name)
        else:
            known = self.enum.values_by_name[f"{self.prefix}{value.name}"]
            setattr(message, self.name, known.number)


class Span(NamedTuple):
    """A window of time; an end that is absent is unbounded."""

    name: str = "window"

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        if not message.HasField(self.name):
            return ALWAYS
        window = getattr(message, self.name)
        ends = [
            unix_ms(getattr(window, end), f"{path}.{end}", found)
            if window.HasField(end)
            else None
            for end in ("start_time", "end_time")
        ]
        return Window(start=ends[0], end=ends[1])

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        window = getattr(message, self.name)
        if value.start is not None:
            window.start_time.CopyFrom(timestamp(value.start))
        if value.end is not None:
            window.end_time.CopyFrom(timestamp(value.end))


class Period(NamedTuple):
    """A length of time; absent is for ever."""

    name: str

    @property
    def record(self) -> str:
        return f"{self.name}_ms"

    def read(self, message: Any, path: str, found: Found) -> object:
        if not message.HasField(self.name):
            return None
        period = getattr(message, self.name)
        if period.nanos:
            # A file has no way to write it.
            found.append(Violation(path, "has parts of a second; send whole seconds"))
        return period.seconds * 1_000

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        if value is not None:
            period = getattr(message, self.name)
            period.SetInParent()
            period.FromMilliseconds(value)


class One(NamedTuple):
    """A record of its own; absent is None."""

    name: str
    form: Form

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        if not message.HasField(self.name):
            return None
        return self.form.read(getattr(message, self.name), f"{path}.", found)

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        if value is not None:
            below = getattr(message, self.name)
            below.SetInParent()
            self.form.write(below, value)


class Many(NamedTuple):
    """Records in an order."""

    name: str
    form: Form

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        return tuple(
            self.form.read(below, f"{path}[{index}].", found)
            for index, below in enumerate(getattr(message, self.name))
        )

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        for one in value:
            self.form.write(getattr(message, self.name).add(), one)


class Weight(NamedTuple):
    """A number or a formula."""

    name: str = "weight"
    record: str = "weight"

    def read(self, message: Any, path: str, found: Found) -> object:
        which = message.WhichOneof("value")
        if which is None:
            found.append(Violation(path, "is required: send a weight or a formula"))
            return 0.0
        return getattr(message, which)

    def write(self, message: Any, value: Any) -> None:
        setattr(message, "formula" if isinstance(value, str) else "weight", value)


class Shown(NamedTuple):
    """A rendering in one of its forms; absent is None."""

    name: str = "rendering"
    record: str = "rendering"

    def read(self, message: Any, path: str, found: Found) -> object:
        if not message.HasField(self.name):
            return None
        rendering = getattr(message, self.name)
        form = rendering.WhichOneof("form")
        if form is None:
            return Rendering()
        value: Any = getattr(rendering, form)
        if form == "json":
            value = structure(value.fields, f"{path}.json", found)
        return Rendering(**cast("dict[str, Any]", {form: value}))

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        if value is None:
            return
        rendering = getattr(message, self.name)
        rendering.SetInParent()
        if value.html is not None:
            rendering.html = value.html
        if value.text is not None:
            rendering.text = value.text
        if value.json is not None:
            rendering.json.SetInParent()
            rendering.json.update(value.json)


def unix_ms(time: Any, path: str, found: Found) -> UnixMs:
    """A protobuf Timestamp; notes what is wrong with it."""
    part_ms, rest = divmod(time.nanos, 1_000_000)
    if rest or not 0 <= time.nanos < 1_000_000_000:
        text = "has parts of a millisecond; send whole milliseconds"
        found.append(Violation(path, text))
    return UnixMs(cast(int, time.seconds) * 1_000 + part_ms)
