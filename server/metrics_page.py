"""What all processes counted, for Prometheus, as it stands when somebody asks."""

import shutil
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from server.metrics_files import Slots, read_all
from server.metrics_layout import (
    BUCKETS,
    CALL_SECONDS,
    CALLS,
    FIRST_BUCKET,
    METRICS,
    PID,
    REFUSED,
    REVISION,
    SHOWN,
    SUM,
    TRANSACTION_SECONDS,
    Metric,
)

_BOUNDS = (*(str(bound) for bound in BUCKETS), "+Inf")


def registry(folder: Path, data: Path) -> CollectorRegistry:
    """The numbers of all processes, and those of the machine when they are asked for.

    `folder` holds the processes' slots, and `data` is the data folder.
    """
    found = CollectorRegistry()
    found.register(_Processes(folder))
    found.register(_Disk(data))
    return found


class _Processes(Collector):
    """What the processes of a folder counted, those that have ended included."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Family]:
        return counted(read_all(self._folder))


def counted(processes: Sequence[Slots]) -> Iterator[Family]:
    """The sum over processes, and the revision of each that lives."""
    yield _revisions(processes)
    numbers = [sum(slot) for slot in zip(*(p.numbers for p in processes), strict=True)]
    if not numbers:
        return
    for metric in METRICS:
        if metric.size == 1:
            family = _counter(metric, numbers)
        else:
            family = _histogram(metric, numbers, processes)
        if family.samples:
            yield family


def _revisions(processes: Sequence[Slots]) -> Family:
    family = GaugeMetricFamily(
        "propono_revision",
        "Number of the revision that a process decides with.",
        labels=("pid",),
    )
    for process in processes:
        pid, revision = process.numbers[PID], process.numbers[REVISION]
        if pid:
            family.add_metric((str(pid),), revision)
    return family


def _counter(metric: Metric, numbers: Sequence[int]) -> Family:
    family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for slot, values in enumerate(metric.series, metric.slot):
        if numbers[slot] or _is_shown_at_zero(metric, values, numbers):
            family.add_metric(values, numbers[slot])
    return family


def _is_shown_at_zero(
    metric: Metric, values: tuple[str, ...], numbers: Sequence[int]
) -> bool:
    """Whether a series is there before its first count: few are, of methods."""
    if metric is not CALLS:
        return metric is not REFUSED
    method, code = values
    return code == "OK" and bool(numbers[CALL_SECONDS.slot_of(method) + SHOWN])


def _histogram(
    metric: Metric, numbers: Sequence[int], processes: Sequence[Slots]
) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for index, values in enumerate(metric.series):
        slot = metric.slot + metric.size * index
        if metric is TRANSACTION_SECONDS or numbers[slot + SHOWN]:
            counts = accumulate(numbers[slot + FIRST_BUCKET : slot + SUM])
            buckets = list(zip(_BOUNDS, counts, strict=True))
            family.add_metric(
                values, buckets, sum(p.sums[slot + SUM] for p in processes)
            )
    return family


class _Disk(Collector):
    """What is left of the disk that the data folder is on."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def collect(self) -> Iterator[Family]:
        free = shutil.disk_usage(self._data).free
        yield GaugeMetricFamily(
            "propono_disk_free_bytes", "Left for the data folder.", value=free
        )
