"""UpsertContacts: profiles from a stream, validated one by one and stored in groups."""

from contact_store.errors import InvalidProfile
from contact_store.profiles import ProfileStore
from contact_store.slots import Slot
from server.contact_catalog import ContactCatalog, PublishedEnvironment
from server.contact_translation import contact_violations
from server.requests import InvalidRequest, UnknownName, Violation
from server.wire import contact_pb2 as pb

#: Contacts in one message, and in one write transaction.
CONTACTS_MAX = 1_000
#: Refused contacts that are told of one by one.
REJECTS_MAX = 100
#: Characters of an id that cannot be one.
_ID_SHOWN_MAX = 256


class Upserts:
    """One stream."""

    def __init__(self, catalog: ContactCatalog, profiles: ProfileStore) -> None:
        self._catalog = catalog
        self._profiles = profiles
        #: Of one environment, with their places in the stream.
        self._waiting: list[tuple[int, str, list[Slot]]] = []
        self._environment: PublishedEnvironment | None = None
        self._position = 0
        self._answer = pb.UpsertContactsResponse()

    def add(self, request: pb.UpsertContactsRequest) -> None:
        """Take a message; stores when a group is whole.

        Raises InvalidRequest, NothingPublished and StoreFailed.
        """
        count = len(request.contacts)
        if count > CONTACTS_MAX:
            text = f"has {count} contacts; send at most {CONTACTS_MAX} in a message"
            raise InvalidRequest([Violation("contacts", text)])
        for contact in request.contacts:
            self._add(contact)

    def finish(self) -> bytes:
        """Store what waits; the encoded answer. Raises StoreFailed."""
        self._store()
        return self._answer.SerializeToString()

    def _add(self, contact: pb.Contact) -> None:
        position = self._position
        self._position += 1
        found = contact_violations("contact_id", contact.contact_id)
        slots: list[Slot] = []
        try:
            environment = self._catalog.environment(contact.environment)
        except UnknownName as error:
            found.append(Violation("environment", str(error)))
        else:
            slots, wrong = environment.form.slots(contact.attributes)
            found += wrong
            if environment is not self._environment:
                self._store()
                self._environment = environment
        if found:
            self._reject(position, contact.contact_id, found)
            return
        self._waiting.append((position, contact.contact_id, slots))
        if len(self._waiting) >= CONTACTS_MAX:
            self._store()

    def _store(self) -> None:
        waiting, self._waiting = self._waiting, []
        environment = self._environment
        if environment is None or not waiting:
            return
        attributes = environment.form.attributes
        try:
            profiles = [(contact_id, slots) for _, contact_id, slots in waiting]
            self._profiles.upsert_all(environment.name, attributes, profiles)
            self._answer.upserted_count += len(waiting)
        except InvalidProfile as error:
            if len(waiting) == 1:
                ((position, contact_id, _),) = waiting
                self._reject(
                    position, contact_id, [Violation("attributes", str(error))]
                )
                return
            # One of them is too large for a profile: it must not stop the others.
            for one in waiting:
                self._waiting = [one]
                self._store()

    def _reject(
        self, position: int, contact_id: str, violations: list[Violation]
    ) -> None:
        self._answer.rejected_count += 1
        if len(self._answer.rejects) == REJECTS_MAX:
            return
        rejected = self._answer.rejects.add(
            position=position, contact_id=contact_id[:_ID_SHOWN_MAX]
        )
        for violation in violations:
            rejected.violations.add(
                field=violation.field, description=violation.description
            )
