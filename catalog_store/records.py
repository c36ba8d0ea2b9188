"""The nouns of a catalog, as they are edited, approved and published.

An environment owns everything below it; names are unique within their kind and
environment. Times are UTC milliseconds, windows are half-open `[start, end)`, and
None means unbounded. Rules and formulas are CEL source text.
"""

from enum import StrEnum
from typing import Any, Literal

from catalog_store.counting import (
    Counted,
    CountedFrom,
    CountedStatus,
    OnFailure,
    QuotaPeriod,
)
from catalog_store.golden_decisions import GoldenDecision as GoldenDecision
from catalog_store.record import Record as Record
from catalog_store.record import StatusName as StatusName
from catalog_store.record import UnixMs as UnixMs

#: As CEL identifiers are: names stand in rules, calls, commands and URLs.
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
NAME_MAX = 63
LABEL_MAX = 200
#: Code points of a description.
DESCRIPTION_MAX = 2_000
#: Bytes of one rule or formula; the CEL front end itself stops at 100,000.
RULE_BYTES_MAX = 4_096
#: Nodes from a root category to a leaf.
CATEGORY_DEPTH_MAX = 16
ENVIRONMENTS_MAX = 64
OFFERS_MAX = 100_000
CATEGORIES_MAX = 10_000
SPACES_MAX = 1_000
SEGMENTS_MAX = 4_000
PRESENTATION_RULES_MAX = 1_000
TYPOLOGIES_MAX = 1_000
QUOTAS_MAX = 1_000
QUOTA_LIMIT_MAX = 10**12
#: Attributes of the contact, and as many of the context.
ATTRIBUTES_MAX = 1_000
#: Rows of one offer, category or environment.
WEIGHT_ROWS_MAX = 256
#: Above it a weight times 16 nested multipliers would no longer be finite.
WEIGHT_MAX = 1e12
FACTOR_MAX = 1e6
#: Content fields of one space or offer; themes of one category.
CONTENT_FIELDS_MAX = 100
THEMES_MAX = 100
#: Bytes of one content field of an offer, or of a space's default content.
CONTENT_BYTES_MAX = 65_536
#: The retention of propositions, 400 days: a longer period would count too few.
PERIOD_MS_MAX = 400 * 86_400_000
#: Propositions in the longest period of one contact that are always counted.
MAXIMUM_MAX = 4_096
#: Expressions of one space that are stored with a proposition, or with its answer.
STORED_EXPRESSIONS_MAX = 20
#: Attributes of one offer, and characters of one.
OFFER_ATTRIBUTES_MAX = 50
OFFER_ATTRIBUTE_CHARACTERS_MAX = 200
#: The last moment of the year 9999, where CEL's timestamps end.
UNIX_MS_MAX = 253_402_300_799_999


class AttributeType(StrEnum):
    """Types of attributes, named as in CEL."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    BOOL_LIST = "list(bool)"
    INT_LIST = "list(int)"
    DOUBLE_LIST = "list(double)"
    STRING_LIST = "list(string)"


class Channel(StrEnum):
    """Where a space is; presentation rules count by it."""

    INBOUND_WEB = "inbound_web"
    INBOUND_CALL_CENTER = "inbound_call_center"
    EMAIL = "email"
    SMS = "sms"
    PHONE = "phone"
    DIRECT_MAIL = "direct_mail"
    MOBILE_APP = "mobile_app"
    OTHER = "other"


class Attribute(Record, frozen=True):
    """One attribute of the contact's profile or of a call's context."""

    name: str
    type: AttributeType
    description: str = ""
    #: A call without it is refused; context attributes only.
    required: bool = False
    #: Of ints and doubles: others are refused wherever they come in.
    minimum: float | None = None
    maximum: float | None = None


class Segment(Record, frozen=True):
    """A named eligibility rule that other rules use as `segment.<name>`."""

    name: str
    rule: str
    label: str = ""


class Window(Record, frozen=True):
    """A half-open interval of time; None is unbounded."""

    start: UnixMs | None = None
    end: UnixMs | None = None


ALWAYS = Window()


class WeightRow(Record, frozen=True):
    """Ranks an offer; an offer takes the highest of the rows that match it.

    A number is at least 0, and 0 means that the row is ignored; a string is a CEL
    formula. `spaces` limits the row to some spaces; empty means all.
    """

    weight: float | str
    label: str = ""
    window: Window = ALWAYS
    spaces: tuple[str, ...] = ()
    rule: str | None = None


class Multiplier(Record, frozen=True):
    """A factor above 0 on the weights of a category's offers, inside its window."""

    factor: float
    window: Window = ALWAYS


