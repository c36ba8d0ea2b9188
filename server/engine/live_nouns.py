"""What a published environment says of each noun by itself, for whoever asks why.

The index answers which offers win; this is what people wrote, noun by noun: a walk
from the environment down to a row needs nothing that the index was made of.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from server.engine.live_offers import LiveMultiplier, LiveRow, LiveWindow


class LiveCategory(NamedTuple):
    """A node of the catalog tree, without what it inherits."""

    name: str
    enabled: bool
    window: LiveWindow
    themes: frozenset[str]
    always_included: bool
    #: Number of its rule.
    rule: int | None
    multiplier: LiveMultiplier | None
    rows: tuple[LiveRow, ...]


class LiveNouns(NamedTuple):
    """The nouns of an environment.

    What most offers do not have is a mapping from the few that do; the rest is one
    entry per offer, by its number.
    """

    #: Category -> the nodes from its root down to itself.
    paths: Mapping[str, tuple[LiveCategory, ...]]
    #: The environment's own rows.
    rows: tuple[LiveRow, ...]
    offer_rules: Sequence[int | None]
    offer_rows: Sequence[tuple[LiveRow, ...]]
    #: Offers with windows of their own.
    offer_windows: Mapping[int, LiveWindow]
    disabled: frozenset[int]
    #: Space -> offers approved for it, one bit each, lowest first in each byte.
    approved: Mapping[str, bytes]
    #: Space -> offers approved for it that lack content, and the fields that they lack.
    missing: Mapping[str, Mapping[int, tuple[str, ...]]]

    def is_approved(self, offer: int, space: str) -> bool:
        return bool(self.approved[space][offer >> 3] >> (offer & 7) & 1)
