"""Random whole decisions: catalogs with everything in them, contacts, pasts and calls.

What a call asks is made twice: as the engine reads it, and by names, as the reference
does.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from catalog_store.counting import Counted, CountedFrom, CountedStatus
from catalog_store.records import (
    ALWAYS,
    Category,
    Channel,
    Environment,
    Offer,
    PresentationRule,
    Segment,
    Space,
    StatusName,
    Typology,
    UnixMs,
    WeightRow,
    Window,
    resource_name,
)
from compiler.runtime.values import MISSING
from contact_store.names import name_hash
from contact_store.records import Proposition, PropositionStatus, StatusChange
from contact_store.status_changes import with_change
from server.engine.call import Call, SpaceCall
from server.engine.live_catalog import LiveEnvironment
from server.resource_names import known_names
from tests.bank import DAY_MS, NOON_MS, past, space, title
from tests.quota_generation import (
    fallbacks_numbered,
    numbered,
    quotas_left_of,
    quotas_of,
)
from tests.reference_decision import Asked, Past
from tests.test_index import ATTRIBUTES, Dice

CHANNELS = (Channel.INBOUND_WEB, Channel.INBOUND_CALL_CENTER)
SPACES = ("banner", "side", "phone")
THEMES = ("home", "car", "travel")
STATUSES = [str(status) for status in StatusName]
#: Distances to what decides a period, a window or a rest.
EDGES_MS = (
    *(0, 1, -1, DAY_MS - 1, DAY_MS + 1),
    *(DAY_MS * days for days in (0, 1, 1, 2, 3, 10)),
)
#: Of the place and the past.
FORMULAS = (
    "context.space == 'banner' ? 2.0 : 3.0",
    "context.channel == 'inbound_web' ? 5.5 : 1.0",
    "history.size() > 1 ? 2.0 : 0.5",
)


class Update(NamedTuple):
    """One change of a proposition's status."""

    status: str
    #: None when the caller did not say.
    event_time_ms: int | None
    received_at_ms: int


class Asking(NamedTuple):
    """One call, by names; and its past also as history keeps it."""

    contact: dict[str, Any]
    context: dict[str, Any]
    history: list[Past]
    asked: list[Asked]
    at_ms: int
    seed: int
    excluded: frozenset[str]
    allow_duplicates: bool
    quotas_left: dict[str, int]
    stored: list[Proposition]


