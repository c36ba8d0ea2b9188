"""A call with one thing changed: what explanations try, and what callers can do."""

from typing import Any

from compiler.runtime.tree import CONTEXT_NOW
from server.engine.call import Call
from server.engine.explanation.found_values import Place, Records


def at_time(call: Call, at_ms: int) -> Call:
    """The same call for another moment, which rules read as `context.now`."""
    context = (
        *call.context[:CONTEXT_NOW],
        at_ms * 1_000,
        *call.context[CONTEXT_NOW + 1 :],
    )
    return call._replace(at_ms=at_ms, context=context)


def with_value(call: Call, place: Place, value: Any) -> Call:
    """The same call with another value of one attribute; MISSING leaves it out."""
    contact, context = Records(call.contact, call.context).put(place, value)
    return call._replace(contact=contact, context=context)


def asking_for(call: Call, place: int, category: str) -> Call:
    """The same call asking for a category, and no themes, in one of its spaces."""
    asked = call.spaces[place]._replace(categories=(category,), themes=())
    spaces = (*call.spaces[:place], asked, *call.spaces[place + 1 :])
    return call._replace(spaces=spaces)


def not_excluding(call: Call, offer: str) -> Call:
    return call._replace(excluded=call.excluded - {offer})


def allowing_duplicates(call: Call) -> Call:
    return call._replace(allow_duplicates=True)
