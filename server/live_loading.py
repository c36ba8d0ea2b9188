"""Builds the live catalog from a revision's file.

Loading goes on while the worker decides with the revision before, so that it is a
generator: between two of its steps decisions run. docs/performance.md says how long the
longest step takes.
"""

from collections.abc import Iterable, Iterator, Mapping

from catalog_store.manifest import Manifest
from catalog_store.records import (
    Category,
    Environment,
    WeightRow,
    resource_name,
)
from catalog_store.revision_file import RevisionFile
from catalog_store.revision_file.parts import Use
from catalog_store.revisions import DamagedRevision
from compiler.runtime.linker import CODE_TAG
from server.engine.counted_offers import CountedOffers
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_nouns import LiveCategory
from server.engine.live_offers import (
    LiveMultiplier,
    LiveRow,
    LiveWindow,
    plain_counts,
)
from server.live.nouns import load_nouns, load_paths
from server.live.offers import LoadedOffers, load_offers, load_rows, load_shared
from server.live.presentation_rules import Scopes, load_presentation_rules
from server.live.quotas import load_quotas
from server.live.rules import link_asked, load_rules
from server.live.source import Source, Steps
from server.live.spaces import load_spaces
from server.live_index_loading import (
    Membership,
    Surroundings,
    load_index,
    load_membership,
)

#: Categories whose rows are handed down in one step.
_FEW = 64


def load(revision: RevisionFile, manifest: Manifest) -> LiveCatalog:
    """Load in one go; raises DamagedRevision."""
    loading = load_in_steps(revision, manifest)
    while True:
        try:
            next(loading)
        except StopIteration as done:
            return done.value


def load_in_steps(revision: RevisionFile, manifest: Manifest) -> Steps[LiveCatalog]:
    """Load; yields between steps and returns the live catalog.

    Raises DamagedRevision when the file is not what was written.
    """
    if revision.code_tag != CODE_TAG:
        raise DamagedRevision(
            f"revision {manifest.number} has code for {revision.code_tag}, and this is"
            f" {CODE_TAG}: start the server again, or publish the catalog again"
        )
    environments: dict[str, LiveEnvironment] = {}
    default: str | None = None
    try:
        for name in revision.environment_names:
            source = Source(revision, name)
            yield
            environments[name] = yield from _EnvironmentBuilder(source).build()
            if source.head.environment.default:
                default = name
    except (ArithmeticError, EOFError, LookupError, TypeError, ValueError) as error:
        # Every chunk is what was written, so that it was not written by this version.
        raise DamagedRevision(
            f"revision {manifest.number} is of another version of Propono ({error!r});"
            " publish the catalog's files again"
        ) from error
    return LiveCatalog(
        revision=manifest.number,
        digest=manifest.digest,
        environments=environments,
        default_environment=default,
    )


