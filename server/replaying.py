"""A recorded decision, made again from what was kept of it.

    keep      which decisions are kept, and what of them: `kept_inputs`
    replay    the same call, decided by the same revision: `replayed`

The engine is pure, so that equal inputs give equal decisions: what a replay compares is
the record of what was decided, by its sha256.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from catalog_store.records import UnixMs
from compiler.runtime.values import MISSING
from contact_store.decision_inputs import DecisionInputs, SpaceInputs
from contact_store.records import ContactRecord
from server.context_values import context_slots
from server.decision_record import DecisionRecord, decision_record
from server.engine.call import Call, SpaceCall
from server.engine.decision import ENGINE_VERSION, Decision, decide
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.preparation import PreparedDecision
from server.resource_names import known_names

#: The share of contacts whose decisions are kept, unless the server is told otherwise.
KEPT_SHARE = 0.01


class CannotReplay(Exception):
    """What was kept does not fit the revision that decided."""


class Replay(NamedTuple):
    """A decision that was made again."""

    inputs: DecisionInputs
    call: Call
    decision: Decision
    record: DecisionRecord
    #: Whether the record is the one that was made then.
    reproduced: bool


def is_kept(contact_id: str, share: float) -> bool:
    """Whether a contact is among the share whose decisions are kept; never changes."""
    place = int.from_bytes(blake2b(contact_id.encode(), digest_size=8).digest())
    return place < share * 2**64


def kept_inputs(
    prepared: PreparedDecision,
    call: Call,
    decision: Decision,
    before: ContactRecord,
    at_ms: UnixMs,
) -> DecisionInputs:
    """What to keep of a decision made at a time, after reading that record."""
    environment = call.environment
    contact = zip(environment.contact_attributes, call.contact, strict=True)
    asked = prepared.asked
    return DecisionInputs(
        interaction=prepared.interaction,
        engine_version=ENGINE_VERSION,
        revision=prepared.catalog.revision,
        environment=environment.name,
        contact_id=prepared.identified.contact_id,
        contact={a.name: value for a, value in contact if value is not MISSING},
        context=prepared.form.context_values,
        history=tuple(call.history),
        history_version=before.version,
        spaces=tuple(
            SpaceInputs(
                one.space.name, one.max_propositions, one.categories, one.themes
            )
            for one in call.spaces
        ),
        at_ms=asked.at_ms(at_ms),
        decided_at_ms=at_ms,
        excluded=tuple(sorted(call.excluded)),
        allow_duplicates=call.allow_duplicates,
        record_sha256=decision_record(call, decision).sha256(),
        quotas_left={
            environment.quotas.live[number].name: left
            for number, left in call.quotas_left.items()
        },
        fallbacks_left={
            environment.quotas.live[number].name: left
            for number, left in call.fallbacks_left.items()
        },
    )


def replayed(inputs: DecisionInputs, catalog: LiveCatalog) -> Replay:
    """Decide again; `catalog` is the revision that decided then.

    Raises CannotReplay.
    """
    environment = catalog.environments.get(inputs.environment)
    if environment is None or catalog.revision != inputs.revision:
        raise CannotReplay(
            f"revision {catalog.revision} is not the one that decided,"
            f" {inputs.revision}, or has no environment {inputs.environment!r}"
        )
    call = _call(inputs, environment)
    decision = decide(call)
    record = decision_record(call, decision)
    reproduced = record.sha256() == inputs.record_sha256
    return Replay(inputs, call, decision, record, reproduced)


def _call(inputs: DecisionInputs, environment: LiveEnvironment) -> Call:
    unknown = [s.space for s in inputs.spaces if s.space not in environment.spaces]
    if unknown:
        raise CannotReplay(f"the revision has no space {unknown[0]!r}")
    contact = _tuples(inputs.contact)
    return Call(
        environment=environment,
        contact=tuple(
            contact.get(a.name, MISSING) for a in environment.contact_attributes
        ),
        context=context_slots(
            _tuples(inputs.context), environment.context_attributes, inputs.at_ms
        ),
        history=inputs.history,
        spaces=tuple(
            SpaceCall(
                environment.spaces[one.space],
                one.max_propositions,
                one.categories,
                one.themes,
            )
            for one in inputs.spaces
        ),
        at_ms=inputs.at_ms,
        seed=inputs.interaction,
        names=known_names(environment),
        excluded=frozenset(inputs.excluded),
        allow_duplicates=inputs.allow_duplicates,
        quotas_left={
            quota.number: inputs.quotas_left[quota.name]
            for quota in environment.quotas.live
            if quota.name in inputs.quotas_left
        },
        fallbacks_left={
            quota.number: inputs.fallbacks_left[quota.name]
            for quota in environment.quotas.live
            if quota.name in inputs.fallbacks_left
        },
        decided_at_ms=inputs.decided_at_ms,
    )


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Lists came back as lists; rules read tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]
        for name, value in values.items()
    }
