"""The nouns that can be edited: their names, their messages, and their forms.

One table; whatever is done with design records is done by it, for all of them alike.
"""

import re
from typing import Any, NamedTuple

from google.protobuf.message_factory import GetMessageClass

from catalog_store.design_records import Ref
from catalog_store.records import NAME_PATTERN
from server.design import forms
from server.design.fields import Form
from server.design.golden_form import GOLDEN_DECISION
from server.requests import InvalidRequest, Violation
from server.wire import admin_pb2


class Noun(NamedTuple):
    """One noun, in records and on the wire."""

    #: As in `catalog_store.design_records`.
    kind: str
    #: In resource names: `presentationRules`.
    collection: str
    #: Of messages: `PresentationRule`, `PresentationRules`.
    singular: str
    plural: str
    form: Form

    @property
    def field(self) -> str:
        """In requests and responses: `presentation_rule`."""
        return _snake(self.singular)

    @property
    def fields(self) -> str:
        """In responses with several: `presentation_rules`."""
        return _snake(self.plural)

    @property
    def words(self) -> str:
        """As people call one."""
        return self.field.replace("_", " ")

    def message(self) -> Any:
        """A new message of it."""
        method = admin_pb2.DESCRIPTOR.services_by_name["AdminService"].methods_by_name[
            f"Get{self.singular}"
        ]
        field = method.output_type.fields_by_name[self.field]
        assert field.message_type is not None
        return GetMessageClass(field.message_type)()

    def name_of(self, ref: Ref) -> str:
        """The resource name of one."""
        own = f"environments/{ref.environment}"
        return f"{own}/{self.collection}/{ref.name}" if self.kind else own

    def ref_of(self, name: str, field: str = "name") -> Ref:
        """What a resource name names; raises InvalidRequest."""
        parts = name.split("/")
        expected = ["environments", parts[1] if len(parts) > 1 else ""]
        if self.kind:
            expected += [self.collection, parts[3] if len(parts) > 3 else ""]
        if parts != expected or not all(map(_is_name, parts[1::2])):
            shape = "environments/<environment>"
            if self.kind:
                shape += f"/{self.collection}/<{self.field}>"
            text = f"is not a resource name such as `{shape}`"
            raise InvalidRequest([Violation(field, text)])
        return Ref(parts[1], self.kind, parts[3] if self.kind else "")


def resource_of(ref: Ref) -> str:
    """The resource name of a record, as the contract has it."""
    return NOUN_OF_KIND[ref.kind].name_of(ref)


def is_id(text: str) -> bool:
    """Whether a text can be the last segment of a name."""
    return _is_name(text)


def _is_name(text: str) -> bool:
    return re.fullmatch(NAME_PATTERN, text) is not None


def _snake(name: str) -> str:
    return re.sub("(?<!^)([A-Z])", r"_\1", name).lower()


ENVIRONMENTS = Noun(
    "", "environments", "Environment", "Environments", forms.ENVIRONMENT
)
NOUNS = (
    ENVIRONMENTS,
    Noun("categories", "categories", "Category", "Categories", forms.CATEGORY),
    Noun("offers", "offers", "Offer", "Offers", forms.OFFER),
    Noun("spaces", "spaces", "Space", "Spaces", forms.SPACE),
    Noun("segments", "segments", "Segment", "Segments", forms.SEGMENT),
    Noun("zones", "zones", "Zone", "Zones", forms.ZONE),
    Noun(
        "presentation_rules",
        "presentationRules",
        "PresentationRule",
        "PresentationRules",
        forms.PRESENTATION_RULE,
    ),
    Noun("typologies", "typologies", "Typology", "Typologies", forms.TYPOLOGY),
    Noun("quotas", "quotas", "Quota", "Quotas", forms.QUOTA),
    Noun(
        "golden_decisions",
        "goldenDecisions",
        "GoldenDecision",
        "GoldenDecisions",
        GOLDEN_DECISION,
    ),
)
NOUN_OF_KIND = {noun.kind: noun for noun in NOUNS}
NOUN_OF_FIELD = {noun.field: noun for noun in NOUNS}
