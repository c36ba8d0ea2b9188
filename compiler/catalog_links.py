"""Names that records use of each other, the category tree, and what nobody can see."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from catalog_store.counting import Counted
from catalog_store.records import (
    CATEGORY_DEPTH_MAX,
    Catalog,
    Category,
    Environment,
    Offer,
    PresentationRule,
    Space,
    WeightRow,
    resource_name,
)
from compiler import catalog_diagnostics as mistakes
from compiler.catalog_diagnostics import Field, Findings


def check_links(
    environment: Environment,
    catalog: Catalog,
    offers: Iterable[Offer],
    findings: Findings,
) -> None:
    """Report names that do not exist, and circles; `offers` are those looked at."""
    links = _Links(environment, findings)
    links.rows(links.resource(), environment.weights)
    links.typologies()
    links.presentation_rules()
    links.spaces(_anonymous_spaces(environment, catalog, findings))
    links.categories()
    for offer in offers:
        if findings.full:
            return
        links.offer(offer)


def _anonymous_spaces(
    environment: Environment, catalog: Catalog, findings: Findings
) -> set[str] | None:
    """The spaces of the anonymous environment; None if there is none to ask."""
    name = environment.anonymous_environment
    if name is None:
        return None
    field = Field(resource_name(environment.name), "anonymous_environment", name)
    known = {each.name: each for each in catalog.environments}
    if name == environment.name:
        findings.add(mistakes.anonymous_of_itself(field))
    elif name not in known:
        findings.add(mistakes.unknown(field, "environment", known))
    elif not known[name].anonymous:
        findings.add(mistakes.not_anonymous(field))
    else:
        return {space.name for space in known[name].spaces}
    return None


class _Links:
    """The names that one environment's records may use."""

    def __init__(self, environment: Environment, findings: Findings) -> None:
        self._environment = environment
        self._findings = findings
        self._categories = {each.name: each for each in environment.categories}
        self._offers = {offer.name for offer in environment.offers}
        self._spaces = {space.name for space in environment.spaces}
        self._rules = {rule.name for rule in environment.presentation_rules}

    def resource(self, kind: str = "", name: str = "") -> str:
        return resource_name(self._environment.name, kind, name)

    def typologies(self) -> None:
        known = {typology.name for typology in self._environment.typologies}
        if self._environment.typology is not None:
            field = Field(self.resource(), "typology", self._environment.typology)
            self._known(field, "typology", known)
        for typology in self._environment.typologies:
            resource = self.resource("typologies", typology.name)
            self._all_known(
                resource, "rules", typology.rules, "presentation rule", self._rules
            )

    def presentation_rules(self) -> None:
        for rule in self._environment.presentation_rules:
            resource = self.resource("presentation_rules", rule.name)
            self._all_known(resource, "offers", rule.offers, "offer", self._offers)
            self._all_known(
                resource, "categories", rule.categories, "category", self._categories
            )
            if rule.counted is Counted.SCOPE and not (rule.offers or rule.categories):
                field = Field(resource, "counted", rule.counted.value)
                self._findings.add(mistakes.scope_missing(field))
            self._counted_attribute(resource, rule)

    def _counted_attribute(self, resource: str, rule: PresentationRule) -> None:
        """`attribute` goes with `same_attribute`, and some offer has it."""
        by_attribute = rule.counted is Counted.SAME_ATTRIBUTE
        if by_attribute and rule.attribute is None:
            field = Field(resource, "counted", rule.counted.value)
            self._findings.add(mistakes.attribute_missing(field))
        elif rule.attribute is not None:
            field = Field(resource, "attribute", rule.attribute)
            if not by_attribute:
                self._findings.add(mistakes.attribute_not_counted(field))
                return
            offers = self._environment.offers
            known = {name for offer in offers for name in offer.attributes}
            self._known(field, "attribute of offers", known)

    def spaces(self, anonymous_spaces: set[str] | None) -> None:
        for space in self._environment.spaces:
            resource = self.resource("spaces", space.name)
            self._all_known(
                resource,
                "default_categories",
                space.default_categories,
                "category",
                self._categories,
            )
            if self._environment.anonymous:
                self._identification(resource, space)
            if space.anonymous_space is None:
                continue
            field = Field(resource, "anonymous_space", space.anonymous_space)
            if self._environment.anonymous_environment is None:
                self._findings.add(mistakes.anonymous_environment_missing(field))
            elif anonymous_spaces is not None:
                self._known(field, "anonymous space", anonymous_spaces)

    def _identification(self, resource: str, space: Space) -> None:
        """In an anonymous environment the visitor is the contact."""
        for path in ("implicit_identification", "binds_visitors"):
            if getattr(space, path):
                field = Field(resource, path, "true")
                self._findings.add(mistakes.nobody_to_identify(field))

    def categories(self) -> None:
        for category in self._environment.categories:
            resource = self.resource("categories", category.name)
            self.rows(resource, category.weights)
            if category.parent is not None:
                field = Field(resource, "parent", category.parent)
                self._known(field, "category", self._categories)
        _check_tree(self._environment, self._categories, self._findings)

    def offer(self, offer: Offer) -> None:
        resource = self.resource("offers", offer.name)
        field = Field(resource, "category", offer.category)
        self._known(field, "category", self._categories)
        self._all_known(resource, "spaces", offer.spaces, "space", self._spaces)
        for space in offer.space_content:
            field = Field(resource, f"space_content.{space}", space)
            self._known(field, "space", self._spaces)
        self.rows(resource, offer.weights)

    def rows(self, resource: str, rows: Sequence[WeightRow]) -> None:
        for index, row in enumerate(rows):
            path = f"weights[{index}].spaces"
            self._all_known(resource, path, row.spaces, "space", self._spaces)

    def _all_known(
        self,
        resource: str,
        path: str,
        names: Sequence[str],
        what: str,
        known: Collection[str],
    ) -> None:
        seen: set[str] = set()
        for index, name in enumerate(names):
            field = Field(resource, f"{path}[{index}]", name)
            if name in seen:
                self._findings.add(mistakes.duplicate(field, what))
            else:
                self._known(field, what, known)
            seen.add(name)

    def _known(self, field: Field, what: str, known: Collection[str]) -> None:
        # Not even a suggestion is computed for a mistake that nobody will see.
        if field.text not in known and not self._findings.full:
            self._findings.add(mistakes.unknown(field, what, known))