class DecisionDice(Dice):
    """Random catalogs, and calls of them."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        #: In most catalogs the past and the page decide more than the rules do.
        self._rules_kept = self.one([0.15, 0.3, 0.3, 1.0])

    def rule(self) -> str | None:
        return super().rule() if self.chance(self._rules_kept) else None

    def window(self) -> Window:
        return super().window() if self.chance(self._rules_kept * 2) else ALWAYS

    def row(self) -> WeightRow:
        row = super().row()
        return replace(row, weight=self.one(FORMULAS)) if self.chance(0.06) else row

    def rows(self, count_max: int) -> tuple[WeightRow, ...]:
        return super().rows(count_max) or super().rows(count_max)

    def predicate(self) -> str:
        """Also conditions over the past, the place, and segments."""
        if self.chance(0.5):
            return super().predicate()
        return self.one(
            [
                "segment.grown_up",
                "!segment.grown_up",
                "context.space == 'banner'",
                "context.channel != 'inbound_web' || contact.age > 64",
                "context.space != 'side' || contact.retired",
                "context.space != 'banner' || !contact.retired",
                "history.size() > 1",
                f"history.exists(p, p.offer == 'o{self.one(range(4))}')",
                "history.all(p, p.status != 'rejected' || p.channel == 'phone')",
                "history[0].category == 'c0'",
                "history.exists(p, context.now - p.event_time < duration('25h'))",
            ]
        )

    def environment(self) -> Environment:
        record = super().environment()
        offers = tuple(self._with_content(offer) for offer in record.offers)
        record = replace(record, offers=offers)
        rules = tuple(
            self._presentation_rule(record, number)
            for number in range(self.one([0, 1, 2, 4, 6]))
        )
        in_force = tuple(rule.name for rule in rules if not self.chance(0.1))
        spaces = tuple(self._space(record, name) for name in SPACES)
        return replace(
            record,
            segments=(Segment(name="grown_up", rule=f"({self.atom()})"),),
            categories=tuple(self._with_themes(c) for c in record.categories),
            spaces=spaces,
            quotas=quotas_of(self, replace(record, spaces=spaces)),
            presentation_rules=rules,
            typologies=(Typology(name="all", rules=in_force),),
            typology="all" if not self.chance(0.05) else None,
        )

    def asking(self, record: Environment, seed: int) -> Asking:
        at_ms = NOON_MS + self.one([-11, -10, 0, 0, 9, 10, 19, 20, 29, 30])
        names = [offer.name for offer in record.offers] + ["no_such"]
        # One space is asked for twice now and then.
        places = [self.one(SPACES) for _ in range(self.one([1, 2, 2, 3, 4]))]
        excluded = [self.one(names) for _ in range(self.one([0, 0, 0, 1, 3]))]
        count = self.one([0, 1, 3, 6, 12])
        pasts = [self._past(record, at_ms, number + 1) for number in range(count)]
        return Asking(
            contact=self._contact(),
            context={"page": self.one(["home", "nurse"])} if self.chance(0.8) else {},
            history=[each for each, _ in pasts],
            asked=[self._asked(record, name) for name in places],
            at_ms=at_ms,
            seed=seed,
            excluded=frozenset(excluded),
            allow_duplicates=self.chance(0.25),
            quotas_left=quotas_left_of(self, record),
            stored=[proposition for _, proposition in pasts],
        )

    def _contact(self) -> dict[str, Any]:
        values = self.contact()
        if self.chance(0.03):
            # Multipliers carry it out of the numbers.
            values["income"] = 1.5e308
        return values

    def _with_themes(self, category: Category) -> Category:
        themes = tuple(theme for theme in THEMES if self.chance(0.25))
        return replace(category, themes=themes)

    def _with_content(self, offer: Offer) -> Offer:
        return replace(
            offer,
            content=self.one([{}, {"title": ""}, *[{"title": "Hello"}] * 8]),
            attributes=self.one([{}, {"line": "a"}, {"line": "b"}, {"tier": "a"}]),
            spaces=tuple(name for name in SPACES if self.chance(0.75)),
        )

    def _space(self, record: Environment, name: str) -> Space:
        category = self.one(record.categories).name
        return space(
            name,
            channel=self.one(CHANNELS),
            fields=self.one([(), (title(),), (title(required=False),)]),
            default_categories=self.one([*[()] * 6, (category,)]),
            default_themes=self.one([*[()] * 8, ("home",), ("home", "car")]),
            recording=not self.chance(0.15),
            proposition_status=StatusName(self.one(STATUSES))
            if self.chance(0.4)
            else StatusName.GENERATED,
        )

    def _presentation_rule(self, record: Environment, number: int) -> PresentationRule:
        offers = tuple({self.one(record.offers).name for _ in range(3)})
        scope: dict[str, Any] = self.one(
            [
                {},
                {"offers": offers},
                {"categories": (self.one(record.categories).name,)},
                {"offers": offers, "categories": (self.one(record.categories).name,)},
            ]
        )
        attributes = sorted({name for o in record.offers for name in o.attributes})
        kinds = [kind for kind in Counted if scope or kind is not Counted.SCOPE]
        counted = self.one(kinds if attributes else kinds[:3])
        is_related = counted is Counted.SAME_ATTRIBUTE
        return PresentationRule(
            name=f"rule_{number}",
            maximum=self.one([1, 1, 2, 3, 5]),
            period_ms=self.one([None, None, 1, DAY_MS, 3 * DAY_MS, 10 * DAY_MS]),
            rest_ms=self.one([None, None, None, 1, DAY_MS, DAY_MS, DAY_MS]),
            active=not self.chance(0.1),
            channel=self.one([None, None, None, *CHANNELS]),
            counted=counted,
            counted_status=self.one([CountedStatus.ANY, *CountedStatus]),
            counted_from=self.one(list(CountedFrom)),
            attribute=self.one(attributes) if is_related else None,
            same_channel=self.chance(0.3),
            rule=self.one([self.atom(), self.predicate(), None, None, None]),
            counted_rule=self._counted_rule() if self.chance(0.3) else None,
            **scope,
        )

    def _counted_rule(self) -> str:
        """A condition on one proposition."""
        return self.one(
            [
                "proposition.weight >= 1.0",
                "proposition.rank == 1",
                "proposition.space == context.space",
                "proposition.offer != 'o0' && proposition.category != 'c1'",
                "proposition.channel == context.channel || contact.age > 18",
                "context.now - proposition.event_time < duration('25h')",
                "proposition.status in ['generated', 'rejected', 'presented']",
                "proposition.offer == ''",
            ]
        )

    def _asked(self, record: Environment, name: str) -> Asked:
        categories = [c.name for c in record.categories] + ["no_such"]
        picked = tuple(
            self.one(categories) for _ in range(self.one([0, 0, 0, 0, 0, 1, 2]))
        )
        themes = [*THEMES, "no_such"]
        kept = tuple(self.one(themes) for _ in range(self.one([0] * 7 + [1, 2])))
        return Asked(name, self.one([1, 1, 2, 3, 30, 100]), picked, kept)

    def _past(
        self, record: Environment, at_ms: int, number: int
    ) -> tuple[Past, Proposition]:
        offer = self.one(record.offers)
        status = self.one(STATUSES)
        event_time_ms = at_ms - self.one([1, 1, 1, -1]) * self.one(EDGES_MS)
        updates = [
            self._update(event_time_ms, at_ms) for _ in range(self.one([0, 0, 0, 1, 3]))
        ]
        told, since_ms = status_after(status, event_time_ms, updates)
        # Some are of offers that the catalog no longer has, or has moved.
        each = Past(
            offer=offer.name if self.chance(0.9) else "withdrawn",
            category=offer.category if self.chance(0.9) else self.one(["c0", "gone"]),
            channel=self.one([*CHANNELS, Channel.PHONE]),
            status=told,
            event_time_ms=event_time_ms,
            status_since_ms=since_ms,
            space=self.one([*SPACES, "gone"]),
            weight=self.one([0.25, 1.0, 99.0]),
            rank=self.one([1, 2, 3]),
        )
        return each, _stored(number, each, status, updates)

    def _update(self, event_time_ms: int, at_ms: int) -> Update:
        return Update(
            self.one(STATUSES),
            None if self.chance(0.4) else at_ms - self.one(EDGES_MS),
            max(event_time_ms, at_ms - self.one(EDGES_MS)),
        )


def as_call(asking: Asking, decides: LiveEnvironment) -> Call:
    """What is asked, as the engine reads it."""
    page = asking.context.get("page", MISSING)
    return Call(
        environment=decides,
        contact=tuple(asking.contact.get(a.name, MISSING) for a in ATTRIBUTES),
        context=(asking.at_ms * 1_000, MISSING, MISSING, page),
        history=asking.stored,
        spaces=tuple(
            SpaceCall(decides.spaces[one.space], *one[1:]) for one in asking.asked
        ),
        at_ms=asking.at_ms,
        seed=asking.seed,
        names=known_names(decides),
        excluded=asking.excluded,
        allow_duplicates=asking.allow_duplicates,
        quotas_left=numbered(decides, asking.quotas_left),
        fallbacks_left=fallbacks_numbered(decides, asking.quotas_left),
    )


def status_after(
    status: str, event_time_ms: int, updates: Sequence[Update]
) -> tuple[str, int]:
    """The status after updates in order of arrival, and since when it holds.

    Written from the ruling, for the reference.
    """
    since_ms, is_first = event_time_ms, True
    for update in updates:
        said_ms = update.event_time_ms
        if (
            said_ms is None
            and status in {"accepted", "rejected"}
            and update.status in {"generated", "presented"}
        ):
            continue
        if said_ms is not None and said_ms < since_ms and not is_first:
            continue
        status, is_first = update.status, False
        since_ms = update.received_at_ms if said_ms is None else said_ms
    return status, since_ms


def _stored(
    number: int, each: Past, first_status: str, updates: Sequence[Update]
) -> Proposition:
    """As history keeps it, with its log."""
    made = past(
        each.offer,
        category=each.category,
        channel=Channel(each.channel),
        status=PropositionStatus[first_status.upper()],
        at_ms=each.event_time_ms,
    )
    proposition = replace(
        made,
        sequence=number,
        space=name_hash(resource_name("bank", "spaces", each.space)),
        weight=each.weight,
        rank=each.rank,
    )
    for update in updates:
        at_ms = update.event_time_ms
        change = StatusChange(
            PropositionStatus[update.status.upper()],
            None if at_ms is None else UnixMs(at_ms),
            UnixMs(update.received_at_ms),
        )
        proposition = with_change(proposition, change)
    return proposition
