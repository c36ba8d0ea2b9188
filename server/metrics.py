"""What a server does, in numbers, for Prometheus.

Each process counts in files that only it writes, mapped into memory, and the admin
process adds them up when somebody asks: nobody waits for anybody. `metrics_files` makes
these files, before this module is imported. Labels have fixed
values: nothing that a caller sends makes a new series. A process that finds no folder
in its environment counts for itself alone, as tests do.

PERF: a counter takes 1.8 us and a histogram 3.6 (CPython 3.11, two busy cores): some 10
us a call, of 500 and more that it takes over gRPC.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from compiler.runtime.values import MISSING
from server.engine.decision import Decision, Shortfall

#: Upper bounds of latencies, in seconds.
BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02),
    *(0.05, 0.1, 0.25, 1.0, 5.0),
)

_CALLS = Counter(
    "propono_calls", "Calls answered, by method and gRPC code.", ["method", "code"]
)
_CALL_SECONDS = Histogram(
    "propono_call_seconds",
    "From a request's bytes to its answer's, waiting for the disk included.",
    ["method"],
    buckets=BUCKETS,
)
_TRANSACTION_SECONDS = Histogram(
    "propono_transaction_seconds",
    "Recorded decisions and updates: waiting for the writer, the work, the disk.",
    buckets=BUCKETS,
)
_PROPOSITIONS = Counter("propono_propositions", "Propositions answered.")
_SHORT_SPACES = Counter(
    "propono_short_spaces",
    "Spaces with fewer propositions than asked for, by reason.",
    ["reason"],
)
_RAISED = Counter(
    "propono_conditions_raised",
    "Conditions and formulas that had no answer where they were evaluated.",
)
_ABSENT = Counter(
    "propono_absent_attributes",
    "Declared attributes that contacts did not have, once a call and attribute.",
)
_NOT_RENDERED = Counter(
    "propono_not_rendered",
    "Offers left out because they could not be rendered for the contact.",
)
_QUOTA_EXCLUSIONS = Counter(
    "propono_quota_exclusions",
    "Times that an offer was left out because one of its quotas had none left.",
)
_RETRIES = Counter(
    "propono_retries", "Requests answered again with what was kept under their id."
)
_REFUSED = Counter(
    "propono_calls_refused",
    "Calls that were not begun, to be sent again later, by the reason told.",
    ["reason"],
)
_REVISION = Gauge(
    "propono_revision",
    "Number of the revision that a process decides with.",
    multiprocess_mode="liveall",
)

# PERF: looking up a label takes 1 us, and these are few.
_short_of = {
    shortfall: _SHORT_SPACES.labels(shortfall.value)
    for shortfall in Shortfall
    if shortfall is not Shortfall.NONE
}


class CallMetrics:
    """The calls of one method."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._seconds = _CALL_SECONDS.labels(method)
        self._ok = _CALLS.labels(method, "OK")

    def observe(self, code: str, seconds: float) -> None:
        """One call that was answered with a code, by gRPC's name for it."""
        calls = self._ok if code == "OK" else _CALLS.labels(self._method, code)
        calls.inc()
        self._seconds.observe(seconds)


def count_decision(decision: Decision, contact: Iterable[object]) -> None:
    """What came of one decision, for a contact with these slots."""
    propositions = 0
    for filled in decision.spaces:
        propositions += len(filled.chosen)
        if filled.shortfall is not Shortfall.NONE:
            _short_of[filled.shortfall].inc()
        if filled.not_rendered:
            _NOT_RENDERED.inc(len(filled.not_rendered))
    if propositions:
        _PROPOSITIONS.inc(propositions)
    if decision.raised:
        _RAISED.inc(decision.raised)
    if decision.quota_exclusions:
        _QUOTA_EXCLUSIONS.inc(decision.quota_exclusions)
    # Not `count`: comparing with the sentinel raises.
    absent = sum([slot is MISSING for slot in contact])
    if absent:
        _ABSENT.inc(absent)


def count_transaction(seconds: float, *, is_retry: bool) -> None:
    """One write transaction of a call."""
    _TRANSACTION_SECONDS.observe(seconds)
    if is_retry:
        _RETRIES.inc()


def count_refusal(reason: str) -> None:
    """One call that was right in itself, and was not begun."""
    _REFUSED.labels(reason).inc()


def set_revision(number: int) -> None:
    """The revision that this process decides with from now on."""
    _REVISION.set(number)


def process_ended(folder: Path, pid: int) -> None:
    """Forget what is only true of a process that lives."""
    multiprocess.mark_process_dead(pid, str(folder))  # pyright: ignore[reportUnknownMemberType]


def registry(folder: Path, data: Path) -> CollectorRegistry:
    """The numbers of all processes, and those of the machine when they are asked for.

    `folder` holds the processes' files, and `data` is the data folder.
    """
    found = CollectorRegistry()
    multiprocess.MultiProcessCollector(found, str(folder))  # pyright: ignore[reportUnknownMemberType]
    found.register(_Disk(data))
    return found


def as_text(found: CollectorRegistry) -> str:
    """As /metrics shows it."""
    return generate_latest(found).decode()


class _Disk(Collector):
    """What is left of the disk that the data folder is on."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def collect(self) -> Iterator[Metric]:
        free = shutil.disk_usage(self._data).free
        yield GaugeMetricFamily(
            "propono_disk_free_bytes", "Left for the data folder.", value=free
        )