class Category(Record, frozen=True):
    """A node of the catalog tree; what it says holds for its whole subtree."""

    name: str
    label: str = ""
    parent: str | None = None
    enabled: bool = True
    window: Window = ALWAYS
    themes: tuple[str, ...] = ()
    rule: str | None = None
    multiplier: Multiplier | None = None
    weights: tuple[WeightRow, ...] = ()
    #: Its offers are candidates whatever categories or themes a call asks for.
    always_included: bool = False


class Offer(Record, frozen=True):
    """One thing that can be proposed."""

    name: str
    label: str
    category: str
    enabled: bool = True
    window: Window = ALWAYS
    rule: str | None = None
    weights: tuple[WeightRow, ...] = ()
    #: The spaces that it is approved for; it is proposed nowhere else.
    spaces: tuple[str, ...] = ()
    #: Content field -> text. A space shows those that it declares.
    content: dict[str, str] = {}
    #: Space -> texts of fields that it shows in place of those in `content`; an empty
    #: one shows nothing.
    space_content: dict[str, dict[str, str]] = {}
    #: Facts that relate it to other offers, such as `product_line: travel`.
    attributes: dict[str, str] = {}

    def content_in(self, space: str) -> dict[str, str]:
        """The texts that a space chooses its fields from."""
        own = self.space_content.get(space)
        return self.content if own is None else {**self.content, **own}


class EnvironmentSource(StrEnum):
    """Where an environment's published revisions come from."""

    #: What is approved of the design records.
    RECORDS = "records"
    #: Files and artifacts.
    ARTIFACT = "artifact"


class ContentField(Record, frozen=True):
    """One field of an offer's content that a space shows."""

    name: str
    #: An offer without it is left out of this space.
    required: bool = False
    description: str = ""


class StoredExpression(Record, frozen=True):
    """A CEL expression over contact, context and `proposition`, kept by its name."""

    name: str
    expression: str


class Rendering(Record, frozen=True):
    """What a space shows of an offer, in one of three forms: `compiler.templates`."""

    html: str | None = None
    text: str | None = None
    #: Mappings and lists of texts, numbers, truths and nulls.
    json: Any = None


class Space(Record, frozen=True):
    """A place on a channel where offers appear."""

    name: str
    channel: Channel
    label: str = ""
    fields: tuple[ContentField, ...] = ()
    #: None shows the content alone.
    rendering: Rendering | None = None
    #: Templates of what to open when the contact accepts, and when it only looks;
    #: empty is nothing.
    acceptance_url: str = ""
    click_url: str = ""
    #: Shown when nothing is eligible.
    default_content: str = ""
    #: Used when a call names neither categories nor themes.
    default_categories: tuple[str, ...] = ()
    default_themes: tuple[str, ...] = ()
    #: In the anonymous environment: decides for whom this one cannot identify.
    anonymous_space: str | None = None
    #: Whether a visitor id stands for the contact that it was bound to.
    implicit_identification: bool = False
    #: Whether a recorded call with both ids binds the visitor to the contact.
    binds_visitors: bool = False
    #: False stores nothing; presentation rules then see nothing of it.
    recording: bool = True
    #: Of new propositions: `presented` where whoever asks shows what it gets.
    proposition_status: StatusName = StatusName.GENERATED
    #: What opening the acceptance URL means.
    acceptance_status: StatusName = StatusName.ACCEPTED
    #: Kept with each new proposition.
    stored_on_proposition: tuple[StoredExpression, ...] = ()
    #: Kept with a proposition when it is accepted or rejected.
    stored_on_acceptance: tuple[StoredExpression, ...] = ()


