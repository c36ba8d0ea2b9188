"""Random calls to explain, and where the reference drops an offer from each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from catalog_store.counting import Counted
from catalog_store.records import (
    Channel,
    Environment,
    Offer,
    PresentationRule,
    Space,
    Typology,
)
from compiler.runtime.values import MISSING
from contact_store.names import name_hash
from contact_store.records import Proposition, PropositionStatus
from server.engine.call import Call, SpaceCall
from server.engine.decision import Decision, decide
from server.engine.explanation.offers import SpaceExplanation, explain_offers
from server.engine.explanation.reasons import Reason, ReasonCode
from server.engine.live_catalog import LiveEnvironment
from server.resource_names import known_names
from tests.bank import DAY_MS, NOON_MS, call, environment, live, past, space, title
from tests.quota_generation import (
    fallbacks_numbered,
    numbered,
    quotas_left_of,
    quotas_of,
)
from tests.reference_decision import Past, Reference
from tests.reference_quotas import ReferenceQuotas
from tests.test_index import ATTRIBUTES, Dice

CHANNELS = (Channel.INBOUND_WEB, Channel.INBOUND_CALL_CENTER)


class Case(NamedTuple):
    """One call, and its contact's values and past as the reference reads them."""

    call: Call
    contact: dict[str, Any]
    context: dict[str, Any]
    history: list[Past]
    quotas_left: dict[str, int]


class CaseDice(Dice):
    """Catalogs of every kind of reason, and calls for them."""

    def explained_environment(self) -> Environment:
        record = self.environment()
        rules = tuple(
            self._presentation_rule(record, n) for n in range(self.one([0, 0, 1, 3]))
        )
        spaces = (self._space(record, "banner"), self._space(record, "side"))
        return replace(
            record,
            categories=tuple(
                replace(category, themes=self.one([(), (), ("home",), ("home", "car")]))
                for category in record.categories
            ),
            offers=tuple(
                replace(offer, content={} if self.chance(0.1) else {"title": "Hello"})
                for offer in record.offers
            ),
            spaces=spaces,
            quotas=quotas_of(self, replace(record, spaces=spaces)),
            presentation_rules=rules,
            typologies=(Typology(name="all", rules=tuple(r.name for r in rules)),),
            typology="all",
        )

    def case(self, decides: LiveEnvironment, record: Environment, seed: int) -> Case:
        contact = self.contact()
        page = {"page": self.one(["home", "nurse"])} if self.chance(0.8) else {}
        at_ms = NOON_MS + self.one([-11, -10, 0, 9, 10, 19, 20, 30])
        pasts = [self._past(record, at_ms) for _ in range(self.one([0, 0, 1, 2, 5]))]
        names = [offer.name for offer in record.offers]
        left = quotas_left_of(self, record)
        asked = self.one([["banner", "side"], ["side", "banner"], ["banner", "banner"]])
        call = Call(
            environment=decides,
            contact=tuple(contact.get(a.name, MISSING) for a in ATTRIBUTES),
            context=(at_ms * 1_000, MISSING, MISSING, page.get("page", MISSING)),
            history=[proposition for proposition, _ in pasts],
            spaces=tuple(self._asked(decides, record, name) for name in asked),
            at_ms=at_ms,
            seed=seed,
            names=known_names(decides),
            excluded=frozenset([self.one(names)] if self.chance(0.2) else []),
            allow_duplicates=self.chance(0.2),
            quotas_left=numbered(decides, left),
            fallbacks_left=fallbacks_numbered(decides, left),
            decided_at_ms=NOON_MS,
        )
        return Case(call, contact, page, [named for _, named in pasts], left)

    def _asked(
        self, decides: LiveEnvironment, record: Environment, name: str
    ) -> SpaceCall:
        category = self.one(record.categories).name
        return SpaceCall(
            decides.spaces[name],
            self.one([1, 1, 3, 30]),
            self.one([(), (), (), (category,), (category, "no_such")]),
            self.one([(), (), (), ("home",), ("car", "no_such")]),
        )

    def _space(self, record: Environment, name: str) -> Space:
        return space(
            name,
            channel=self.one(CHANNELS),
            fields=(title(required=self.chance(0.5)),),
            default_categories=self.one([(), (), (self.one(record.categories).name,)]),
            default_themes=self.one([(), (), (), ("home",)]),
            recording=not self.chance(0.2),
        )

    def _presentation_rule(self, record: Environment, number: int) -> PresentationRule:
        in_scope = self.chance(0.5)
        return PresentationRule(
            name=f"rule_{number}",
            maximum=self.one([1, 1, 2, 3]),
            period_ms=self.one([None, DAY_MS, 10 * DAY_MS]),
            rest_ms=self.one([None, None, None, 5 * DAY_MS]),
            channel=self.one([None, None, *CHANNELS]),
            categories=(self.one(record.categories).name,) if in_scope else (),
            offers=(self.one(record.offers).name,) if in_scope else (),
            counted=self.one(
                [Counted.ALL_OFFERS, Counted.THIS_OFFER, Counted.SAME_CATEGORY]
                + [Counted.SCOPE] * in_scope
            ),
            same_channel=self.chance(0.3),
            rule=self.rule() if self.chance(0.3) else None,
        )

    def _past(self, record: Environment, at_ms: int) -> tuple[Proposition, Past]:
        offer: Offer = self.one(record.offers)
        channel = self.one(CHANNELS)
        event_ms = at_ms - self.one([0, 1, DAY_MS, DAY_MS + 1, 9 * DAY_MS, -DAY_MS])
        proposition = past(
            offer.name, category=offer.category, channel=channel, at_ms=event_ms
        )
        named = Past(offer.name, offer.category, channel, "generated", event_ms)
        return proposition, named


