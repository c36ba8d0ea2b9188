"""Requests about contacts: bounded, checked, and in our own words."""

import re
from typing import NamedTuple

from google.protobuf import timestamp_pb2

from catalog_store.records import NAME_MAX, UnixMs
from contact_store.contact_ids import ContactName, contact_id_bytes
from contact_store.errors import InvalidContactId
from contact_store.records import PropositionStatus
from server.contact_catalog import ContactCatalog, PublishedEnvironment
from server.paging import PAGE_SIZE, page_size_violations
from server.requests import InvalidRequest, UnknownName, Violation
from server.wire import contact_pb2 as pb
from server.wire import decision_pb2

_TOKEN = re.compile(r"([0-9]{1,18})-([0-9]{1,10})")
_SECONDS_MIN = -62_135_596_800
_SECONDS_MAX = 253_402_300_799


class UnknownContact(UnknownName):
    """Nothing is known of a contact: no profile, no history."""

    def __init__(self, name: ContactName) -> None:
        super().__init__("contact", name.contact_id, ())
        self.args = (
            f"nothing is known of contact {name.contact_id!r} in environment"
            f" {name.environment!r}: it has neither a profile nor a history",
        )


class AskedContact(NamedTuple):
    """One contact of a published environment."""

    environment: PublishedEnvironment
    contact_id: str

    @property
    def name(self) -> ContactName:
        return ContactName(self.environment.name, self.contact_id)


class AskedPage(NamedTuple):
    """Which propositions are listed."""

    contact: AskedContact
    size: int
    #: Time of decision and sequence of the last one of the page before.
    after: tuple[int, int] | None
    #: Hashes of spaces of that name; None is any.
    spaces: frozenset[int] | None
    statuses: frozenset[PropositionStatus]
    #: Of the decision: half-open.
    start_ms: UnixMs | None
    end_ms: UnixMs | None


def asked_contact(
    environment: str, contact_id: str, catalog: ContactCatalog
) -> AskedContact:
    """Raises InvalidRequest, UnknownName and NothingPublished."""
    found = contact_violations("contact_id", contact_id)
    if found:
        raise InvalidRequest(found)
    return AskedContact(catalog.environment(environment), contact_id)


def asked_page(
    request: pb.ListPropositionsRequest, catalog: ContactCatalog
) -> AskedPage:
    """Raises InvalidRequest with every violation, UnknownName, NothingPublished."""
    found = contact_violations("contact_id", request.contact_id)
    found += page_size_violations(request.page_size)
    token = _TOKEN.fullmatch(request.page_token)
    if request.page_token and token is None:
        found.append(Violation("page_token", "is not a token of an earlier page"))
    if len(request.space) > NAME_MAX:
        text = f"has {len(request.space)} characters; send at most {NAME_MAX}"
        found.append(Violation("space", text))
    known = decision_pb2.PropositionStatus.values()
    for place, status in enumerate(request.statuses):
        if status not in known or not status:
            text = "is not a status; send one such as PROPOSITION_STATUS_ACCEPTED"
            found.append(Violation(f"statuses[{place}]", text))
            break
    start_ms = _time_ms(found, request, "start_time")
    end_ms = _time_ms(found, request, "end_time")
    if found:
        raise InvalidRequest(found)
    contact = AskedContact(catalog.environment(request.environment), request.contact_id)
    spaces: frozenset[int] | None = None
    if request.space:
        numbers = catalog.space_numbers(contact.environment.name, request.space)
        spaces = frozenset(numbers)
    return AskedPage(
        contact,
        request.page_size or PAGE_SIZE,
        None if token is None else (int(token[1]), int(token[2])),
        spaces,
        frozenset(map(PropositionStatus, request.statuses)),
        start_ms,
        end_ms,
    )


def contact_violations(field: str, contact_id: str) -> list[Violation]:
    """What is wrong with a contact's id."""
    try:
        contact_id_bytes(contact_id)
    except InvalidContactId as error:
        return [Violation(field, str(error).removeprefix("contact_id "))]
    return []


def _time_ms(
    found: list[Violation], request: pb.ListPropositionsRequest, field: str
) -> UnixMs | None:
    if not request.HasField(field):  # pyright: ignore[reportArgumentType]
        return None
    time: timestamp_pb2.Timestamp = getattr(request, field)
    if not (
        _SECONDS_MIN <= time.seconds <= _SECONDS_MAX and 0 <= time.nanos < 1_000_000_000
    ):
        found.append(Violation(field, "is not a valid Timestamp, years 1 to 9999"))
    return UnixMs(time.seconds * 1_000 + time.nanos // 1_000_000)
