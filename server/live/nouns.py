"""What people wrote of each noun, for explanations."""

from collections.abc import Callable, Mapping, Sequence

from catalog_store.records import Category
from catalog_store.revision_file.wording import Lack, OwnWindow, SpaceApprovals
from server.engine.live_nouns import LiveCategory, LiveNouns
from server.engine.live_offers import LiveMultiplier, LiveRow, LiveWindow
from server.live.offers import LoadedOffers, LoadedRows
from server.live.source import Source, Steps

#: Categories handled in one step.
_STEP = 128

#: Kind, name and field -> number of the rule that the field holds, or None.
RuleNumber = Callable[[str, str, str], int | None]


def load_nouns(
    source: Source,
    offers: LoadedOffers,
    rows: LoadedRows,
    paths: Mapping[str, tuple[LiveCategory, ...]],
    environment_rows: tuple[LiveRow, ...],
) -> Steps[LiveNouns]:
    offer_windows: dict[int, LiveWindow] = {}
    for windows in source.lists("offer_windows", OwnWindow):
        offer_windows.update((n, LiveWindow(start, end)) for n, start, end in windows)
        yield
    disabled: set[int] = set()
    for numbers in source.lists("disabled_offers", int):
        disabled.update(numbers)
        yield
    approved: dict[str, bytes] = {}
    for sets in source.lists("approvals", SpaceApprovals):
        approved.update((one.space, one.approved) for one in sets)
        yield
    missing: dict[str, dict[int, tuple[str, ...]]] = {name: {} for name in approved}
    for lacks in source.lists("lacks", Lack):
        for space, offer, fields in lacks:
            missing[space][offer] = fields
        yield
    return LiveNouns(
        paths=paths,
        rows=environment_rows,
        offer_rules=offers.rules,
        offer_rows=rows.offer_rows,
        offer_windows=offer_windows,
        disabled=frozenset(disabled),
        approved=approved,
        missing=missing,
    )


def load_paths(
    categories: Sequence[Category],
    rule_number: RuleNumber,
    rows_of: Callable[[Category], tuple[LiveRow, ...]],
) -> Steps[dict[str, tuple[LiveCategory, ...]]]:
    """Category -> the nodes from its root down to itself."""
    live: dict[str, LiveCategory] = {}
    for number, category in enumerate(categories):
        rule = rule_number("categories", category.name, "rule")
        live[category.name] = _category(category, rule, rows_of(category))
        if number % _STEP == 0:
            yield
    parents = {category.name: category.parent for category in categories}
    paths: dict[str, tuple[LiveCategory, ...]] = {}
    for number, name in enumerate(live):
        path: list[LiveCategory] = []
        above: str | None = name
        while above is not None:
            path.append(live[above])
            above = parents[above]
        paths[name] = tuple(reversed(path))
        if number % _STEP == 0:
            yield
    return paths


def _category(
    category: Category, rule: int | None, rows: tuple[LiveRow, ...]
) -> LiveCategory:
    multiplier = category.multiplier
    return LiveCategory(
        name=category.name,
        enabled=category.enabled,
        window=LiveWindow.of(category.window),
        themes=frozenset(category.themes),
        always_included=category.always_included,
        rule=rule,
        multiplier=None
        if multiplier is None
        else LiveMultiplier(multiplier.factor, LiveWindow.of(multiplier.window)),
        rows=rows,
    )
