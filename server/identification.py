"""Who a call is about, and so which environment decides.

    contact_id given       the environment asked for       explicit
    else                   the linked anonymous spaces     anonymous

A contact id without a profile is identified all the same, with an empty profile. In
an anonymous environment the visitor is the contact: a call with no id is given one.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_offers import LiveSpace
from server.requests import InvalidRequest, Violation
from server.translation import AskedDecision


class Identification(Enum):
    """How the contact came to be known."""

    EXPLICIT = "explicit"
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


def identify(
    asked: AskedDecision,
    environment: LiveEnvironment,
    catalog: LiveCatalog,
    new_visitor_id: Callable[[], str],
) -> Identified:
    """Raises InvalidRequest when nobody is named and nobody can stand in."""
    if environment.anonymous:
        visitor_id = asked.visitor_id or asked.contact_id or new_visitor_id()
        return Identified(Identification.ANONYMOUS, environment, visitor_id, visitor_id)
    if asked.contact_id:
        return Identified(
            Identification.EXPLICIT, environment, asked.contact_id, asked.visitor_id
        )
    stand_in = None
    if environment.anonymous_environment is not None:
        stand_in = catalog.environments[environment.anonymous_environment]
    linked = any(
        space.anonymous_space is not None
        for name in {one.space for one in asked.spaces}
        if (space := environment.spaces.get(name)) is not None
    )
    if stand_in is not None and linked:
        visitor_id = asked.visitor_id or new_visitor_id()
        return Identified(Identification.ANONYMOUS, stand_in, visitor_id, visitor_id)
    if not asked.visitor_id:
        text = "is required: no space asked for has an anonymous space to fall back on"
        raise InvalidRequest([Violation("contact_id", text)])
    return Identified(Identification.ANONYMOUS, None, "", asked.visitor_id)


def space_in(
    identified: Identified, environment: LiveEnvironment, name: str
) -> LiveSpace | None:
    """The space that decides for a space asked for; None when there is none."""
    space = environment.spaces.get(name)
    decides = identified.environment
    if space is None or decides is None or decides is environment:
        return space if decides is environment else None
    if space.anonymous_space is None:
        return None
    return decides.spaces.get(space.anonymous_space)
