"""ContactService: profiles, histories, erasure and merges, on the admin port.

contact_catalog      what the current revision says of contacts
contact_translation  requests, bounded and checked
contact_values       attributes as the wire has them, and as they are stored
contact_upserts      a stream of profiles
contact_answers      the answers
contact_stream       the one method that takes a stream
"""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.contact_view import KnownContact
from contact_store.erasure import erase, expected
from contact_store.history import HistoryStore
from contact_store.profile_reader import ProfileReader
from contact_store.profiles import ProfileStore
from contact_store.records import Proposition
from contact_store.slots import Slot
from server.contact_answers import (
    contact_message,
    erased_message,
    names_message,
    recorded_message,
)
from server.contact_catalog import ContactCatalog
from server.contact_translation import (
    AskedContact,
    AskedPage,
    UnknownContact,
    asked_contact,
    asked_page,
    contact_violations,
)
from server.contact_upserts import Upserts
from server.requests import InvalidRequest, Violation
from server.translation import timestamp
from server.wire import contact_pb2 as pb

#: Days until what was erased is gone from freed pages and backups too, if they are
#: kept as docs/contacts.md says.
FINAL_DAYS = 30
#: One page of propositions ends behind the one with which it has so many.
PAGE_BYTES = 1 << 20

_DAY_MS = 86_400_000
_RECEIPT_BYTES = 16

_log = logging.getLogger(__name__)


class ContactStores(NamedTuple):
    """Where contacts are kept, and what the current revision says of them."""

    catalog: ContactCatalog
    history: HistoryStore
    profiles: ProfileStore


class ContactService:
    """Each method takes a request and its caller, and gives the encoded answer."""

    def __init__(
        self,
        stores: ContactStores,
        now_ms: Callable[[], UnixMs],
        random_bytes: Callable[[int], bytes],
        final_days: int = FINAL_DAYS,
    ) -> None:
        self._catalog, self._history, self._profiles = stores
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._final_days = final_days

    def upserts(self) -> Upserts:
        """One call of UpsertContacts."""
        return Upserts(self._catalog, self._profiles)

    def get_contact(self, request: pb.GetContactRequest, caller: str) -> bytes:
        """Raises InvalidRequest, UnknownName and UnknownContact."""
        asked = asked_contact(request.environment, request.contact_id, self._catalog)
        slots, known = self._known(asked)
        return pb.GetContactResponse(
            contact=contact_message(asked, slots),
            has_profile=slots is not None,
            names=names_message(known),
            proposition_count=known.proposition_count if known else 0,
        ).SerializeToString()

    def list_propositions(
        self, request: pb.ListPropositionsRequest, caller: str
    ) -> bytes:
        """Raises InvalidRequest, UnknownName and UnknownContact."""
        page = asked_page(request, self._catalog)
        name = page.contact.name
        known = self._history.view(name, lambda listed: _chosen(listed, page))
        if known is None:
            if not self._profiles.has(name):
                raise UnknownContact(name)
            return b""
        answer = pb.ListPropositionsResponse()
        size_bytes, token = 0, ""
        for one in known.propositions:
            if len(answer.propositions) == page.size or size_bytes >= PAGE_BYTES:
                answer.next_page_token = token
                break
            message = recorded_message(one, self._catalog.name_of)
            answer.propositions.append(message)
            size_bytes += message.ByteSize()
            token = f"{one.proposition.decided_at_ms}-{one.proposition.sequence}"
        return answer.SerializeToString()

    def delete_contact(self, request: pb.DeleteContactRequest, caller: str) -> bytes:
        """Raises InvalidRequest, UnknownName and UnknownContact."""
        asked = asked_contact(request.environment, request.contact_id, self._catalog)
        act = expected if request.validate_only else erase
        erased = act(self._history, self._profiles, asked.name)
        if erased is None:
            raise UnknownContact(asked.name)
        answer = erased_message(erased)
        if not request.validate_only:
            now_ms = self._now_ms()
            answer.receipt_id = self._random_bytes(_RECEIPT_BYTES).hex()
            answer.erase_time.CopyFrom(timestamp(now_ms))
            final_ms = now_ms + self._final_days * _DAY_MS
            answer.final_time.CopyFrom(timestamp(final_ms))
            # Who it was is not told: logs are kept, too.
            _log.info("erased a contact, receipt %s", answer.receipt_id)
        return answer.SerializeToString()

    def merge_contacts(self, request: pb.MergeContactsRequest, caller: str) -> bytes:
        """Raises InvalidRequest, UnknownName, UnknownContact and HistoryFull."""
        into, alias = self._asked_merge(request)
        for one in (into, alias):
            self._known(one)
        with self._history.transaction() as txn:
            if alias.environment.anonymous:
                visitor_environment, visitor_id = alias.name
                txn.bind_visitor(
                    *into.name, visitor_environment, visitor_id, self._now_ms()
                )
            else:
                txn.merge(alias.name, into.name)
        slots, known = self._known(into)
        return pb.MergeContactsResponse(
            contact=contact_message(into, slots), names=names_message(known)
        ).SerializeToString()

    def _asked_merge(
        self, request: pb.MergeContactsRequest
    ) -> tuple[AskedContact, AskedContact]:
        """The contact that remains, and the one that becomes its alias."""
        found = contact_violations("contact_id", request.contact_id)
        found += contact_violations("alias_id", request.alias_id)
        environment = self._catalog.environment(request.environment)
        alias_environment = self._catalog.environment(
            request.alias_environment or environment.name
        )
        if environment.anonymous:
            text = (
                f"is of {environment.name!r}, an anonymous environment: what is known"
                " of somebody by name does not become a cookie's; name the identified"
                " contact as the one that remains, and the visitor as alias"
            )
            found.append(Violation("contact_id", text))
        elif alias_environment.name not in (
            environment.name,
            environment.anonymous_environment,
        ):
            text = (
                f"is neither {environment.name!r} nor the anonymous environment that"
                " it names: these are different contacts"
            )
            found.append(Violation("alias_environment", text))
        into = AskedContact(environment, request.contact_id)
        alias = AskedContact(alias_environment, request.alias_id)
        if into == alias and not found:
            text = "is the contact itself; name another one"
            found.append(Violation("alias_id", text))
        if found:
            raise InvalidRequest(found)
        return into, alias

    def _known(
        self, asked: AskedContact
    ) -> tuple[tuple[Slot, ...] | None, KnownContact | None]:
        """Profile and history; raises UnknownContact when there is neither."""
        environment = asked.environment
        attributes = environment.form.attributes
        reader = ProfileReader(self._profiles, environment.name, attributes, None)
        slots = reader.get(asked.contact_id)
        known = self._history.view(asked.name, lambda _: ())
        if slots is None and known is None:
            raise UnknownContact(asked.name)
        return slots, known


def _chosen(listed: Sequence[Proposition], page: AskedPage) -> list[Proposition]:
    """One more than a page, so that it shows whether there is another."""
    start_ms, end_ms = page.start_ms, page.end_ms
    found = [
        one
        for one in listed
        if (page.spaces is None or one.space in page.spaces)
        and (not page.statuses or one.status in page.statuses)
        and (start_ms is None or one.decided_at_ms >= start_ms)
        and (end_ms is None or one.decided_at_ms < end_ms)
        and (page.after is None or _moment(one) < page.after)
    ]
    return sorted(found, key=_moment, reverse=True)[: page.size + 1]


def _moment(one: Proposition) -> tuple[int, int]:
    """When it was decided, and its place among those of the same moment."""
    return one.decided_at_ms, one.sequence