class FirstDrop(Reference):
    """Where the reference drops an offer first, in the order of docs/semantics.md."""

    def first_drop(
        self, case: Case, decision: Decision, place: int, offer: Offer
    ) -> ReasonCode | None:
        call = case.call
        self._contact, self._context, self._at_ms = (
            case.contact,
            case.context,
            call.at_ms,
        )
        self._history = sorted(reversed(case.history), key=lambda p: -p.event_time_ms)
        asked = call.spaces[place]
        space = self.spaces[asked.space.name]
        if getattr(self, "_asked_of", None) != (id(case), place):
            self._asked_of = (id(case), place)
            self._answers: dict[tuple[str, ...], bool | float | str] = {}
        self._place = (str(space.channel), space.name)
        chosen = decision.spaces[place].chosen
        if any(c.scored.offer.name == offer.name for c in chosen):
            return None
        before = self._of_catalog(call, asked, space, offer)
        if before is not None:
            return before
        where = [
            decided.space.name
            for decided in decision.spaces[:place]
            if any(c.scored.offer.name == offer.name for c in decided.chosen)
        ]
        if space.name in where:
            return ReasonCode.SHOWN_IN_SPACE
        if where and not call.allow_duplicates:
            return ReasonCode.SHOWN_ELSEWHERE
        if self._excluded(offer, space, [*case.history, *self._made(decision, place)]):
            return ReasonCode.PRESENTATION_RULE
        if not self._quotas_then(case, decision, place).has_room(
            offer, self._path(offer)
        ):
            return ReasonCode.QUOTA
        assert len(chosen) == asked.max_propositions
        return ReasonCode.OUTRANKED

    def _quotas_then(
        self, case: Case, decision: Decision, place: int
    ) -> ReferenceQuotas:
        """What the call left of them up to this space."""
        quotas = ReferenceQuotas(self.environment, case.quotas_left)
        offers = {offer.name: offer for offer in self.environment.offers}
        for decided in decision.spaces[: place + 1]:
            for chosen in decided.chosen if decided.space.recording else ():
                offer = offers[chosen.scored.offer.name]
                quotas.consume(offer, self._path(offer))
        return quotas

    def _of_catalog(
        self, call: Call, asked: SpaceCall, space: Space, offer: Offer
    ) -> ReasonCode | None:
        path = self._path(offer)[::-1]
        required = [field.name for field in space.fields if field.required]
        windows = [*(c.window for c in path), offer.window]
        shut = [w for w in windows if not self._open(w)]
        steps = (
            (space.name not in offer.spaces, ReasonCode.NOT_APPROVED),
            (
                not all(offer.content.get(name) for name in required),
                ReasonCode.MISSING_CONTENT,
            ),
            (not all(c.enabled for c in path), ReasonCode.CATEGORY_DISABLED),
            (not offer.enabled, ReasonCode.OFFER_DISABLED),
            (not self._is_requested(asked, space, offer), ReasonCode.NOT_REQUESTED),
            (offer.name in call.excluded, ReasonCode.EXCLUDED_BY_CALL),
            (
                shut and shut[0].start is not None and call.at_ms < shut[0].start,
                ReasonCode.WINDOW_NOT_OPEN_YET,
            ),
            (shut, ReasonCode.WINDOW_CLOSED),
            (not self._holds(self.environment.rule), ReasonCode.ENVIRONMENT_RULE),
            (not all(self._holds(c.rule) for c in path), ReasonCode.CATEGORY_RULE),
            (not self._holds(offer.rule), ReasonCode.OFFER_RULE),
            (self._weight(offer, space) is None, ReasonCode.NO_MATCHING_WEIGHT),
        )
        return next((code for drops, code in steps if drops), None)

    def _is_requested(self, asked: SpaceCall, space: Space, offer: Offer) -> bool:
        categories, themes = asked.categories, asked.themes
        if not categories and not themes:
            categories, themes = space.default_categories, space.default_themes
        narrowed = replace(space, default_categories=categories, default_themes=themes)
        return self._candidate(self._path(offer), narrowed)

    def _holds(self, rule: str | None) -> bool:
        return rule is None or self._evaluate(rule) is True

    def _made(self, decision: Decision, place: int) -> list[Past]:
        return [
            Past(
                c.scored.offer.name,
                c.scored.offer.category,
                self.spaces[decided.space.name].channel,
                self.spaces[decided.space.name].proposition_status,
                self._at_ms,
            )
            for decided in decision.spaces[: place + 1]
            if decided.space.recording
            for c in decided.chosen
        ]


