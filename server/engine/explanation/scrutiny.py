"""All the reasons for which an offer is not proposed in a space.

Walks the nouns as people wrote them, from the environment down to a weight row, and
asks nothing of the index: a second opinion of every decision that it explains. In the
order of the pipeline:

    approval and content, what is enabled, what is asked for
    windows and rules: environment, categories from the root down, offer
    weight rows: own, of the nearest category first, of the environment
    the page, the presentation rules, the quotas, what can be rendered, the places

Every reason is found, not only the first, except the last: only an offer that nothing
else keeps from being proposed is outranked.
"""

from math import isfinite
from typing import NamedTuple

from catalog_store.records import resource_name
from compiler.runtime.history import History
from compiler.runtime.template_values import TemplateError
from server.engine.call import Call, SpaceCall
from server.engine.eligibility import Conditions
from server.engine.explanation import reasons
from server.engine.explanation.altered_call import at_time
from server.engine.explanation.failing_conditions import (
    FailingCondition,
    RuleConditions,
    failing,
)
from server.engine.explanation.found_values import Records
from server.engine.explanation.reasons import Reason, ReasonCode, RowReason
from server.engine.explanation.row_scrutiny import RowScrutiny
from server.engine.explanation.space_page import SpacePage
from server.engine.history_slots import history_slots
from server.engine.live_nouns import LiveCategory
from server.engine.live_offers import LiveOffer, LiveRow, LiveWindow
from server.engine.presentation import Exclusion, Presented
from server.engine.quotas import QuotaRoom
from server.engine.rendering import Shown, rendered

#: Moments of one space that are kept: many offers wait for the same presentation rule.
#: Each has counted the contact's history anew.
MOMENTS_KEPT_MAX = 16


class OfPath(NamedTuple):
    """What the categories of an offer, and the environment, say of it."""

    #: Root first.
    nodes: tuple[LiveCategory, ...]
    disabled: tuple[Reason, ...]
    requested: tuple[Reason, ...]
    windows: tuple[Reason, ...]
    rules: tuple[Reason, ...]
    #: Of their rows: the highest weight, and why the others do not count.
    weight: float
    rows: tuple[RowReason, ...]


