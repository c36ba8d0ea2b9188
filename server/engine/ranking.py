"""The eligible offers of a space, best first, as far as anybody asks.

Rows come from streams, each in descending order of weight: the rows of offers with the
same multipliers, whose factors scale all of them alike; those of them whose weight is a
formula; and the rows that categories and the environment hand down, each of which is
one weight for a set of offers. A stream is opened when the most that it can give would
win. Merging the heads of the streams gives the classes of equal weight, and the draw
orders each.
"""

from collections.abc import Iterator, Sequence, Set
from heapq import heappop, heappush, heapreplace
from math import inf, isfinite

from server.engine.arbitration import Draw, Scored
from server.engine.bit_sets import ascending, set_of
from server.engine.live_index import LiveIndex
from server.engine.live_offers import LiveOffer
from server.engine.race import Race
from server.engine.streams import FormulaRows, OwnRows, Stream, Tied, opened

#: Rows of equal weight up to which they are listed.
_LISTED_ROWS_MAX = 64


class PassedOver:
    """Offers that are left away once it is clear that they would be excluded."""

    __slots__ = ("count", "full", "most", "shown")

    def __init__(self, full: Set[int], shown: Set[int], most: int) -> None:
        #: Offers and categories, by their hashes; it may grow.
        self.full = full
        #: Offers that are to be given nevertheless, by their numbers; it may grow.
        self.shown = shown
        #: Of so many one is given all the same, for whoever asks to notice.
        self.most = most
        #: How many there were.
        self.count = 0


#: Where nothing excludes anybody.
NOBODY_IS_PASSED_OVER = PassedOver(frozenset(), frozenset(), 1)

#: A stream and its weight, negated, so that the heaviest is the least; its place
#: and number settle equals, so that streams are never compared.
_Head = tuple[float, int, int, Stream]


def ranked(
    offers: Sequence[LiveOffer], race: Race, draw: Draw, passed_over: PassedOver
) -> Iterator[Scored]:
    """Eligible offers by weight, ties in the order of the draw; each offer once.

    `offers` are those of the environment, by their numbers.
    """
    index = race.index
    in_force = index.origins.at(race.at_ms, race.as_declared())
    origins = in_force.origins
    taking = _Taking(index, offers, draw, passed_over)
    heads: list[_Head] = []
    next_origin = 0
    while True:
        best = heads[0][0] if heads else inf
        while next_origin < len(origins) and origins[next_origin][0] <= best:
            place = origins[next_origin][1]
            streams = opened(origins[next_origin], race, in_force)
            for number, stream in enumerate(streams):
                heappush(heads, (-stream.weight, place, number, stream))
                best = heads[0][0]
            next_origin += 1
        if not heads:
            return
        # The most that anything else can weigh, negated too.
        rival = origins[next_origin][0] if next_origin < len(origins) else 0.0
        for head in heads[1:3]:
            rival = min(rival, head[0])
        stream = heads[0][3]
        if isinstance(stream, OwnRows) and -stream.weight < rival:
            yield from taking.alone(stream, -rival)
            _replace_head(heads)
        elif isinstance(stream, FormulaRows) and not stream.is_settled():
            stream.settle(-rival)
            _replace_head(heads)
        else:
            yield from taking.together(heads)


class _Taking:
    """Takes offers from streams, each offer once."""

    def __init__(
        self,
        index: LiveIndex,
        offers: Sequence[LiveOffer],
        draw: Draw,
        passed_over: PassedOver,
    ) -> None:
        self._passed_over = passed_over
        self._index = index
        self._offers = offers
        self._draw = draw
        self._seen: set[int] = set()

    def alone(self, stream: OwnRows, rival: float) -> Iterator[Scored]:
        """Those of a group's own rows that are heavier than anything else."""
        index, offers, seen = self._index, self._offers, self._seen
        stops, offer_of, live_rows = index.class_stops, index.offer_of, index.live_rows
        passed_over = self._passed_over
        full, shown = passed_over.full, passed_over.shown
        while stream.weight > rival:
            first, weight = stream.row, stream.weight
            assert first is not None
            width = stops[first] - first
            if width == 1:
                # PERF: most classes are one row, and need no Tied and no draw.
                row = stream.take_one()
                if row is not None and (offer := offer_of[row]) not in seen:
                    seen.add(offer)
                    live = offers[offer]
                    # PERF: where a category is full with one proposition, three are
                    # found among eleven: the others go no further.
                    if (
                        full
                        and (live.category_hash in full or live.offer_hash in full)
                        and offer not in shown
                    ):
                        passed_over.count += 1
                        if passed_over.count % passed_over.most:
                            continue
                    yield Scored(live, live_rows[row], weight)
            elif width <= _LISTED_ROWS_MAX or self._repeats(first, width):
                tied = Tied({}, [])
                stream.take(tied)
                yield from self._drawn(tied, weight)
            else:
                rows = stream.take_set()
                if seen:
                    rows &= ~self._rows_of_seen(first, width)
                for place in self._draw.from_set(rows):
                    row = first + place
                    offer = offer_of[row]
                    seen.add(offer)
                    yield Scored(offers[offer], live_rows[row], weight)

    def together(self, heads: list[_Head]) -> Iterator[Scored]:
        """The class of the heaviest streams, which may turn out to be empty."""
        negated = heads[0][0]
        tied = Tied({}, [])
        while heads and heads[0][0] == negated:
            heads[0][3].take(tied)
            _replace_head(heads)
        yield from self._drawn(tied, -negated)

    def _drawn(self, tied: Tied, weight: float) -> Iterator[Scored]:
        offers, seen = self._offers, self._seen
        if tied.sets:
            members = set_of(tied.listed, len(offers))
            for heirs, _ in tied.sets:
                members |= heirs
            members &= ~set_of(seen, len(offers))
            order = self._draw.from_set(members)
        else:
            listed = sorted(tied.listed.keys() - seen)
            order = self._draw.from_list(listed)
        # Factors can carry a formula's weight out of the numbers: no proposition, and
        # nothing to draw.
        if not isfinite(weight):
            seen.update(tied.listed)
            for heirs, _ in tied.sets:
                seen.update(ascending(heirs))
            return
        for offer in order:
            seen.add(offer)
            yield Scored(offers[offer], tied.row_of(offer), weight)

    def _repeats(self, first: int, width: int) -> bool:
        """Whether an offer has two of some rows."""
        repeats = self._index.repeats
        return repeats != 0 and (repeats >> first) & ((1 << width) - 1) != 0

    def _rows_of_seen(self, first: int, width: int) -> int:
        """Of some rows, those of offers that another row has won for."""
        rows_of_offer = self._index.rows_of_offer
        return set_of(
            (
                row - first
                for offer in self._seen
                for row in rows_of_offer[offer]
                if first <= row < first + width
            ),
            width,
        )


def _replace_head(heads: list[_Head]) -> None:
    """Put the first stream where it now belongs, or leave it out when it is over."""
    _, place, number, stream = heads[0]
    if stream.weight > 0.0:
        heapreplace(heads, (-stream.weight, place, number, stream))
    else:
        heappop(heads)