def as_history(call: Call, decision: Decision, place: int) -> Sequence[Proposition]:
    """The history once the page is recorded, up to one of its spaces."""
    made = [
        Proposition(
            interaction=7,
            offer=name_hash(f"environments/bank/offers/{c.scored.offer.name}"),
            category=name_hash(
                f"environments/bank/categories/{c.scored.offer.category}"
            ),
            space=0,
            channel=decided.space.channel_code,
            weight=c.scored.weight,
            rank=c.rank,
            status=PropositionStatus.GENERATED,
            event_time_ms=call.at_ms,
            decided_at_ms=call.at_ms,
        )
        for decided in decision.spaces[: place + 1]
        if decided.space.recording
        for c in decided.chosen
    ]
    return [*call.history, *made]


def bank(folder: Path, *offers: Any, **fields: Any) -> LiveEnvironment:
    return live(folder, environment(offers, **fields)).environments["bank"]


def explained(
    decides: LiveEnvironment, name: str, *asked: Any, **fields: Any
) -> list[SpaceExplanation]:
    """The explanation of one offer, for each space asked for."""
    made = call(decides, *(asked or ("banner",)), **fields)
    number = decides.offer_numbers[name]
    (explanation,) = explain_offers(made, decide(made), [number])
    assert explanation.name == name
    return list(explanation.spaces)


def only(decides: LiveEnvironment, name: str, *asked: Any, **fields: Any) -> Reason:
    """The only reason of an offer, in the last space asked for."""
    (reason,) = explained(decides, name, *asked, **fields)[-1].reasons
    return reason


def explained_last(made: Call, name: str) -> SpaceExplanation:
    """The explanation of one offer in the last space asked for."""
    number = made.environment.offer_numbers[name]
    (explanation,) = explain_offers(made, decide(made), [number])
    return explanation.spaces[-1]
