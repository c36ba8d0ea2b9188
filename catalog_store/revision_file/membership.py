"""Who is in each space, category and theme: offers, and their own rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from catalog_store.category_paths import CategoryPaths
from catalog_store.compiled import CompiledEnvironment
from catalog_store.index_tables import encode_mask, set_of
from catalog_store.records import Category, Environment, Offer, Space
from catalog_store.revision_file.parts import Part

#: What offers belong to, by the path of their category.
_NamesOf = Callable[[Iterable[Category]], Sequence[str]]


class MemberSets(msgspec.Struct, frozen=True, array_like=True):
    """Offers, and their own rows: of a space, a category or a theme."""

    name: str
    offers: bytes
    rows: bytes


def member_parts(compiled: CompiledEnvironment) -> Iterator[Part]:
    """The candidates that a call can ask for."""
    environment, rows = compiled.environment, compiled.index.rows
    paths = CategoryPaths(environment)
    shown = _shown_in(environment, paths)
    of_rows = (
        _within(shown[offer], environment.offers[offer].weights[place].spaces)
        for offer, place in rows
    )
    spaces = _members(shown, of_rows, [space.name for space in environment.spaces])
    yield Part("space_sets", _sets(spaces, environment, rows))
    of_category = {c.name: paths.path(c.name) for c in environment.categories}
    parts: dict[str, tuple[_NamesOf, list[str]]] = {
        "category_sets": (_names, list(of_category)),
        "theme_sets": (_themes, []),
        "always_included": (_included, [""]),
    }
    for part, (found, known) in parts.items():
        by_category = {name: found(path) for name, path in of_category.items()}
        belongs = [by_category[offer.category] for offer in environment.offers]
        of_rows = (belongs[offer] for offer, _ in rows)
        yield Part(part, _sets(_members(belongs, of_rows, known), environment, rows))


def _members(
    of_offers: Iterable[Sequence[str]],
    of_rows: Iterable[Sequence[str]],
    known: Iterable[str],
) -> dict[str, tuple[list[int], list[int]]]:
    """Name -> offers and rows, given the names that each offer and row belongs to."""
    members: dict[str, tuple[list[int], list[int]]] = {n: ([], []) for n in known}
    for number, names in enumerate(of_offers):
        for name in names:
            members.setdefault(name, ([], []))[0].append(number)
    for number, names in enumerate(of_rows):
        for name in names:
            members[name][1].append(number)
    return members


def _within(spaces: Sequence[str], limits: Sequence[str]) -> Sequence[str]:
    """Those of an offer's spaces that its row is limited to; no limit is all."""
    return [space for space in spaces if space in limits] if limits else spaces


def _sets(
    members: Mapping[str, tuple[list[int], list[int]]],
    environment: Environment,
    rows: Sequence[tuple[int, int]],
) -> Iterator[MemberSets]:
    for name, (offers, own_rows) in members.items():
        yield MemberSets(
            name,
            encode_mask(set_of(offers, len(environment.offers))),
            encode_mask(set_of(own_rows, len(rows))),
        )


def _shown_in(environment: Environment, paths: CategoryPaths) -> list[list[str]]:
    """For each offer the spaces that can show it.

    Approved for it, enabled, with all the content that the space requires.
    """
    known: Mapping[str, Space] = {space.name: space for space in environment.spaces}
    shown: list[list[str]] = []
    for offer in environment.offers:
        enabled = offer.enabled and all(c.enabled for c in paths.path(offer.category))
        shown.append(
            [
                name
                for name in dict.fromkeys(offer.spaces)
                if enabled
                and (space := known.get(name)) is not None
                and _is_whole(offer, space)
            ]
        )
    return shown


def _is_whole(offer: Offer, space: Space) -> bool:
    """Whether an offer has all the content that a space requires."""
    texts = offer.content_in(space.name)
    return all(texts.get(f.name) for f in space.fields if f.required)


def _names(path: Iterable[Category]) -> Sequence[str]:
    return [category.name for category in path]


def _themes(path: Iterable[Category]) -> Sequence[str]:
    return tuple(dict.fromkeys(theme for c in path for theme in c.themes))


def _included(path: Iterable[Category]) -> Sequence[str]:
    return [""] if any(category.always_included for category in path) else []
