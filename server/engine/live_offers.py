"""The nouns of a published environment, prepared for deciding.

Offers are numbered in catalog order, and a set of offers is a Python integer with one
bit per offer: bit n stands for offer number n, and intersecting two sets is one `&`.
Rules are numbered too; what refers to one holds its number.
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import NamedTuple, Self

from catalog_store.counting import Counted
from catalog_store.records import Window
from compiler.runtime.rendering import Template
from contact_store.records import PropositionStatus


class LiveWindow(NamedTuple):
    """A half-open interval in UTC milliseconds; unbounded ends are infinite."""

    start_ms: float
    end_ms: float

    @classmethod
    def of(cls, window: Window) -> Self:
        return cls(
            -inf if window.start is None else window.start,
            inf if window.end is None else window.end,
        )

    def includes(self, time_ms: int) -> bool:
        return self.start_ms <= time_ms < self.end_ms


class LiveRow(NamedTuple):
    """A weight row, own or inherited."""

    label: str
    #: Its weight, unless `formula` gives one.
    weight: float
    formula: int | None
    window: LiveWindow
    #: Names of the spaces that it is limited to; empty is everywhere.
    spaces: frozenset[str]
    rule: int | None


class LiveMultiplier(NamedTuple):
    """A factor on an offer's weights, from one category of its path."""

    factor: float
    window: LiveWindow


class LiveOffer(NamedTuple):
    """An offer; what makes it eligible and ranks it is in the index."""

    number: int
    name: str
    category: str
    #: What history knows them by; see `contact_store.names`.
    offer_hash: int
    category_hash: int
    #: Its own and its categories' windows, intersected.
    window: LiveWindow


class NameOfHash(dict[int, str]):
    """`contact_store.names`' hash -> what an offer, category or space is called.

    Those who keep it beyond a call do so weakly: it goes with its environment.
    """


class OfferNumbers(dict[str, int]):
    """Name -> number of each offer; and the names that history knows by hashes."""

    def __init__(self) -> None:
        super().__init__()
        self.name_of_hash = NameOfHash()


class LiveContent(NamedTuple):
    """What a space can show of an offer."""

    label: str
    #: Content field -> its text, or the template that makes it.
    fields: Mapping[str, str | Template]
    #: As templates read them; MISSING where the offer does not have one.
    attributes: tuple[object, ...]


class LiveRendering(NamedTuple):
    """What makes one representation of an offer's content."""

    #: `html`, `text` or `json`.
    form: str
    template: Template


class LiveSpace(NamedTuple):
    """A space, and the offers that can be proposed in it."""

    name: str
    space_hash: int
    #: As in `contact_store.channels`.
    channel_code: int
    recording: bool
    #: Of new propositions.
    proposition_status: PropositionStatus
    #: Name and rule number of what is kept with a new proposition, and of what is kept
    #: when one is accepted or rejected.
    stored_on_proposition: tuple[tuple[str, int], ...]
    stored_on_acceptance: tuple[tuple[str, int], ...]
    implicit_identification: bool
    binds_visitors: bool
    default_content: str
    default_categories: tuple[str, ...]
    default_themes: tuple[str, ...]
    anonymous_space: str | None
    #: Approved for this space, enabled, with all the content it requires.
    offers: int
    #: Offer number -> what the space shows of it.
    contents: Mapping[int, LiveContent]
    #: Names of the content fields, in the order of the space, and those it requires.
    fields: tuple[str, ...]
    required: frozenset[str]
    #: Offers that must be rendered to know whether they can be shown.
    rendered: int
    rendering: LiveRendering | None
    acceptance_url: Template | None
    click_url: Template | None
    #: What opening the acceptance URL means.
    acceptance_status: str
    #: Whether the rendering or a URL names the proposition's id.
    names_proposition: bool


class LivePresentationRule(NamedTuple):
    """A presentation rule of the typology in force."""

    number: int
    name: str
    #: The offers that it may exclude, and their own rows in the index.
    offers: int
    rows: int
    channel_code: int | None
    #: Infinite for ever.
    period_ms: float
    maximum: int
    #: None excludes as long as the maximum stays in the period.
    rest_ms: int | None
    counted: Counted
    #: None counts every status.
    counted_statuses: frozenset[PropositionStatus] | None
    #: Whether a proposition counts from when it got its status.
    from_status: bool
    same_channel: bool
    #: Hash of an offer -> what its propositions are counted under, for the rules that
    #: tell offers apart by more than themselves or their category: a shared scope, the
    #: values of an attribute. Others neither count nor are excluded.
    counter_of: Mapping[int, int]
    #: Number of the first rule that counts the same propositions under the same
    #: counters, if one does not look at periods.
    counts_like: int
    #: Whether it excludes offers, or whole categories, as soon as its maximum is
    #: reached: everybody, everywhere, without a scope or a rest.
    is_plain: bool
    #: The contacts that it concerns; None is everybody.
    rule: int | None
    #: The propositions that count; None is all of them.
    counted_rule: int | None


class LivePlainCount(NamedTuple):
    """What plain rules that count alike count, and when it excludes."""

    #: Whether by offer, and not by category.
    by_offer: bool
    #: None counts every status.
    statuses: frozenset[PropositionStatus] | None
    from_status: bool
    #: The least of all maxima.
    least: int
    #: Maximum and period of each rule.
    limits: tuple[tuple[int, float], ...]


def plain_counts(rules: Iterable[LivePresentationRule]) -> tuple[LivePlainCount, ...]:
    """What the plain ones among some rules count."""
    alike: dict[int, list[LivePresentationRule]] = {}
    for rule in rules:
        if rule.is_plain:
            alike.setdefault(rule.counts_like, []).append(rule)
    return tuple(
        LivePlainCount(
            rules[0].counted is Counted.THIS_OFFER,
            rules[0].counted_statuses,
            rules[0].from_status,
            min(rule.maximum for rule in rules),
            tuple((rule.maximum, rule.period_ms) for rule in rules),
        )
        for rules in alike.values()
    )
