"""Builds the answers of the decision service, as bytes for the wire."""

import json
from collections.abc import Container, Mapping, Sequence

from contact_store.records import Proposition
from server.answer_bytes import (
    OfferParts,
    answer_part,
    event_time_part,
    proposition,
    result,
    space_part,
)
from server.engine.decision import Decision, Shortfall
from server.engine.rendering import Rendered, Shown, completed
from server.identification import Identification, Identified
from server.translation import AskedDecision
from server.wire import decision_pb2 as pb

_MODES = {
    Identification.EXPLICIT: pb.IDENTIFICATION_MODE_EXPLICIT,
    Identification.IMPLICIT: pb.IDENTIFICATION_MODE_IMPLICIT,
    Identification.ANONYMOUS: pb.IDENTIFICATION_MODE_ANONYMOUS,
}
#: Offers that cannot be shown, told of for each space.
_NOT_RENDERED_TOLD_MAX = 10

# PERF: a member that is a key is hashed in Python, and most spaces are filled.
_NO_SHORTFALL = Shortfall.NONE
_UNDECIDED = pb.SHORTFALL_REASON_NOT_IDENTIFIED
_UNKNOWN = pb.SHORTFALL_REASON_UNKNOWN_SPACE
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
    offer_parts: Sequence[OfferParts],
    proposition_ids: Mapping[tuple[int, int], str],
    at_ms: int,
    warnings: Sequence[str],
) -> bytes:
    """An encoded ProposeResponse.

    `places` gives for each space asked for its place in the decision, and so in
    `offer_parts`; `proposition_ids` the ids of what was recorded, by that place and the
    rank's.
    """
    warnings = [*warnings]
    results: list[bytes] = []
    event_time = event_time_part(at_ms)
    for one, place in zip(asked.spaces, places, strict=True):
        if place is None:
            reason = _UNDECIDED if one.space in known_spaces else _UNKNOWN
            results.append(result(space_part(one.space, reason, "")))
            continue
        filled = decision.spaces[place]
        space, chosen, shortfall, not_rendered = filled
        reason_number = 0 if shortfall is _NO_SHORTFALL else _SHORTFALLS[shortfall]
        default_content = "" if chosen else space.default_content
        parts = [space_part(one.space, reason_number, default_content)]
        for index, each in enumerate(chosen):
            proposition_id = proposition_ids.get((place, index), "")
            if each.shown is None or each.rendered is None:
                part = offer_parts[place].part(space, each)
            else:
                part = _shown_part(each.shown, each.rendered, proposition_id)
            parts.append(proposition(part, each, proposition_id, event_time))
        results.append(result(b"".join(parts)))
        warnings += [
            f"offer {left.offer.name!r} is left out of {space.name!r}: {left.reason}"
            for left in not_rendered[:_NOT_RENDERED_TOLD_MAX]
        ]
    answer = answer_part(
        interaction_text(interaction),
        revision,
        _MODES[identified.mode],
        identified.visitor_id,
        warnings,
    )
    return b"".join((answer, *results))


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


def _shown_part(shown: Shown, rendered: Rendered, proposition_id: str) -> bytes:
    """What the space shows of the offer to this contact."""
    offer, space = shown.offer, shown.space
    content, representation, acceptance_url, click_url = completed(
        shown, rendered, proposition_id
    )
    part = pb.Proposition(offer=offer.name, category=offer.category, content=content)
    if proposition_id:
        # Without an id there is nothing to accept, or to look into.
        part.acceptance_url = acceptance_url
        part.click_url = click_url
    match space.rendering and space.rendering.form:
        case "html":
            part.representation.html = representation
        case "text":
            part.representation.text = representation
        case "json":
            part.representation.json.update(json.loads(representation))
        case _:
            pass
    return part.SerializeToString()
