"""What was counted, as Prometheus would be told."""

from collections.abc import Sequence

from server import metrics
from server.metrics_files import Slots
from server.metrics_page import counted


def numbers_of(processes: Sequence[Slots]) -> dict[str, float]:
    """By name and labels, such as `propono_calls_total code=OK method=Propose`."""
    return {
        sample.name + "".join(f" {k}={v}" for k, v in sorted(sample.labels.items())): (
            sample.value
        )
        for family in counted(processes)
        for sample in family.samples
    }


def counted_here() -> dict[str, float]:
    """By this process, which has no place of its own."""
    return numbers_of([metrics.HERE])