class PresentationRule(Record, frozen=True):
    """Excludes offers once a contact has had `maximum` counted propositions.

    Propositions count when their event time lies in `[t - period, t + period]`, t
    being the time of the decision. The rule's scope is the offers it names and those
    of the categories it names, subtrees included; none named is all of them.
    """

    name: str
    maximum: int
    #: None counts for ever.
    period_ms: int | None
    #: How long offers rest once the maximum is full; counting then begins anew.
    rest_ms: int | None = None
    label: str = ""
    active: bool = True
    #: None applies on every channel.
    channel: Channel | None = None
    offers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    counted: Counted = Counted.ALL_OFFERS
    counted_status: CountedStatus = CountedStatus.ANY
    counted_from: CountedFrom = CountedFrom.PROPOSITION
    #: Of offers; with `same_attribute` only. A candidate without it is not excluded.
    attribute: str | None = None
    same_channel: bool = False
    #: The contacts it concerns; None is everybody.
    rule: str | None = None
    #: A condition on `proposition`: those that count; None is all of them.
    counted_rule: str | None = None


class Typology(Record, frozen=True):
    """A named group of presentation rules."""

    name: str
    rules: tuple[str, ...]
    label: str = ""


class Quota(Record, frozen=True):
    """At most `limit` propositions in each period, over all contacts together.

    They are those of the offers it names and of the categories it names, subtrees
    included, in one counter; none named is all offers.
    """

    name: str
    limit: int
    period: QuotaPeriod
    #: IANA name of the zone in which periods begin; None is the environment's.
    time_zone: str | None = None
    label: str = ""
    offers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    active: bool = True
    on_failure: OnFailure = OnFailure.CLOSED
    #: With `fall_back` only: allowed in the period besides what was lost count of.
    fallback_limit: int | None = None


class Environment(Record, frozen=True):
    """A catalog for one targeting dimension, with its spaces and rules."""

    name: str
    label: str = ""
    targeting_dimension: Literal["recipient", "visitor"] | str = "recipient"
    #: The environment of a call that names none; at most one is.
    default: bool = False
    #: Its contacts are visitors; a call without any id is given a visitor id.
    anonymous: bool = False
    #: Where spaces that name an `anonymous_space` find it.
    anonymous_environment: str | None = None
    #: None is either: the design as it is, or what is pushed.
    source: EnvironmentSource | None = None
    #: Whether nobody approves what they edited or submitted themselves.
    forbids_own_approval: bool = False
    #: Whether a contact id without a profile, which is else empty, is nobody's.
    requires_profile: bool = False
    #: IANA name; dates without a zone are read in it.
    time_zone: str = "UTC"
    contact_attributes: tuple[Attribute, ...] = ()
    context_attributes: tuple[Attribute, ...] = ()
    rule: str | None = None
    weights: tuple[WeightRow, ...] = ()
    segments: tuple[Segment, ...] = ()
    categories: tuple[Category, ...] = ()
    offers: tuple[Offer, ...] = ()
    spaces: tuple[Space, ...] = ()
    presentation_rules: tuple[PresentationRule, ...] = ()
    typologies: tuple[Typology, ...] = ()
    #: The typology whose rules hold here; None is no rule.
    typology: str | None = None
    quotas: tuple[Quota, ...] = ()
    golden_decisions: tuple[GoldenDecision, ...] = ()


class Catalog(Record, frozen=True):
    """Everything that is published together."""

    environments: tuple[Environment, ...]


def resource_name(environment: str, kind: str = "", name: str = "") -> str:
    """`environments/<environment>[/<kind>/<name>]`, the name that history keeps.

    A kind is the field of Environment that holds such records, such as `offers`.
    """
    own = f"environments/{environment}"
    return f"{own}/{kind}/{name}" if kind else own
