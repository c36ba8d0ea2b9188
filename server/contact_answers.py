"""What calls about contacts are answered with."""

from collections.abc import Callable

from google.protobuf import struct_pb2

from contact_store.channels import CHANNEL_OF_CODE
from contact_store.contact_ids import ContactName
from contact_store.contact_view import KnownContact
from contact_store.erasure import Erased
from contact_store.record_tables import ContactNames
from contact_store.records import Proposition, StoredProposition
from contact_store.slots import Slot
from server.answers import interaction_text
from server.contact_catalog import PublishedName
from server.contact_translation import AskedContact
from server.contact_values import EXACT_MAX
from server.translation import timestamp
from server.wire import contact_pb2 as pb

#: Names for numbers, where the current revision has one.
NameOf = Callable[[int], PublishedName | None]


def contact_message(
    contact: AskedContact, slots: tuple[Slot, ...] | None
) -> pb.Contact:
    form = contact.environment.form
    return pb.Contact(
        environment=contact.environment.name,
        contact_id=contact.contact_id,
        attributes=None if slots is None else form.attributes_of(slots),
    )


def names_message(known: KnownContact | None) -> pb.ContactNames:
    if known is None:
        return pb.ContactNames()
    message = _names(known.names)
    for name, since_ms in known.bindings:
        message.bindings.add(
            environment=name.environment,
            visitor_id=name.contact_id,
            bind_time=timestamp(since_ms),
        )
    return message


def erased_message(erased: Erased) -> pb.DeleteContactResponse:
    """What was erased, or would be; the receipt is the caller's."""
    names = erased.names
    message = pb.DeleteContactResponse(
        counts=pb.ErasedCounts(profiles=erased.profiles, **erased.history._asdict()),
        names=None if names is None else _names(names),
    )
    for visitor in names.visitors if names else ():
        message.names.bindings.add(
            environment=visitor.environment, visitor_id=visitor.contact_id
        )
    return message


def recorded_message(
    stored: StoredProposition, name_of: NameOf
) -> pb.RecordedProposition:
    """A proposition as history keeps it, with names where they are known."""
    proposition_id, kept = stored
    space = name_of(kept.space)
    channel = CHANNEL_OF_CODE.get(kept.channel)
    message = pb.RecordedProposition(
        space=_text(space, kept.space),
        environment=space.environment if space else "",
        status=kept.status.value,  # pyright: ignore[reportArgumentType]
        interaction_id=interaction_text(kept.interaction),
        decide_time=timestamp(kept.decided_at_ms),
        channel="" if channel is None else str(channel),
    )
    message.proposition.proposition_id = proposition_id
    message.proposition.offer = _text(name_of(kept.offer), kept.offer)
    message.proposition.category = _text(name_of(kept.category), kept.category)
    message.proposition.weight = kept.weight
    message.proposition.rank = kept.rank
    message.proposition.event_time.CopyFrom(timestamp(kept.event_time_ms))
    for name, value in kept.stored.items():
        _put(message.stored.fields[name], value)
    _add_changes(message, kept)
    return message


def _add_changes(message: pb.RecordedProposition, kept: Proposition) -> None:
    for change in kept.changes:
        at_ms = change.event_time_ms
        message.changes.add(
            status=change.status.value,  # pyright: ignore[reportArgumentType]
            event_time=None if at_ms is None else timestamp(at_ms),
            receive_time=timestamp(change.received_at_ms),
        )


def _names(names: ContactNames) -> pb.ContactNames:
    return pb.ContactNames(
        owner=_name(names.owner), aliases=[_name(one) for one in names.aliases]
    )


def _name(name: ContactName) -> pb.ContactName:
    return pb.ContactName(environment=name.environment, contact_id=name.contact_id)


def _text(name: PublishedName | None, number: int) -> str:
    # No name begins with a tilde.
    return f"~{number:016x}" if name is None else name.name


def _put(value: struct_pb2.Value, stored: object) -> None:
    if isinstance(stored, bool):
        value.bool_value = stored
    elif isinstance(stored, float) or (
        isinstance(stored, int) and abs(stored) <= EXACT_MAX
    ):
        value.number_value = stored
    else:
        value.string_value = str(stored)
