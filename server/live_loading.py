"""Builds the live catalog from a revision's file.

Loading goes on while the worker decides with the revision before, so that it is a
generator: between two of its steps decisions run. docs/performance.md says how long the
longest step takes.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from math import inf

from catalog_store.category_paths import CategoryPaths
from catalog_store.index_tables import EnvironmentIndex, set_of
from catalog_store.manifest import Manifest
from catalog_store.records import (
    Counted,
    CountedFrom,
    CountedStatus,
    Environment,
    Offer,
    PresentationRule,
    Space,
    WeightRow,
    Window,
    resource_name,
)
from catalog_store.revision_file import RevisionFile
from compiler.runtime.linker import LinkedRule, link
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.names import name_hash
from contact_store.records import PropositionStatus
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_offers import (
    LiveOffer,
    LivePresentationRule,
    LiveRow,
    LiveSpace,
    LiveWindow,
)
from server.engine.matching import ascending
from server.live_index_loading import (
    Surroundings,
    load_index,
    multipliers_of,
)

_STATUSES = {
    CountedStatus.ANY: None,
    CountedStatus.PRESENTED: frozenset(PropositionStatus)
    - {PropositionStatus.GENERATED, PropositionStatus.UNSPECIFIED},
    CountedStatus.ACCEPTED: frozenset({PropositionStatus.ACCEPTED}),
    CountedStatus.REJECTED: frozenset({PropositionStatus.REJECTED}),
    CountedStatus.ACCEPTED_OR_REJECTED: frozenset(
        {PropositionStatus.ACCEPTED, PropositionStatus.REJECTED}
    ),
}

#: Rules and offers handled in one step.
_STEP = 16


def load(revision: RevisionFile, manifest: Manifest) -> LiveCatalog:
    """Load in one go."""
    loading = load_in_steps(revision, manifest)
    while True:
        try:
            next(loading)
        except StopIteration as done:
            return done.value


def load_in_steps(
    revision: RevisionFile, manifest: Manifest
) -> Generator[None, None, LiveCatalog]:
    """Load; yields between steps and returns the live catalog."""
    environments: dict[str, LiveEnvironment] = {}
    default: str | None = None
    for name in revision.environment_names:
        record = revision.environment(name)
        yield
        rules: list[LinkedRule] = []
        for number, stored in enumerate(revision.rules(name)):
            rules.append(link(stored.code, stored.tree))
            if number % _STEP == 0:
                yield
        builder = _EnvironmentBuilder(record, revision.rule_of(name))
        environments[name] = yield from builder.build(rules, revision.index(name))
        if record.default:
            default = name
    return LiveCatalog(
        revision=manifest.number,
        digest=manifest.digest,
        environments=environments,
        default_environment=default,
    )


class _EnvironmentBuilder:
    """Makes one environment's records into what decisions read."""

    def __init__(self, record: Environment, rule_of: Mapping[str, int]) -> None:
        self._record = record
        self._rule_of = rule_of
        self._paths = CategoryPaths(record)
        self._category_rows = {
            category.name: tuple(
                self._rows("categories", category.name, category.weights)
            )
            for category in record.categories
        }
        self._environment_rows = tuple(self._rows("", "", record.weights))

    def build(
        self, rules: list[LinkedRule], stored: EnvironmentIndex
    ) -> Generator[None, None, LiveEnvironment]:
        record = self._record
        offers: list[LiveOffer] = []
        rows: list[tuple[LiveRow, ...]] = []
        for number, offer in enumerate(record.offers):
            offers.append(self._offer(number, offer))
            rows.append(tuple(self._rows("offers", offer.name, offer.weights)))
            if number % _STEP == 0:
                yield
        spaces: dict[str, LiveSpace] = {}
        for space in record.spaces:
            spaces[space.name] = self._space(space)
            yield
        subtrees, themes, always_included = self._masks()
        yield
        about = Surroundings(
            offers=offers,
            rows=rows,
            spaces=spaces,
            categories=subtrees,
            themes=themes,
            always_included=always_included,
            multipliers=multipliers_of(record.categories),
            inherited=tuple(self._inherited(subtrees)),
        )
        index = yield from load_index(stored, about, rules)
        return LiveEnvironment(
            name=record.name,
            anonymous=record.anonymous,
            anonymous_environment=record.anonymous_environment,
            contact_attributes=record.contact_attributes,
            context_attributes=record.context_attributes,
            rules=tuple(rules),
            rule=self._rule("", "", "rule"),
            offers=tuple(offers),
            offer_numbers={offer.name: offer.number for offer in offers},
            spaces=spaces,
            categories=subtrees,
            themes=themes,
            always_included=always_included,
            live_index=index,
            presentation_rules=self._presentation_rules(offers, subtrees),
        )

    def _rule(self, kind: str, name: str, field: str) -> int | None:
        """The number of the rule that a field holds; None when it holds none."""
        resource = resource_name(self._record.name, kind, name)
        return self._rule_of.get(f"{resource}:{field}")

    def _offer(self, number: int, offer: Offer) -> LiveOffer:
        path = self._paths.path(offer.category)
        environment = self._record.name
        return LiveOffer(
            number=number,
            name=offer.name,
            category=offer.category,
            offer_hash=name_hash(resource_name(environment, "offers", offer.name)),
            category_hash=name_hash(
                resource_name(environment, "categories", offer.category)
            ),
            window=_intersection([offer.window, *(c.window for c in path)]),
        )

    def _rows(
        self, kind: str, name: str, rows: Iterable[WeightRow]
    ) -> Iterable[LiveRow]:
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

    def _space(self, space: Space) -> LiveSpace:
        contents: dict[int, dict[str, str]] = {}
        for number, offer in enumerate(self._record.offers):
            if space.name not in offer.spaces or not self._enabled(offer):
                continue
            content = {
                field.name: offer.content[field.name]
                for field in space.fields
                if offer.content.get(field.name)
            }
            if all(f.name in content for f in space.fields if f.required):
                contents[number] = content
        environment = self._record.name
        return LiveSpace(
            name=space.name,
            space_hash=name_hash(resource_name(environment, "spaces", space.name)),
            channel_code=CODE_OF_CHANNEL[space.channel],
            recording=space.recording,
            proposition_status=PropositionStatus[space.proposition_status.name],
            implicit_identification=space.implicit_identification,
            binds_visitors=space.binds_visitors,
            default_content=space.default_content,
            default_categories=space.default_categories,
            default_themes=space.default_themes,
            anonymous_space=space.anonymous_space,
            offers=set_of(contents, len(self._record.offers)),
            contents=contents,
        )

    def _enabled(self, offer: Offer) -> bool:
        return offer.enabled and all(
            category.enabled for category in self._paths.path(offer.category)
        )

    def _masks(self) -> tuple[dict[str, int], dict[str, int], int]:
        """Category -> its subtree, theme -> who has or inherits it, always included."""
        subtrees: dict[str, list[int]] = {c.name: [] for c in self._record.categories}
        themes: dict[str, set[int]] = {}
        always_included: list[int] = []
        for number, offer in enumerate(self._record.offers):
            path = self._paths.path(offer.category)
            for category in path:
                subtrees[category.name].append(number)
                for theme in category.themes:
                    themes.setdefault(theme, set()).add(number)
            if any(category.always_included for category in path):
                always_included.append(number)
        size = len(self._record.offers)
        return (
            {name: set_of(members, size) for name, members in subtrees.items()},
            {name: set_of(members, size) for name, members in themes.items()},
            set_of(always_included, size),
        )

    def _inherited(self, subtrees: Mapping[str, int]) -> Iterator[tuple[LiveRow, int]]:
        """Rows handed down and who inherits them, the nearest category first."""
        everyone = (1 << len(self._record.offers)) - 1
        deepest_first = sorted(
            self._category_rows, key=lambda name: -len(self._paths.path(name))
        )
        for name in deepest_first:
            for row in self._category_rows[name]:
                yield row, subtrees[name]
        for row in self._environment_rows:
            yield row, everyone

    def _presentation_rules(
        self, offers: Sequence[LiveOffer], subtrees: Mapping[str, int]
    ) -> tuple[LivePresentationRule, ...]:
        record = self._record
        typology = next(
            (t for t in record.typologies if t.name == record.typology), None
        )
        if typology is None:
            return ()
        by_name = {rule.name: rule for rule in record.presentation_rules}
        active = [by_name[name] for name in typology.rules if by_name[name].active]
        return tuple(
            self._presentation_rule(number, rule, offers, subtrees)
            for number, rule in enumerate(active)
        )

    def _presentation_rule(
        self,
        number: int,
        rule: PresentationRule,
        offers: Sequence[LiveOffer],
        subtrees: Mapping[str, int],
    ) -> LivePresentationRule:
        named = frozenset(rule.offers)
        scope = set_of((o.number for o in offers if o.name in named), len(offers))
        for category in rule.categories:
            scope |= subtrees[category]
        everything = not rule.offers and not rule.categories
        return LivePresentationRule(
            number=number,
            name=rule.name,
            offers=-1 if everything else scope,
            channel_code=None
            if rule.channel is None
            else CODE_OF_CHANNEL[rule.channel],
            period_ms=inf if rule.period_ms is None else rule.period_ms,
            maximum=rule.maximum,
            rest_ms=rule.rest_ms,
            counted=rule.counted,
            counted_statuses=_STATUSES[rule.counted_status],
            from_status=rule.counted_from is CountedFrom.STATUS,
            same_channel=rule.same_channel,
            counter_of=self._counters(rule, offers, scope),
            rule=self._rule("presentation_rules", rule.name, "rule"),
        )

    def _counters(
        self, rule: PresentationRule, offers: Sequence[LiveOffer], scope: int
    ) -> Mapping[int, int]:
        """What the propositions of offers are counted under: `counter_of`."""
        if rule.counted is Counted.SCOPE:
            return {offers[number].offer_hash: 0 for number in ascending(scope)}
        if rule.counted is not Counted.SAME_ATTRIBUTE:
            return {}
        values: dict[str, int] = {}
        return {
            live.offer_hash: values.setdefault(value, len(values))
            for live, offer in zip(offers, self._record.offers, strict=True)
            if (value := offer.attributes.get(rule.attribute or "")) is not None
        }


def _intersection(windows: Iterable[Window]) -> LiveWindow:
    live = [LiveWindow.of(window) for window in windows]
    return LiveWindow(max(w.start_ms for w in live), min(w.end_ms for w in live))