class Scrutiny:
    """One space of a decided call, for questions about any offer."""

    def __init__(
        self,
        call: Call,
        page: SpacePage,
        rules: RuleConditions,
        presented: Presented | None = None,
    ) -> None:
        """`presented` is what a scrutiny of the same moment has counted already."""
        self.call = call
        self.rules = rules
        self.page = page
        self.asked: SpaceCall = call.spaces[page.place]
        self._environment = call.environment
        self._nouns = call.environment.nouns
        self.fast = Conditions(call)
        self.fast.enter(self.asked.space)
        self.records = Records(call.contact, self.fast.context)
        self._history: History | None = None
        self.presented = presented or self._count()
        self.room = QuotaRoom(call, page.taken)
        self.rows = RowScrutiny(self, self.fast)
        self._paths: dict[str, OfPath] = {}
        self._at: dict[int, Scrutiny] = {}

    def of_call(self, call: Call) -> "Scrutiny":
        """The same space of an altered call, on the same page."""
        # PERF: ten rules count 4,096 propositions in 3 ms, and what they count does not
        # depend on the contact unless one of them does. With this and fewer moments
        # tried, such a contact's offer is explained in 2.6 ms, and was in 386 (CPython
        # 3.11, two busy cores).
        is_same_count = call.at_ms == self.call.at_ms and all(
            rule.rule is None for rule in self._environment.presentation_rules
        )
        presented = self.presented if is_same_count else None
        # What could not be rendered of this call may be in another.
        page = self.page._replace(not_rendered={})
        return Scrutiny(call, page, self.rules, presented)

    def at(self, at_ms: int) -> "Scrutiny":
        """The same space at another moment."""
        known = self._at.get(at_ms)
        if known is None:
            if len(self._at) >= MOMENTS_KEPT_MAX:
                self._at.clear()
            known = self._at[at_ms] = self.of_call(at_time(self.call, at_ms))
        return known

    @property
    def history(self) -> History:
        """As rules read it: without what this call proposes."""
        if self._history is None:
            self._history = history_slots(self.call.newest_history(), self.call.names)
        return self._history

    def reasons(self, number: int) -> tuple[Reason, ...]:
        """Why an offer is not proposed, in the order of the pipeline."""
        if number in self.page.ranks:
            return ()
        offer = self._environment.offers[number]
        resource = self.resource("offers", offer.name)
        path = self.path(offer.category)
        weight, rows = self.weight(offer, path)
        found = [
            *self._approval(offer, resource),
            *path.disabled,
            *self._enabled(offer, resource),
            *path.requested,
            *self._excluded(offer, resource),
            *path.windows,
            *self._window(offer, resource),
            *path.rules,
            *self._rule(offer, resource),
        ]
        if not (weight > 0.0 and isfinite(weight)):
            found.append(reasons.no_matching_weight(resource, rows))
        found += self._shown(offer, resource)
        found += self._presentation(offer)
        found += self._quotas(offer)
        why = self.not_rendered(offer)
        if why is not None:
            found.append(reasons.not_rendered(resource, why))
        if not found and self.page.last is not None:
            last = self.page.last
            found.append(
                reasons.outranked(resource, weight, last.offer.name, last.weight)
            )
        return tuple(found)

    def not_rendered(self, offer: LiveOffer) -> str | None:
        """Why an offer cannot be shown to this contact; None when it can.

        Of an offer that the decision did not come to, as if it took the next place.
        """
        space = self.asked.space
        if offer.number in self.page.not_rendered:
            return self.page.not_rendered[offer.number]
        if not space.rendered >> offer.number & 1:
            return None
        shown = Shown(
            space=space,
            offer=offer,
            weight=0.0,
            rank=len(self.page.ranks) + 1,
            interaction=self.call.seed,
            contact=self.fast.contact,
            context=self.fast.context,
        )
        try:
            rendered(shown)
        except TemplateError as error:
            return str(error)
        return None

    def weight(
        self, offer: LiveOffer, path: OfPath
    ) -> tuple[float, tuple[RowReason, ...]]:
        """The offer's weight, 0 when it has none, and why rows do not count."""
        resource = self.resource("offers", offer.name)
        own, misses = self.rows.best(resource, self._nouns.offer_rows[offer.number])
        best = max(own, path.weight)
        scaled = self.rows.scaled(best, path.nodes)
        if best > 0.0 and not (scaled > 0.0 and isfinite(scaled)):
            misses = (*misses, reasons.row_not_finite(resource, offer.name, ""))
        return scaled, (*misses, *path.rows)

    def path(self, category: str) -> OfPath:
        """What an offer of this category inherits."""
        known = self._paths.get(category)
        if known is None:
            known = self._paths[category] = self._path(category)
        return known

    def hopeful_rows(self, number: int) -> list[LiveRow]:
        """An offer's rows, own and inherited, that can count here at some time."""
        offer = self._environment.offers[number]
        rows = list(self._nouns.offer_rows[number])
        for node in reversed(self._nouns.paths[offer.category]):
            rows += node.rows
        rows += self._nouns.rows
        at_ms, space = self.call.at_ms, self.asked.space.name
        return [
            row
            for row in rows
            if (row.formula is not None or row.weight > 0.0)
            and at_ms < row.window.end_ms
            and (not row.spaces or space in row.spaces)
        ]

    def exclusions(self, offer: LiveOffer) -> tuple[Exclusion, ...]:
        return self.presented.exclusions(offer, self.asked.space)

    def failing(self, rule: int | None) -> tuple[FailingCondition, ...]:
        """The conditions of a rule that are not true."""
        if rule is None or self.fast.holds(rule):
            return ()
        environment = self._environment
        answers = (
            failing(condition, environment, self.records, self.history)
            for condition in self.rules.of(rule)
        )
        return tuple(answer for answer in answers if answer is not None)

    def resource(self, kind: str = "", name: str = "") -> str:
        return resource_name(self._environment.name, kind, name)

    def _count(self) -> Presented:
        """What the contact was proposed before, and by this call's page."""
        history = (*self.call.history, *self.page.made)
        return Presented(self.call._replace(history=history), self.fast)

    def _path(self, category: str) -> OfPath:
        nodes = self._nouns.paths[category]
        environment = self.resource()
        rules = self._of_rule(
            ReasonCode.ENVIRONMENT_RULE, environment, self._environment.rule
        )
        disabled: list[Reason] = []
        windows: list[Reason] = []
        weight, rows = self.rows.best(environment, self._nouns.rows)
        for node in nodes:
            resource = self.resource("categories", node.name)
            if not node.enabled:
                disabled.append(reasons.category_disabled(resource, node.name))
            windows += self._of_window(
                resource, f"the category {node.name}", node.window
            )
            rules += self._of_rule(ReasonCode.CATEGORY_RULE, resource, node.rule)
            heaviest, misses = self.rows.best(resource, node.rows)
            weight, rows = max(weight, heaviest), (*misses, *rows)
        return OfPath(
            nodes=nodes,
            disabled=tuple(disabled),
            requested=self._requested(nodes),
            windows=tuple(windows),
            rules=tuple(rules),
            weight=weight,
            rows=rows,
        )

    def _requested(self, nodes: tuple[LiveCategory, ...]) -> tuple[Reason, ...]:
        asked, by = self.asked, "the call"
        categories, themes = asked.categories, asked.themes
        if not categories and not themes:
            categories = asked.space.default_categories
            themes = asked.space.default_themes
            by = f"the space {asked.space.name}"
        of_category = not categories or any(node.name in categories for node in nodes)
        of_theme = not themes or any(node.themes & set(themes) for node in nodes)
        if (of_category and of_theme) or any(node.always_included for node in nodes):
            return ()
        resource = self.resource("categories", nodes[-1].name)
        return (reasons.not_requested(resource, categories, themes, by),)

    def _approval(self, offer: LiveOffer, resource: str) -> list[Reason]:
        space = self.asked.space.name
        if not self._nouns.is_approved(offer.number, space):
            return [reasons.not_approved(resource, space)]
        missing = self._nouns.missing[space].get(offer.number)
        if missing is None:
            return []
        return [reasons.missing_content(resource, space, missing)]

    def _enabled(self, offer: LiveOffer, resource: str) -> list[Reason]:
        if offer.number in self._nouns.disabled:
            return [reasons.offer_disabled(resource)]
        return []

    def _excluded(self, offer: LiveOffer, resource: str) -> list[Reason]:
        if offer.name in self.call.excluded:
            return [reasons.excluded_by_call(resource)]
        return []

    def _window(self, offer: LiveOffer, resource: str) -> list[Reason]:
        window = self._nouns.offer_windows.get(offer.number)
        return [] if window is None else self._of_window(resource, "the offer", window)

    def _of_window(self, resource: str, what: str, window: LiveWindow) -> list[Reason]:
        at_ms = self.call.at_ms
        if window.includes(at_ms):
            return []
        return [reasons.window_not_open(resource, what, window, at_ms)]

    def _rule(self, offer: LiveOffer, resource: str) -> list[Reason]:
        rule = self._nouns.offer_rules[offer.number]
        return self._of_rule(ReasonCode.OFFER_RULE, resource, rule)

    def _of_rule(
        self, code: ReasonCode, resource: str, rule: int | None
    ) -> list[Reason]:
        return [
            reasons.rule_not_true(code, resource, condition)
            for condition in self.failing(rule)
        ]

    def _shown(self, offer: LiveOffer, resource: str) -> list[Reason]:
        space = self.asked.space.name
        spaces = self.page.shown.get(offer.number, ())
        if space in spaces or (spaces and not self.call.allow_duplicates):
            return [reasons.shown(resource, space, spaces)]
        return []

    def _presentation(self, offer: LiveOffer) -> list[Reason]:
        return [
            reasons.presentation_rule(
                self.resource("presentation_rules", exclusion.rule.name),
                exclusion.rule.name,
                exclusion.counted,
                exclusion.rule.maximum,
                exclusion.frees_at_ms,
            )
            for exclusion in self.exclusions(offer)
        ]

    def _quotas(self, offer: LiveOffer) -> list[Reason]:
        return [
            reasons.quota(
                self.resource("quotas", exhaustion.quota.name),
                exhaustion.quota.name,
                exhaustion.limit,
                exhaustion.used,
                exhaustion.frees_at_ms,
                falls_back=exhaustion.falls_back,
            )
            for exhaustion in self.room.exhaustions(offer)
        ]
