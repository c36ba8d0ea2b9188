"""A golden decision as a call of the engine: all that it depends on is in it."""

from catalog_store.attribute_values import attribute_value
from catalog_store.golden_decisions import GoldenDecision, PastProposition
from catalog_store.records import UnixMs
from compiler.runtime.values import MISSING
from contact_store.records import Proposition, PropositionStatus
from server.context_values import context_slots
from server.engine.call import Call, SpaceCall
from server.engine.history_slots import KnownNames
from server.engine.live_catalog import LiveEnvironment

#: Of the draw; what it gives is never what is expected, see `tied`.
SEED = 1


def golden_call(
    golden: GoldenDecision, environment: LiveEnvironment, names: KnownNames
) -> Call:
    """The call; every quota has all of its limit left.

    Raises LookupError and ValueError for what the compiler would have refused.
    """
    context = {
        attribute.name: attribute_value(golden.context[attribute.name], attribute)
        for attribute in environment.context_attributes
        if attribute.name in golden.context
    }
    contact = (
        attribute_value(golden.contact.get(attribute.name), attribute)
        for attribute in environment.contact_attributes
    )
    at_ms = golden.decided_at
    return Call(
        environment=environment,
        contact=tuple(MISSING if value is None else value for value in contact),
        context=context_slots(context, environment.context_attributes, at_ms),
        history=tuple(
            _proposition(past, number, environment)
            for number, past in enumerate(golden.past, start=1)
        ),
        spaces=tuple(
            SpaceCall(
                environment.spaces[one.name], one.places, one.categories, one.themes
            )
            for one in golden.spaces
        ),
        at_ms=at_ms,
        decided_at_ms=at_ms,
        seed=SEED,
        names=names,
        quotas_left={quota.number: quota.limit for quota in environment.quotas.live},
    )


def _proposition(
    past: PastProposition, number: int, environment: LiveEnvironment
) -> Proposition:
    offer = environment.offers[environment.offer_numbers[past.offer]]
    space = environment.spaces[past.space]
    return Proposition(
        sequence=number,
        interaction=0,
        offer=offer.offer_hash,
        category=offer.category_hash,
        space=space.space_hash,
        channel=space.channel_code,
        weight=1.0,
        rank=1,
        status=PropositionStatus[past.status.name],
        event_time_ms=UnixMs(past.at),
        decided_at_ms=UnixMs(past.at),
    )
