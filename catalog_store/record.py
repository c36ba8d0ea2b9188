"""What every record of a catalog is made of."""

from enum import StrEnum
from typing import NewType

import msgspec

UnixMs = NewType("UnixMs", int)


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every record has; records are values and never change in place."""


class StatusName(StrEnum):
    """What became of a proposition, as catalogs write it."""

    GENERATED = "generated"
    PRESENTED = "presented"
    INTERESTED = "interested"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
