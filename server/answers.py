"""Builds the answers of the decision service, as bytes for the wire."""

import json
from collections.abc import Container, Mapping, Sequence
from typing import cast

from contact_store.records import Proposition
from server.engine.decision import Chosen, Decision, Shortfall, SpaceDecision
from server.engine.rendering import completed
from server.identification import Identification, Identified
from server.translation import AskedDecision, timestamp
from server.wire import decision_pb2 as pb

_MODES = {
    Identification.EXPLICIT: pb.IDENTIFICATION_MODE_EXPLICIT,
    Identification.IMPLICIT: pb.IDENTIFICATION_MODE_IMPLICIT,
    Identification.ANONYMOUS: pb.IDENTIFICATION_MODE_ANONYMOUS,
}
#: Offers that cannot be shown, told of for each space.
_NOT_RENDERED_TOLD_MAX = 10

_SHORTFALLS = {
    Shortfall.NONE: pb.SHORTFALL_REASON_UNSPECIFIED,
    Shortfall.NOT_ENOUGH_ELIGIBLE: pb.SHORTFALL_REASON_NOT_ENOUGH_ELIGIBLE,
    Shortfall.PRESENTATION_RULES: pb.SHORTFALL_REASON_PRESENTATION_RULES,
    Shortfall.QUOTAS: pb.SHORTFALL_REASON_QUOTAS,
    Shortfall.SHOWN_ELSEWHERE: pb.SHORTFALL_REASON_SHOWN_ELSEWHERE,
    Shortfall.NOT_RENDERED: pb.SHORTFALL_REASON_NOT_RENDERED,
}


def propose_answer(
    *,
    asked: AskedDecision,
    known_spaces: Container[str],
    identified: Identified,
    revision: int,
    interaction: int,
    decision: Decision,
    places: Sequence[int | None],
    proposition_ids: Mapping[tuple[int, int], str],
    at_ms: int,
    warnings: Sequence[str],
) -> bytes:
    """An encoded ProposeResponse.

    `places` gives for each space asked for its place in the decision, and
    `proposition_ids` the ids of what was recorded, by that place and the rank's.
    """
    answer = pb.ProposeResponse(
        interaction_id=interaction_text(interaction),
        revision=revision,
        identification_mode=_MODES[identified.mode],
        visitor_id=identified.visitor_id,
        warnings=warnings,
    )
    event_time = timestamp(at_ms)
    for one, place in zip(asked.spaces, places, strict=True):
        result = answer.results.add(space=one.space)
        if place is None:
            known = one.space in known_spaces
            result.shortfall_reason = (
                pb.SHORTFALL_REASON_NOT_IDENTIFIED
                if known
                else pb.SHORTFALL_REASON_UNKNOWN_SPACE
            )
            continue
        filled = decision.spaces[place]
        result.shortfall_reason = _SHORTFALLS[filled.shortfall]
        if not filled.chosen:
            result.default_content = filled.space.default_content
        for index, chosen in enumerate(filled.chosen):
            proposition_id = proposition_ids.get((place, index), "")
            proposition = _proposition(filled, chosen, proposition_id)
            proposition.event_time.CopyFrom(event_time)
            result.propositions.append(proposition)
        answer.warnings.extend(
            f"offer {one.offer.name!r} is left out of {filled.space.name!r}:"
            f" {one.reason}"
            for one in filled.not_rendered[:_NOT_RENDERED_TOLD_MAX]
        )
    return answer.SerializeToString()


def update_answer(proposition_id: str, updated: Proposition) -> bytes:
    """An encoded UpdatePropositionResponse."""
    return pb.UpdatePropositionResponse(
        proposition_id=proposition_id,
        status=f"PROPOSITION_STATUS_{updated.status.name}",
    ).SerializeToString()


def interaction_text(interaction: int) -> str:
    """An interaction's id on the wire: 16 hexadecimal digits.

    The number is also the seed of the decision's draw, so that whoever has the id
    can draw again.
    """
    return f"{interaction:016x}"


def _proposition(
    filled: SpaceDecision, chosen: Chosen, proposition_id: str
) -> pb.Proposition:
    offer, space = chosen.scored.offer, filled.space
    proposition = pb.Proposition(
        proposition_id=proposition_id,
        offer=offer.name,
        category=offer.category,
        weight=chosen.scored.weight,
        rank=chosen.rank,
    )
    if chosen.shown is None or chosen.rendered is None:
        # Nothing is to be rendered: every field is a text.
        fields = space.contents[offer.number].fields
        proposition.content.update(cast(Mapping[str, str], fields))
        return proposition
    content, representation, acceptance_url, click_url = completed(
        chosen.shown, chosen.rendered, proposition_id
    )
    proposition.content.update(content)
    if proposition_id:
        # Without an id there is nothing to accept, or to look into.
        proposition.acceptance_url = acceptance_url
        proposition.click_url = click_url
    match space.rendering and space.rendering.form:
        case "html":
            proposition.representation.html = representation
        case "text":
            proposition.representation.text = representation
        case "json":
            proposition.representation.json.update(json.loads(representation))
        case _:
            pass
    return proposition
