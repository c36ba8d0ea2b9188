"""Offers that stand where they do by the draw alone.

Another seed, or another order of the catalog's offers, would have it otherwise. What
comes out so is not what a catalog says, and no golden decision may rest on it.
"""

from itertools import pairwise

from catalog_store.golden_decisions import GoldenSpace
from server.engine.call import Call
from server.engine.decision import SpaceDecision, decide


def tied_offers(
    expected: GoldenSpace, place: int, call: Call, decided: SpaceDecision
) -> tuple[str, str] | None:
    """Two offers of equal weight that are not expected together; None if there are
    none. What came out must be what is expected.

    `place` is the space's among those of the call.
    """
    shown = decided.chosen
    group_of = {
        name: number for number, group in enumerate(expected.expected) for name in group
    }
    for one, other in pairwise(shown):
        names = one.scored.offer.name, other.scored.offer.name
        is_together = group_of[names[0]] == group_of[names[1]]
        if one.scored.weight == other.scored.weight and not is_together:
            return names
    if not shown or len(shown) < expected.places:
        return None
    last = shown[-1].scored
    group = expected.expected[group_of[last.offer.name]]
    return _tied_with_the_last(last.offer.name, last.weight, group, place, call)


def _tied_with_the_last(
    last: str, weight: float, group: tuple[str, ...], place: int, call: Call
) -> tuple[str, str] | None:
    """The offers after the last place, of its weight, are of its group as well."""
    asked = call.spaces[place]
    # So many that one of them is of no group, if there is one.
    more = asked._replace(max_propositions=asked.max_propositions + len(group))
    spaces = (*call.spaces[:place], more)
    further = decide(call._replace(spaces=spaces)).spaces[place].chosen
    for one in further[asked.max_propositions :]:
        if one.scored.weight != weight:
            break
        if one.scored.offer.name not in group:
            return last, one.scored.offer.name
    return None
