"""Update masks: the fields of a message that are to be changed.

A path names a field, or one inside of it: `window.start_time`, `multiplier.factor`,
`content.title`, `space_content.email`. Lists are changed whole. `*`, and no mask, are
all fields.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from server.requests import InvalidRequest, Violation, near_misses

PATHS_MAX = 100
#: What the server alone says.
_GIVEN = frozenset({"name", "etag", "approval", "delete_time"})


def merge(source: Any, target: Any, paths: Iterable[str]) -> None:
    """Make the fields of `target` at some paths as `source` has them.

    A path to what `source` does not have clears it. Raises InvalidRequest.
    """
    paths = list(dict.fromkeys(paths))
    found: list[Violation] = []
    if len(paths) > PATHS_MAX:
        text = f"has {len(paths)} paths; send at most {PATHS_MAX}"
        raise InvalidRequest([Violation("update_mask", text)])
    for path in paths:
        if path == "*" and len(paths) == 1:
            target.CopyFrom(source)
            return
        wrong = _merge_path(source, target, path.split("."))
        if wrong:
            found.append(Violation("update_mask", f"{path[:100]!r} {wrong}"))
    if found:
        raise InvalidRequest(found)


def _merge_path(source: Any, target: Any, steps: list[str]) -> str:
    """What is wrong with the path, or nothing."""
    if steps[0] in _GIVEN:
        return "cannot be changed; leave it out"
    while True:
        step, *rest = steps
        field = source.DESCRIPTOR.fields_by_name.get(step)
        if field is None:
            known = set(source.DESCRIPTOR.fields_by_name) - _GIVEN
            return "is no field" + near_misses(step, known)
        if not rest:
            _copy(source, target, field)
            return ""
        if _is_map(field):
            return _copy_key(getattr(source, step), getattr(target, step), rest)
        if field.message_type is None or _is_repeated(field) or _is_opaque(field):
            return f"leads into {step!r}; change that whole"
        source, target, steps = getattr(source, step), getattr(target, step), rest


def _copy(source: Any, target: Any, field: FieldDescriptor) -> None:
    target.ClearField(field.name)
    if field.message_type is not None and not _is_repeated(field):
        if source.HasField(field.name):
            getattr(target, field.name).CopyFrom(getattr(source, field.name))
    elif _is_map(field) or _is_repeated(field):
        getattr(target, field.name).MergeFrom(getattr(source, field.name))
    elif not field.has_presence or source.HasField(field.name):
        setattr(target, field.name, getattr(source, field.name))


def _copy_key(source: Any, target: Any, steps: list[str]) -> str:
    key = ".".join(steps)
    if key not in source:
        target.pop(key, None)
    elif isinstance(source[key], Message):
        target[key].CopyFrom(source[key])
    else:
        target[key] = source[key]
    return ""


def _is_repeated(field: FieldDescriptor) -> bool:
    return field.is_repeated


def _is_map(field: FieldDescriptor) -> bool:
    below: Descriptor | None = field.message_type
    return below is not None and below.GetOptions().map_entry


def _is_opaque(field: FieldDescriptor) -> bool:
    """Google's own messages are values."""
    below: Descriptor | None = field.message_type
    return below is not None and below.file.package == "google.protobuf"
