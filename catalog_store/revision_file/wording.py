"""What explanations tell of offers, where there is anything to tell."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from catalog_store.index_tables import set_of
from catalog_store.records import ALWAYS, Environment
from catalog_store.revision_file.parts import Part
from catalog_store.revision_file.windows import ends


class SpaceApprovals(msgspec.Struct, frozen=True, array_like=True):
    """The offers approved for a space, whether it can show them or not."""

    space: str
    #: One bit for each offer, lowest first in each byte.
    approved: bytes


class Lack(NamedTuple):
    """An offer approved for a space, and the required content that it does not have."""

    space: str
    offer: int
    fields: tuple[str, ...]


class OwnWindow(NamedTuple):
    """An offer with a window of its own."""

    offer: int
    start_ms: int | float
    end_ms: int | float


def wording_parts(environment: Environment) -> Iterator[Part]:
    offers = environment.offers
    disabled = [number for number, offer in enumerate(offers) if not offer.enabled]
    yield Part("disabled_offers", disabled)
    own = (
        OwnWindow(number, *ends(offer.window))
        for number, offer in enumerate(offers)
        if offer.window != ALWAYS
    )
    yield Part("offer_windows", own)
    required = {
        space.name: [field.name for field in space.fields if field.required]
        for space in environment.spaces
    }
    approved: dict[str, list[int]] = {name: [] for name in required}
    lacks: list[Lack] = []
    for number, offer in enumerate(offers):
        for space in dict.fromkeys(offer.spaces):
            if space in required:
                approved[space].append(number)
                texts = offer.content_in(space)
                lacking = [f for f in required[space] if not texts.get(f)]
                if lacking:
                    lacks.append(Lack(space, number, tuple(lacking)))
    sets = (_approvals(name, who, len(offers)) for name, who in approved.items())
    yield Part("approvals", sets)
    yield Part("lacks", lacks)


def _approvals(space: str, offers: list[int], size: int) -> SpaceApprovals:
    approved = set_of(offers, size).to_bytes((size + 7) // 8, "little")
    return SpaceApprovals(space, approved)
