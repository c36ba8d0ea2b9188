"""What a caller may be."""

from enum import StrEnum


class Role(StrEnum):
    """One token or certificate has one role."""

    #: Everything: spaces and environments, contacts and their erasure, publication.
    ADMINISTRATOR = "administrator"
    #: Keeps the catalog, has it approved, and publishes it.
    OFFER_MANAGER = "offer_manager"
    #: Proposes published offers to many contacts, and sees what became of them.
    DELIVERY_MANAGER = "delivery_manager"
    #: A website or a call center: proposes, and says what became of it.
    DECISION_CLIENT = "decision_client"
    #: Reads the catalog and its revisions; sees no contact, and changes nothing.
    AUDITOR = "auditor"


NOBODY: frozenset[Role] = frozenset()
EVERY_ROLE = frozenset(Role)
