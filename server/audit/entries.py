"""What a line of the audit log says, and how it holds the hash of the line before."""

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

#: Bytes of one line; content that would make it longer is left out, and said to be.
LINE_BYTES_MAX = 64 * 1024
#: Characters of a resource's name, and of a peer's; they are cut there.
NAME_CHARACTERS_MAX = 512

#: The result of what is about to be done: the line that says how it ended comes later.
ASKED = "ASKED"
#: In front of the first line.
NO_SHA256 = "0" * 64


class AuditFailed(Exception):
    """The audit log cannot be written, or is damaged; says why."""


class Entry(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """One line. Texts are empty, and content None, where there is nothing to say."""

    #: From 1, without a gap; the log gives it.
    number: int = 0
    #: Of the line before, without its end, in hexadecimal digits.
    previous: str = NO_SHA256
    at: datetime
    #: Who did it; empty for somebody who did not say, or not credibly.
    who: str = ""
    role: str = ""
    #: By what they were known: a token's id, a certificate's name, a local user.
    known_by: str = ""
    #: From where, as gRPC names it.
    peer: str = ""
    #: A gRPC method's path, or the words of a command.
    method: str
    #: What it was about, by its resource name.
    resource: str = ""
    #: ASKED, or how it ended: the name of gRPC's code.
    result: str
    #: The number of the line that asked for it.
    asked: int | None = None
    #: How many refusals this line stands for, and since when.
    count: int = 1
    since: datetime | None = None
    #: What was sent, as JSON; not for calls about contacts.
    request: Any = None
    #: The resource before and after it.
    before: Any = None
    after: Any = None


_CONTENT = ("request", "before", "after")
_NO_CONTENT = dict.fromkeys(_CONTENT)
_NULL = b"null"

_decode = msgspec.json.Decoder(Entry).decode


def line_of(entry: Entry) -> bytes:
    """The line without its end: at most LINE_BYTES_MAX, and no line break in it.

    The longest content is left out first.
    """
    content = {field: _json(getattr(entry, field)) for field in _CONTENT}
    raw = {field: msgspec.Raw(data) for field, data in content.items() if data != _NULL}
    entry = msgspec.structs.replace(entry, **{**_NO_CONTENT, **raw})
    line = msgspec.json.encode(entry)
    if len(line) <= LINE_BYTES_MAX:
        return line
    for field in sorted(content, key=lambda f: len(content[f]), reverse=True):
        entry = msgspec.structs.replace(entry, **{field: left_out(content[field])})
        line = msgspec.json.encode(entry)
        if len(line) <= LINE_BYTES_MAX:
            break
    return line


def entry_of(line: bytes) -> Entry:
    """Raises msgspec.DecodeError when it is no entry."""
    return _decode(line)


def hash_of_line(line: bytes) -> str:
    """What the next line holds of it."""
    return sha256(line).hexdigest()


def _json(value: Any) -> bytes:
    """As JSON; what a service took for JSON, and is not, is said to be of its type."""
    try:
        return msgspec.json.encode(value)
    except Exception:
        return msgspec.json.encode({"not_json": type(value).__name__})


def left_out(data: bytes) -> dict[str, object]:
    """Stands for content that is too long, or cannot be written as JSON."""
    return {"left_out_bytes": len(data), "sha256": sha256(data).hexdigest()}
