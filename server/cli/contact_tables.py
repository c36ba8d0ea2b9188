"""Contacts, their propositions and receipts as tables, and as JSON."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
from google.protobuf.json_format import MessageToDict

from server.cli.output import print_table

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

    from server.wire import contact_pb2 as pb

#: What is erased, by the fields of ErasedCounts.
_ERASED = {
    "profiles": "profiles",
    "ids": "ids that lead to the history",
    "propositions": "propositions",
    "bindings": "visitors who stand for the contact",
    "inputs": "decisions that can be replayed",
    "answers": "answers kept for retries",
}


def as_json(message: "Message") -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def print_contact(found: "pb.GetContactResponse") -> None:
    """Its attributes and its names."""
    if found.has_profile:
        attributes = MessageToDict(found.contact.attributes)
        rows = [(name, _shown(value)) for name, value in sorted(attributes.items())]
        print_table({"attribute": "", "value": ""}, rows)
    else:
        click.echo("no profile")
    if found.names.HasField("owner"):
        print_names(found.names)


def print_names(names: "pb.ContactNames") -> None:
    """All ids that lead to one history."""
    rows: list[tuple[str, ...]] = []
    if names.HasField("owner"):
        rows.append(("contact", names.owner.environment, names.owner.contact_id, ""))
    rows += [("alias", one.environment, one.contact_id, "") for one in names.aliases]
    rows += [
        ("bound visitor", one.environment, one.visitor_id, _moment(one.bind_time))
        for one in names.bindings
    ]
    print_table({"known as": "", "environment": "", "id": "", "since": ""}, rows)


def print_propositions(listed: "Iterable[pb.RecordedProposition]") -> None:
    columns = {"decided at": "", "space": "", "offer": "", "rank": "right"}
    columns |= {"status": "", "proposition": ""}
    rows = [
        (
            _moment(one.decide_time),
            one.space,
            one.proposition.offer,
            one.proposition.rank,
            _status(one.status),
            one.proposition.proposition_id,
        )
        for one in listed
    ]
    print_table(columns, rows)


def print_erased(
    erased: "pb.DeleteContactResponse", *, to_stderr: bool = False
) -> None:
    """What was erased, or would be."""
    names = [f"{one.contact_id} ({one.environment})" for one in _all_names(erased)]
    rows = [
        (what, getattr(erased.counts, field))
        for field, what in _ERASED.items()
        if getattr(erased.counts, field)
    ]
    lines = [f"{count:>8}  {what}" for what, count in rows]
    if names:
        lines.append(f"known as {', '.join(map(_printable, names))}")
    if erased.receipt_id:
        lines.append(
            f"erased at {_moment(erased.erase_time)}, receipt {erased.receipt_id};"
            " freed pages and backups are to be gone by"
            f" {_moment(erased.final_time)}"
        )
    click.echo("\n".join(lines), err=to_stderr)


def _all_names(erased: "pb.DeleteContactResponse") -> "Sequence[pb.ContactName]":
    names = erased.names
    owner = [names.owner] if names.HasField("owner") else []
    return [*owner, *names.aliases]


def _status(number: int) -> str:
    from server.wire import decision_pb2

    name = decision_pb2.PropositionStatus.Name(number)  # pyright: ignore[reportArgumentType]
    return name.removeprefix("PROPOSITION_STATUS_").lower()


def _shown(value: object) -> str:
    """Numbers are doubles on the wire; whole ones are shown as such."""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _moment(time: "Timestamp") -> str:
    return time.ToJsonString() if time.seconds else ""


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
