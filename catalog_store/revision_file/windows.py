"""The windows of offers and rows, and which of them are open when."""

from collections.abc import Iterator, Sequence
from math import inf

import msgspec

from catalog_store.category_paths import CategoryPaths
from catalog_store.index_tables import encode_mask, set_of
from catalog_store.records import Environment, Window
from catalog_store.revision_file.chunks import CHUNK_ITEMS_MAX
from catalog_store.revision_file.parts import Part

#: A window as a half-open interval; unbounded ends are infinite.
Ends = tuple[float, float]

#: A window of as many rows has a mask; others list their rows.
_MASK_ROWS_MIN = 256


class OpenWindow(msgspec.Struct, frozen=True, array_like=True):
    """A window, and who has it: in a list if they are few, else in a mask."""

    start_ms: float
    end_ms: float
    members: list[int]
    mask: bytes


def window_parts(name: str, windows: Sequence[Ends]) -> Iterator[Part]:
    """Which rows or offers are open when: `<name>` and `<name>.moments`, `.always`."""
    bounded: dict[Ends, list[int]] = {}
    always: list[int] = []
    for number, window in enumerate(windows):
        if window == (-inf, inf):
            always.append(number)
        else:
            bounded.setdefault(window, []).append(number)
    moments = {moment for window in bounded for moment in window} - {-inf, inf}
    yield Part(f"{name}.always", [encode_mask(set_of(always, len(windows)))])
    yield Part(f"{name}.moments", sorted(moments), 8 * CHUNK_ITEMS_MAX)
    yield Part(name, (_open_window(window, who) for window, who in bounded.items()))


def _open_window(window: Ends, members: list[int]) -> OpenWindow:
    if len(members) < _MASK_ROWS_MIN:
        return OpenWindow(*window, members, b"")
    return OpenWindow(*window, [], encode_mask(set_of(members, members[-1] + 1)))


def offer_windows(environment: Environment) -> list[Ends]:
    paths = CategoryPaths(environment)
    of_category: dict[str, Ends] = {}
    for category in environment.categories:
        window = (-inf, inf)
        for above in paths.path(category.name):
            window = intersection(window, above.window)
        of_category[category.name] = window
    return [
        intersection(of_category[offer.category], offer.window)
        for offer in environment.offers
    ]


def ends(window: Window) -> Ends:
    return (
        -inf if window.start is None else window.start,
        inf if window.end is None else window.end,
    )


def intersection(one: Ends, other: Window | Ends) -> Ends:
    start, end = ends(other) if isinstance(other, Window) else other
    return max(one[0], start), min(one[1], end)
