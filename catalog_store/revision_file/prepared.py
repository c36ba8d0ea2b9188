"""What a worker needs of an environment and would otherwise work out while loading.

All of it follows from the record and the index, and is made anew by whoever writes the
file: nothing of it can come from elsewhere, and no digest covers it. Offers, categories
and rows go by their numbers, windows and limits to spaces by their places in the parts
of distinct ones.
"""

from collections.abc import Iterator

from catalog_store.compiled import CompiledEnvironment
from catalog_store.revision_file.chunks import encode
from catalog_store.revision_file.columns import (
    OwnRow,
    left_out,
    offer_attributes,
    offer_columns,
    places,
    row_columns,
)
from catalog_store.revision_file.contents import contents, personalised
from catalog_store.revision_file.membership import member_parts
from catalog_store.revision_file.parts import Part
from catalog_store.revision_file.windows import (
    Ends,
    intersection,
    offer_windows,
    window_parts,
)
from catalog_store.revision_file.wording import wording_parts


def prepared_parts(compiled: CompiledEnvironment) -> Iterator[Part]:
    """The parts that `server.live_loading` reads beside the records and the index."""
    environment = compiled.environment
    rows = [
        OwnRow(number, place, environment.offers[number])
        for number, place in compiled.index.rows
    ]
    all_rows = rows + left_out(environment, compiled.index.rows)
    windows: dict[Ends, int] = {}
    spaces: dict[tuple[str, ...], int] = {}
    of_offers = offer_windows(environment)
    place_of = places(windows)
    columns = offer_columns(compiled, all_rows, of_offers, place_of)
    yield Part("live_offers", list(columns), 1)
    columns = row_columns(all_rows, compiled, place_of, places(spaces))
    yield Part("live_rows", list(columns), 1)
    yield Part("windows", windows)
    yield Part("space_limits", spaces)
    shown = list(contents(compiled))
    yield Part("contents", map(encode, shown))
    yield Part("personalised", personalised(shown))
    of_spaces = f"environments/{environment.name}/spaces/"
    templates = sorted(compiled.templates.items())
    yield Part("space_templates", (t for t in templates if t[0].startswith(of_spaces)))
    yield Part("offer_attributes", offer_attributes(environment.offers))
    yield from wording_parts(environment)
    yield from member_parts(compiled)
    of_rows = [
        intersection(of_offers[row.offer_number], row.offer.weights[row.place].window)
        for row in rows
    ]
    yield from window_parts("open_rows", of_rows)
    yield from window_parts("open_offers", of_offers)
