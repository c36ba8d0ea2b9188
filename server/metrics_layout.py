"""What is counted, and where it stands among the slots of a process.

A slot is 8 bytes: a whole number, or the float of a histogram's sum.

    0                which layout this is
    1                number of the process that counts here; 0 once it has ended
    2                the revision that it decides with
    from 3           counters: a slot for each series
    behind them      histograms: of each series whether it is shown, buckets, the sum

All series have their place before anything is counted, so that counting is adding to a
slot, and a process that takes the place of another goes on with its slots.
"""

from collections.abc import Iterable
from itertools import product
from typing import Final, Literal, NamedTuple, TypeAlias
from zlib import crc32

from server.access.permissions import PERMISSIONS
from server.engine.decision import Shortfall

MARK, PID, REVISION = 0, 1, 2

#: Upper bounds of latencies, in seconds.
BUCKETS: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02),
    *(0.05, 0.1, 0.25, 1.0, 5.0),
)
#: By gRPC's names.
CODES: Final = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED"),
    *("NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"),
    *("FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL"),
    *("UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
#: What methods count as that nobody may call.
OTHER: Final = "other"
METHODS: Final = (*sorted({path.rpartition("/")[2] for path in PERMISSIONS}), OTHER)
#: Why a call is not begun.
Refusal: TypeAlias = Literal["LOW_DISK", "OVERLOADED", "RATE_LIMITED"]
REFUSALS: Final[tuple[Refusal, ...]] = ("LOW_DISK", "OVERLOADED", "RATE_LIMITED")


class Metric(NamedTuple):
    """A counter, or a histogram: a number, or a few, for each of its series."""

    name: str
    meaning: str
    #: The first slot of the first series; the others follow.
    slot: int
    #: Slots of one series.
    size: int
    labels: tuple[str, ...]
    #: Values of the labels.
    series: tuple[tuple[str, ...], ...]

    @property
    def end(self) -> int:
        return self.slot + self.size * len(self.series)

    def slot_of(self, *values: str) -> int:
        """The first slot of a series; raises ValueError when there is none such."""
        return self.slot + self.size * self.series.index(values)


#: Of one series of a histogram: whether it is shown, buckets, sum.
SHOWN, FIRST_BUCKET, SUM = 0, 1, len(BUCKETS) + 2

#: In the order of their slots.
METRICS: list[Metric] = []


def _metric(
    name: str,
    meaning: str,
    labels: tuple[str, ...] = (),
    series: Iterable[tuple[str, ...]] = ((),),
    size: int = 1,
) -> Metric:
    slot = METRICS[-1].end if METRICS else REVISION + 1
    METRICS.append(Metric(name, meaning, slot, size, labels, tuple(series)))
    return METRICS[-1]


def _each(values: Iterable[str]) -> list[tuple[str, ...]]:
    return [(value,) for value in values]


CALLS = _metric(
    "propono_calls",
    "Calls answered, by method and gRPC code.",
    ("method", "code"),
    product(METHODS, CODES),
)
PROPOSITIONS = _metric("propono_propositions", "Propositions answered.")
SHORT_SPACES = _metric(
    "propono_short_spaces",
    "Spaces with fewer propositions than asked for, by reason.",
    ("reason",),
    _each(one.value for one in Shortfall if one is not Shortfall.NONE),
)
RAISED = _metric(
    "propono_conditions_raised",
    "Conditions and formulas that had no answer where they were evaluated.",
)
ABSENT = _metric(
    "propono_absent_attributes",
    "Declared attributes that contacts did not have, once a call and attribute.",
)
NOT_RENDERED = _metric(
    "propono_not_rendered",
    "Offers left out because they could not be rendered for the contact.",
)
QUOTA_EXCLUSIONS = _metric(
    "propono_quota_exclusions",
    "Times that an offer was left out because one of its quotas had none left.",
)
RETRIES = _metric(
    "propono_retries", "Requests answered again with what was kept under their id."
)
REFUSED = _metric(
    "propono_calls_refused",
    "Calls that were not begun, to be sent again later, by the reason told.",
    ("reason",),
    _each(REFUSALS),
)
CALL_SECONDS = _metric(
    "propono_call_seconds",
    "From a request's bytes to its answer's, waiting for the disk included.",
    ("method",),
    _each(METHODS),
    SUM + 1,
)
TRANSACTION_SECONDS = _metric(
    "propono_transaction_seconds",
    "Recorded decisions and updates: waiting for the writer, the work, the disk.",
    size=SUM + 1,
)

SLOTS: Final = METRICS[-1].end
#: What a process of another version of this module would not write.
LAYOUT: Final = crc32(repr(METRICS).encode())