class _EnvironmentBuilder:
    """Makes the parts of one environment into what decisions read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._record: Environment = source.head.environment
        self._rule_of: dict[str, int] = {}

    def build(self) -> Steps[LiveEnvironment]:
        source, record = self._source, self._record
        for uses in source.lists("uses", Use):
            self._rule_of.update(uses)
            yield
        rules = yield from load_rules(source)
        categories: list[Category] = yield from source.whole("categories", Category)
        shared = yield from load_shared(source)
        offers = yield from load_offers(source, categories, shared)
        rows = yield from load_rows(source, offers, shared)
        members = yield from load_membership(source)
        spaces = yield from load_spaces(
            source, members.spaces.offers, offers, self._rule_of
        )
        environment_rows = tuple(self._rows("", "", record.weights))
        paths = yield from load_paths(categories, self._rule, self._rows_of_category)
        inherited = yield from _inherited(paths, environment_rows, members, offers)
        about = Surroundings(
            offer_count=len(offers.offers),
            rows=rows,
            membership=members,
            multipliers=_multipliers(paths),
            inherited=inherited,
        )
        index = yield from load_index(source, about, rules)
        scopes = Scopes(offers, members.categories.offers, index)
        presentation_rules = yield from load_presentation_rules(
            source, scopes, self._rule
        )
        quotas = yield from load_quotas(source, offers, members.categories.offers)
        environment_rule = self._rule("", "", "rule")
        asked = [environment_rule, *(rule.rule for rule in presentation_rules)]
        for row, _ in inherited:
            asked += (row.rule, row.formula)
        known = {number for number in asked if number is not None}
        yield from link_asked(rules, known | rows.formulas)
        nouns = yield from load_nouns(source, offers, rows, paths, environment_rows)
        # Copying 100,000 references takes 2 ms: one of the two in a step.
        all_rules = tuple(rules)
        yield
        all_offers = tuple(offers.offers)
        yield
        return LiveEnvironment(
            name=record.name,
            anonymous=record.anonymous,
            anonymous_environment=record.anonymous_environment,
            requires_profile=record.requires_profile,
            contact_attributes=record.contact_attributes,
            context_attributes=record.context_attributes,
            rules=all_rules,
            rule=environment_rule,
            offers=all_offers,
            offer_numbers=offers.numbers,
            spaces=spaces,
            categories=members.categories.offers,
            themes=members.themes.offers,
            always_included=members.always_included.offers[""],
            live_index=index,
            nouns=nouns,
            presentation_rules=presentation_rules,
            plain_counts=plain_counts(presentation_rules),
            counted_offers=CountedOffers(
                all_offers,
                offers.category_of_hash,
                members.categories.offers,
                index,
            ),
            segments=self._segments(),
            quotas=quotas,
        )

    def _segments(self) -> dict[str, int]:
        """Segment -> number of its rule."""
        start = resource_name(self._record.name, "segments", "")
        return {
            field.removeprefix(start).partition(":")[0]: number
            for field, number in self._rule_of.items()
            if field.startswith(start)
        }

    def _rule(self, kind: str, name: str, field: str) -> int | None:
        """The number of the rule that a field holds; None when it holds none.

        Those of offers are in their columns.
        """
        resource = resource_name(self._record.name, kind, name)
        return self._rule_of.get(f"{resource}:{field}")

    def _rows_of_category(self, category: Category) -> tuple[LiveRow, ...]:
        return tuple(self._rows("categories", category.name, category.weights))

    def _rows(
        self, kind: str, name: str, rows: Iterable[WeightRow]
    ) -> Iterator[LiveRow]:
        for place, row in enumerate(rows):
            number = row.weight if not isinstance(row.weight, str) else 0.0
            yield LiveRow(
                label=row.label or f"{name or self._record.name}.weights[{place}]",
                weight=float(number),
                formula=self._rule(kind, name, f"weights[{place}].weight"),
                window=LiveWindow.of(row.window),
                spaces=frozenset(row.spaces),
                rule=self._rule(kind, name, f"weights[{place}].rule"),
            )


def _inherited(
    paths: Mapping[str, tuple[LiveCategory, ...]],
    environment_rows: Iterable[LiveRow],
    members: Membership,
    offers: LoadedOffers,
) -> Steps[tuple[tuple[LiveRow, int], ...]]:
    """Rows handed down and who inherits them, the nearest category first."""
    inherited: list[tuple[LiveRow, int]] = []
    with_rows = [path for path in paths.values() if path[-1].rows]
    yield
    for number, path in enumerate(sorted(with_rows, key=len, reverse=True)):
        heirs = members.categories.offers[path[-1].name]
        inherited += ((row, heirs) for row in path[-1].rows)
        if number % _FEW == 0:
            yield
    everyone = (1 << len(offers.offers)) - 1
    inherited += ((row, everyone) for row in environment_rows)
    return tuple(inherited)


def _multipliers(
    paths: Mapping[str, tuple[LiveCategory, ...]],
) -> dict[str, LiveMultiplier]:
    """Category -> its multiplier."""
    return {
        name: path[-1].multiplier
        for name, path in paths.items()
        if path[-1].multiplier is not None
    }
