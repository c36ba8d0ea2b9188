"""How each noun stands in its message: one line a field."""

from catalog_store.counting import (
    Counted,
    CountedFrom,
    CountedStatus,
    QuotaPeriod,
)
from catalog_store.design_records import Zone
from catalog_store.records import (
    Attribute,
    AttributeType,
    Category,
    Channel,
    ContentField,
    Environment,
    EnvironmentSource,
    Multiplier,
    Offer,
    PresentationRule,
    Quota,
    Segment,
    Space,
    StatusName,
    StoredExpression,
    Typology,
    WeightRow,
)
from server.design.content_fields import TextsBySpace
from server.design.fields import (
    Bound,
    Form,
    Many,
    Named,
    One,
    OnFailureOf,
    Opposite,
    Optional,
    Period,
    Plain,
    Shown,
    Span,
    Texts,
    Weight,
    Word,
)
from server.wire import catalog_pb2, decision_pb2, limits_pb2

_CHANNELS = catalog_pb2.Channel.DESCRIPTOR
_STATUSES = decision_pb2.PropositionStatus.DESCRIPTOR

_ATTRIBUTE = Form(
    Attribute,
    (
        Plain("name"),
        Word(
            "type",
            catalog_pb2.AttributeType.DESCRIPTOR,
            AttributeType,
            "ATTRIBUTE_TYPE_",
            required=True,
        ),
        Plain("description"),
        Plain("required"),
        Bound("minimum"),
        Bound("maximum"),
    ),
)
_ROW = Form(
    WeightRow,
    (Weight(), Plain("label"), Span(), Texts("spaces"), Optional("rule")),
)
_MULTIPLIER = Form(Multiplier, (Plain("factor"), Span()))
_CONTENT_FIELD = Form(
    ContentField, (Plain("name"), Plain("required"), Plain("description"))
)
_STORED = Form(StoredExpression, (Plain("name"), Plain("expression")))

ENVIRONMENT = Form(
    Environment,
    (
        Plain("label"),
        Plain("targeting_dimension", "recipient"),
        Plain("default"),
        Plain("anonymous"),
        Optional("anonymous_environment"),
        Plain("time_zone", "UTC"),
        Many("contact_attributes", _ATTRIBUTE),
        Many("context_attributes", _ATTRIBUTE),
        Optional("rule"),
        Many("weights", _ROW),
        Optional("typology"),
        Plain("requires_profile"),
        Word(
            "source",
            catalog_pb2.EnvironmentSource.DESCRIPTOR,
            EnvironmentSource,
            "ENVIRONMENT_SOURCE_",
        ),
        Plain("forbids_own_approval"),
    ),
)
CATEGORY = Form(
    Category,
    (
        Plain("label"),
        Optional("parent"),
        Opposite("disabled", "enabled"),
        Span(),
        Texts("themes"),
        Optional("rule"),
        One("multiplier", _MULTIPLIER),
        Many("weights", _ROW),
        Plain("always_included"),
    ),
)
OFFER = Form(
    Offer,
    (
        Plain("label"),
        Plain("category"),
        Opposite("disabled", "enabled"),
        Span(),
        Optional("rule"),
        Many("weights", _ROW),
        Texts("spaces"),
        Named("content"),
        TextsBySpace(),
        Named("attributes"),
    ),
)
SPACE = Form(
    Space,
    (
        Plain("label"),
        Word("channel", _CHANNELS, Channel, "CHANNEL_", required=True),
        Many("fields", _CONTENT_FIELD),
        Plain("default_content"),
        Texts("default_categories"),
        Texts("default_themes"),
        Optional("anonymous_space"),
        Opposite("recording_disabled", "recording"),
        Plain("implicit_identification"),
        Plain("binds_visitors"),
        Word(
            "proposition_status",
            _STATUSES,
            StatusName,
            "PROPOSITION_STATUS_",
            StatusName.GENERATED,
        ),
        Word(
            "acceptance_status",
            _STATUSES,
            StatusName,
            "PROPOSITION_STATUS_",
            StatusName.ACCEPTED,
        ),
        Shown(),
        Plain("acceptance_url"),
        Plain("click_url"),
        Many("stored_on_proposition", _STORED),
        Many("stored_on_acceptance", _STORED),
    ),
)
SEGMENT = Form(Segment, (Plain("label"), Plain("rule")))
ZONE = Form(Zone, (Plain("label"), Texts("spaces")))
PRESENTATION_RULE = Form(
    PresentationRule,
    (
        Plain("label"),
        Opposite("inactive", "active"),
        Word("channel", _CHANNELS, Channel, "CHANNEL_"),
        Texts("offers"),
        Texts("categories"),
        Period("period"),
        Plain("maximum"),
        Word(
            "counted",
            limits_pb2.Counted.DESCRIPTOR,
            Counted,
            "COUNTED_",
            Counted.ALL_OFFERS,
        ),
        Word(
            "counted_status",
            limits_pb2.CountedStatus.DESCRIPTOR,
            CountedStatus,
            "COUNTED_STATUS_",
            CountedStatus.ANY,
        ),
        Plain("same_channel"),
        Optional("rule"),
        Word(
            "counted_from",
            limits_pb2.CountedFrom.DESCRIPTOR,
            CountedFrom,
            "COUNTED_FROM_",
            CountedFrom.PROPOSITION,
        ),
        Optional("attribute"),
        Period("rest"),
        Optional("counted_rule"),
    ),
)
TYPOLOGY = Form(Typology, (Plain("label"), Texts("rules")))
QUOTA = Form(
    Quota,
    (
        Plain("label"),
        Texts("offers"),
        Texts("categories"),
        Plain("limit"),
        Word(
            "period",
            limits_pb2.QuotaPeriod.DESCRIPTOR,
            QuotaPeriod,
            "QUOTA_PERIOD_",
            required=True,
        ),
        Optional("time_zone"),
        Opposite("inactive", "active"),
        OnFailureOf(),
        Optional("fallback_limit"),
    ),
)