def _check_tree(
    environment: Environment, categories: Mapping[str, Category], findings: Findings
) -> None:
    """Report each circle once, at its first member, and branches that are too long."""
    reported: set[str] = set()
    for category in environment.categories:
        path = list(_path(category, categories))
        field = Field(
            resource_name(environment.name, "categories", category.name),
            "parent",
            category.parent or "",
        )
        last = categories.get(path[-1].parent or "")
        if last is not None and last.name == category.name:
            circle = [each.name for each in path]
            if not reported.intersection(circle):
                findings.add(mistakes.category_cycle(field, [*circle, category.name]))
            reported.update(circle)
        elif last is None and len(path) == CATEGORY_DEPTH_MAX + 1:
            # Its descendants are too deep as well; one report is enough.
            findings.add(
                mistakes.category_too_deep(field, len(path), CATEGORY_DEPTH_MAX)
            )


def _path(category: Category, categories: Mapping[str, Category]) -> Iterator[Category]:
    """A category and those above it, to the root or to the first that comes again."""
    seen: set[str] = set()
    each: Category | None = category
    while each is not None and each.name not in seen:
        yield each
        seen.add(each.name)
        each = categories.get(each.parent or "")


def check_shortfalls(environment: Environment, findings: Findings) -> None:
    """Warn of offers that a space leaves out, and of spaces that are always empty."""
    spaces = {space.name: space for space in environment.spaces}
    categories = {each.name: each for each in environment.categories}
    _warn_of_content(environment, findings)
    themes = {theme for each in environment.categories for theme in each.themes}
    for space in environment.spaces:
        resource = resource_name(environment.name, "spaces", space.name)
        for index, theme in enumerate(space.default_themes):
            if theme not in themes:
                field = Field(resource, f"default_themes[{index}]", theme)
                findings.add(mistakes.unknown_theme(field, themes))
    filled: set[str] = set()
    for offer in environment.offers:
        for name in offer.spaces:
            space = spaces.get(name)
            if space is None:
                continue
            missing = _missing(offer, space)
            if missing:
                resource = resource_name(environment.name, "offers", offer.name)
                field = Field(resource, "content")
                findings.add(mistakes.missing_content(field, name, missing))
            elif name not in filled and _is_candidate(
                offer, name, environment, categories
            ):
                filled.add(name)
    for space in environment.spaces:
        if space.name not in filled:
            resource = resource_name(environment.name, "spaces", space.name)
            field = Field(resource, "name", space.name)
            findings.add(mistakes.no_candidates(field))


def _missing(offer: Offer, space: Space) -> list[str]:
    texts = offer.content_in(space.name)
    return [
        field.name
        for field in space.fields
        if field.required and not texts.get(field.name)
    ]


def _is_candidate(
    offer: Offer,
    space: str,
    environment: Environment,
    categories: Mapping[str, Category],
) -> bool:
    """Whether an offer could be proposed in a space to somebody at some time."""
    category = categories.get(offer.category)
    path = list(_path(category, categories)) if category else []
    if not offer.enabled or not all(each.enabled for each in path):
        return False
    rows = [*offer.weights, *environment.weights]
    for each in path:
        rows.extend(each.weights)
    return any(
        row.weight != 0 and (not row.spaces or space in row.spaces) for row in rows
    )


def _warn_of_content(environment: Environment, findings: Findings) -> None:
    """Warn once for each content field that no space shows."""
    declared = {field.name for space in environment.spaces for field in space.fields}
    warned: set[str] = set()
    for offer in environment.offers:
        own = (name for texts in offer.space_content.values() for name in texts)
        for name in (*offer.content, *own):
            if name not in declared and name not in warned:
                warned.add(name)
                resource = resource_name(environment.name, "offers", offer.name)
                field = Field(resource, f"content.{name}", name)
                findings.add(mistakes.undeclared_content(field, name, declared))
