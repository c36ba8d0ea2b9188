"""Catalogs of any size, and contacts for them: the same for the same seed, anywhere.

Nothing here is anybody's data. Rules have three to seven conjuncts over twenty
attributes, and about 3 % of the rows match a contact.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from bench.attributes import (
    CONTACT,
    CONTEXT,
    Value,
    competing_formula,
    declared,
    formula,
    rule,
)
from catalog_store.counting import Counted
from catalog_store.records import (
    OFFERS_MAX,
    Category,
    Channel,
    ContentField,
    Environment,
    Multiplier,
    Offer,
    PresentationRule,
    Space,
    Typology,
    UnixMs,
    WeightRow,
    Window,
    resource_name,
)
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.names import name_hash
from contact_store.records import Proposition, PropositionStatus

#: When every decision is made: 2026-05-01T12:00:00Z.
NOW_MS = UnixMs(1_777_636_800_000)
DAY_MS = 86_400_000
YEARS_MS = 20 * 365 * DAY_MS
ENVIRONMENT = "bench"
SPACE = "page"
#: Categories below the root; each can have a multiplier with a window.
GROUPS = 20
#: Rows that every offer of an inheriting catalog gets from above.
INHERITED_ROWS = 5


class Shape(NamedTuple):
    """What a catalog looks like; makes one catalog."""

    #: Weight rows, each offer's inherited ones included.
    rows: int
    own_rows: int = 1
    #: Whether environment, root, groups and leaves have rows too: INHERITED_ROWS.
    inheriting: bool = False
    #: Weights to choose from; 0 gives every own row another one.
    weights: int = 0
    #: Multipliers, each with a window; half of the windows are open.
    multipliers: int = 0
    #: Rows whose weight is a formula.
    formulas: int = 0
    bounded: bool = True
    #: Whether formulas give from half to all of what the row's number would be.
    competing: bool = False
    #: Whether attributes declare between which numbers they are.
    ranged: bool = False
    presentation_rules: int = 0
    #: Conjuncts of an own row's rule, at least and at most; 3 to 7 match 3 % of rows.
    conjuncts: tuple[int, int] = (3, 7)
    #: Rules that differ; 0 is one for each own row.
    distinct_rules: int = 0
    #: Whether windows are those of a server's clock too: what is open or closed at
    #: NOW_MS stays so for years.
    lasting: bool = False
    seed: int = 1

    @property
    def offers(self) -> int:
        per_offer = self.own_rows + (INHERITED_ROWS if self.inheriting else 0)
        return min(max(1, self.rows // per_offer), OFFERS_MAX)


class Caller(NamedTuple):
    """A contact who is decided for, in the slots of the schema."""

    contact: tuple[Value, ...]
    #: Without the time of the decision, which is slot 0 of a call's context.
    context: tuple[Value, ...]
    history: tuple[Proposition, ...]


def environment(shape: Shape) -> Environment:
    """The catalog of a shape."""
    random = Random(shape.seed)
    texts = _Texts(shape, random)
    rules = _presentation_rules(shape)
    return Environment(
        name=ENVIRONMENT,
        default=True,
        contact_attributes=declared(CONTACT, ranged=shape.ranged),
        context_attributes=declared(CONTEXT),
        weights=texts.inherited(1) if shape.inheriting else (),
        categories=tuple(_categories(shape, texts)),
        offers=tuple(_offers(shape, texts, random)),
        spaces=(
            Space(
                name=SPACE,
                channel=Channel.INBOUND_WEB,
                fields=(ContentField(name="title"),),
            ),
        ),
        presentation_rules=rules,
        typologies=(Typology(name="all", rules=tuple(r.name for r in rules)),),
        typology="all",
    )


def callers(shape: Shape, count: int, *, seed: int = 2) -> list[Caller]:
    """Contacts for the catalog of a shape; they have a past if it has rules on it."""
    random = Random(seed)
    past = 20 if shape.presentation_rules else 0
    return [
        Caller(
            tuple(kind.value(random) for kind in CONTACT),
            tuple(kind.value(random) for kind in CONTEXT),
            tuple(_past(shape, random) for _ in range(past)),
        )
        for _ in range(count)
    ]


class _Texts:
    """Rules and weights as they are asked for."""

    def __init__(self, shape: Shape, random: Random) -> None:
        self._shape = shape
        self._random = random
        # Its own, so that shapes of one size have the same rules in the same places.
        self._rule_random = Random(shape.seed)
        rows = shape.offers * shape.own_rows
        self._rows = rows
        self._rules: list[str] = []
        self._places = list(range(1, rows + 1))
        random.shuffle(self._places)
        share = rows // shape.formulas if shape.formulas else 0
        self._formula_rows = range(0, rows, share) if share else range(0)

    def own(self, number: int) -> WeightRow:
        """Row `number` of all own rows."""
        shape, random = self._shape, self._random
        weight: float | str = float(self._places[number])
        if shape.weights:
            weight = float(10 * random.randint(1, shape.weights))
        if number in self._formula_rows:
            weight = (
                competing_formula(random, self._places[number])
                if shape.competing
                else formula(random, bounded=shape.bounded)
            )
        return WeightRow(weight=weight, rule=self._rule(number))

    def inherited(self, count: int) -> tuple[WeightRow, ...]:
        """Rows low in the order, with rules that hold more often."""
        random = self._random
        highest = 10 * (self._shape.weights or self._rows)
        return tuple(
            WeightRow(
                weight=float(random.randint(1, max(1, highest // 20))),
                rule=rule(random, 2, 4),
            )
            for _ in range(count)
        )

    def _rule(self, number: int) -> str:
        limit = self._shape.distinct_rules or self._rows
        # Rows are asked for in order.
        if number < limit:
            self._rules.append(rule(self._rule_random, *self._shape.conjuncts))
        return self._rules[number % limit]


def _categories(shape: Shape, texts: _Texts) -> Iterator[Category]:
    inheriting = shape.inheriting
    yield Category(name="all", weights=texts.inherited(1) if inheriting else ())
    for number in range(GROUPS):
        # Half of the windows began a week ago; the others begin tomorrow, or in years.
        years_ms = YEARS_MS if shape.lasting else 0
        start = UnixMs(NOW_MS + (DAY_MS + years_ms if number % 2 else -7 * DAY_MS))
        window = Window(start=start, end=UnixMs(start + 30 * DAY_MS + years_ms))
        name = f"group_{number:02d}"
        yield Category(
            name=name,
            parent="all",
            themes=(f"theme_{number % 4}",),
            multiplier=Multiplier(factor=1.0 + (number + 1) / 16, window=window)
            if number < shape.multipliers
            else None,
            weights=texts.inherited(1) if inheriting else (),
        )
        yield Category(
            name=f"{name}_leaf",
            parent=name,
            weights=texts.inherited(2) if inheriting else (),
        )


def _offers(shape: Shape, texts: _Texts, random: Random) -> Iterator[Offer]:
    for number in range(shape.offers):
        first = number * shape.own_rows
        name = _offer_name(number)
        yield Offer(
            name=name,
            label=name,
            category=f"group_{random.randrange(GROUPS):02d}_leaf",
            spaces=(SPACE,),
            weights=tuple(texts.own(first + place) for place in range(shape.own_rows)),
            content={"title": f"Offer {number}"},
        )


def _presentation_rules(shape: Shape) -> tuple[PresentationRule, ...]:
    """Rules per offer and per category, with longer periods for higher maxima."""
    return tuple(
        PresentationRule(
            name=f"rule_{number:02d}",
            period_ms=(number + 1) * DAY_MS,
            maximum=number // 2 + 1,
            counted=(Counted.THIS_OFFER, Counted.SAME_CATEGORY)[number % 2],
        )
        for number in range(shape.presentation_rules)
    )


def _past(shape: Shape, random: Random) -> Proposition:
    at_ms = UnixMs(NOW_MS - random.randrange(10 * DAY_MS))
    category = f"group_{random.randrange(GROUPS):02d}_leaf"
    offer = _offer_name(random.randrange(shape.offers))
    return Proposition(
        interaction=1,
        offer=name_hash(resource_name(ENVIRONMENT, "offers", offer)),
        category=name_hash(resource_name(ENVIRONMENT, "categories", category)),
        space=0,
        channel=CODE_OF_CHANNEL[Channel.INBOUND_WEB],
        weight=1.0,
        rank=1,
        status=PropositionStatus.GENERATED,
        event_time_ms=at_ms,
        decided_at_ms=at_ms,
    )


def _offer_name(number: int) -> str:
    return f"offer_{number:06d}"
