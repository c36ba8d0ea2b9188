"""What the supervisor knows, for Prometheus: the disk, and its processes."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server.recording_state import POSSIBLE
from server.shared_page import (
    MAP_FREE_BYTES,
    RECORDING,
    RESTARTS,
    WATCHDOG_KILLS,
    SharedPage,
)


class ServerNumbers(Collector):
    """Reads the page when somebody asks."""

    def __init__(self, page: SharedPage) -> None:
        self._cells = page.cells

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "propono_recording_possible",
            "1, or 0 while recorded calls are refused for want of room.",
            value=int(self._cells[RECORDING] == POSSIBLE),
        )
        yield GaugeMetricFamily(
            "propono_map_free_bytes",
            "What the history's file may still grow by, as it is mapped.",
            value=self._cells[MAP_FREE_BYTES],
        )
        yield CounterMetricFamily(
            "propono_process_restarts",
            "Processes that ended by themselves and were started again.",
            value=self._cells[RESTARTS],
        )
        yield CounterMetricFamily(
            "propono_watchdog_kills",
            "Processes that were stopped inside a write transaction, and killed.",
            value=self._cells[WATCHDOG_KILLS],
        )
