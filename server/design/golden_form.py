"""How a golden decision stands in its message, and the kinds of fields it alone has."""

from typing import Any, NamedTuple

from catalog_store.golden_decisions import (
    GoldenDecision,
    GoldenSpace,
    PastProposition,
)
from catalog_store.records import StatusName
from server.design.fields import (
    Form,
    Found,
    Many,
    Optional,
    Plain,
    Texts,
    Word,
    unix_ms,
)
from server.design.structures import structure
from server.requests import Violation
from server.translation import timestamp
from server.wire import decision_pb2


class Moment(NamedTuple):
    """A moment that is required."""

    name: str
    record: str

    def read(self, message: Any, path: str, found: Found) -> object:
        if not message.HasField(self.name):
            found.append(Violation(path, "is required: send a time"))
            return 0
        return unix_ms(getattr(message, self.name), path, found)

    def write(self, message: Any, value: Any) -> None:
        getattr(message, self.name).CopyFrom(timestamp(value))


class Values(NamedTuple):
    """Values by the names of attributes."""

    name: str

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        return structure(getattr(message, self.name).fields, path, found)

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        if value:
            getattr(message, self.name).update(value)


class Places(NamedTuple):
    """Offers in an order, some of which share their places."""

    name: str

    @property
    def record(self) -> str:
        return self.name

    def read(self, message: Any, path: str, found: Found) -> object:
        return tuple(tuple(one.offers) for one in getattr(message, self.name))

    def write(self, message: Any, value: Any) -> None:
        message.ClearField(self.name)
        for offers in value:
            getattr(message, self.name).add(offers=offers)


_SPACE = Form(
    GoldenSpace,
    (
        Plain("name"),
        Places("expected"),
        Texts("absent"),
        Optional("max_propositions"),
        Texts("categories"),
        Texts("themes"),
    ),
)
_PAST = Form(
    PastProposition,
    (
        Plain("offer"),
        Plain("space"),
        Moment("event_time", "at"),
        Word(
            "status",
            decision_pb2.PropositionStatus.DESCRIPTOR,
            StatusName,
            "PROPOSITION_STATUS_",
            StatusName.PRESENTED,
        ),
    ),
)
GOLDEN_DECISION = Form(
    GoldenDecision,
    (
        Plain("label"),
        Many("spaces", _SPACE),
        Moment("decide_time", "decided_at"),
        Values("contact"),
        Values("context"),
        Many("past", _PAST),
    ),
)
