"""Who a call is about, and so which environment decides.

    contact_id given, and a profile where one is needed      explicit
    else visitor_id bound to a contact, where spaces allow   implicit
    else the linked anonymous spaces                         anonymous
    else nobody decides: empty answers                       anonymous

A contact id without a profile is identified all the same, with an empty profile, unless
the environment requires one. In an anonymous environment the visitor is the contact: a
call with no id is given one.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, Protocol

from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_offers import LiveSpace
from server.requests import InvalidRequest, Violation
from server.translation import AskedDecision


class Identification(Enum):
    """How the contact came to be known."""

    EXPLICIT = "explicit"
    IMPLICIT = "implicit"
    ANONYMOUS = "anonymous"


class Identified(NamedTuple):
    """Who is decided for, and where."""

    mode: Identification
    #: The environment that decides; None when none can.
    environment: LiveEnvironment | None
    #: The contact there, empty when none.
    contact_id: str
    #: To answer with; made here when the call had no id.
    visitor_id: str
    #: Whether a recorded decision binds the visitor to the contact.
    binds_visitor: bool = False


class Contacts(Protocol):
    """What is known of contacts and visitors."""

    def has_profile(self, environment: LiveEnvironment, contact_id: str) -> bool: ...

    def bound_contact(self, environment: str, visitor_id: str) -> str | None:
        """The contact that a visitor is bound to."""
        ...

    def new_visitor_id(self) -> str: ...


def identify(
    asked: AskedDecision,
    environment: LiveEnvironment,
    catalog: LiveCatalog,
    contacts: Contacts,
) -> Identified:
    """Raises InvalidRequest when nobody is named and nobody can stand in."""
    if environment.anonymous:
        visitor_id = asked.visitor_id or asked.contact_id or contacts.new_visitor_id()
        return Identified(Identification.ANONYMOUS, environment, visitor_id, visitor_id)
    identified = _explicit(asked, environment, contacts) or _implicit(
        asked, environment, contacts
    )
    return identified or _anonymous(asked, environment, catalog, contacts)


def _explicit(
    asked: AskedDecision, environment: LiveEnvironment, contacts: Contacts
) -> Identified | None:
    contact_id, visitor_id = asked.contact_id, asked.visitor_id
    if not contact_id:
        return None
    if environment.requires_profile and not contacts.has_profile(
        environment, contact_id
    ):
        return None
    binds = bool(visitor_id) and any(
        space.binds_visitors for space in _spaces(asked, environment)
    )
    return Identified(
        Identification.EXPLICIT, environment, contact_id, visitor_id, binds
    )


def _implicit(
    asked: AskedDecision, environment: LiveEnvironment, contacts: Contacts
) -> Identified | None:
    """By the visitor, if every space asked for allows it: a page has one contact."""
    visitor_id = asked.visitor_id
    if not visitor_id or not all(
        space.implicit_identification for space in _spaces(asked, environment)
    ):
        return None
    contact_id = contacts.bound_contact(environment.name, visitor_id)
    if contact_id is None or (
        environment.requires_profile
        and not contacts.has_profile(environment, contact_id)
    ):
        return None
    return Identified(Identification.IMPLICIT, environment, contact_id, visitor_id)


def _anonymous(
    asked: AskedDecision,
    environment: LiveEnvironment,
    catalog: LiveCatalog,
    contacts: Contacts,
) -> Identified:
    stand_in = None
    if environment.anonymous_environment is not None:
        stand_in = catalog.environments[environment.anonymous_environment]
    linked = any(
        space.anonymous_space is not None for space in _spaces(asked, environment)
    )
    if stand_in is not None and linked:
        visitor_id = asked.visitor_id or contacts.new_visitor_id()
        return Identified(Identification.ANONYMOUS, stand_in, visitor_id, visitor_id)
    if not asked.visitor_id and not asked.contact_id:
        text = "is required: no space asked for has an anonymous space to fall back on"
        raise InvalidRequest([Violation("contact_id", text)])
    return Identified(Identification.ANONYMOUS, None, "", asked.visitor_id)


def _spaces(asked: AskedDecision, environment: LiveEnvironment) -> Iterator[LiveSpace]:
    """Those asked for that there are."""
    for one in asked.spaces:
        space = environment.spaces.get(one.space)
        if space is not None:
            yield space


def space_in(
    decides: LiveEnvironment | None, environment: LiveEnvironment, name: str
) -> LiveSpace | None:
    """The space that decides for a space asked for; None when there is none."""
    space = environment.spaces.get(name)
    if space is None or decides is None or decides is environment:
        return space if decides is environment else None
    if space.anonymous_space is None:
        return None
    return decides.spaces.get(space.anonymous_space)
