"""Times of single calls, what machine they were taken on, and tables of them."""

import gc
import json
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from server.build_kind import build_kind
from server.cli.output import print_table

Asked = TypeVar("Asked")


class Times(NamedTuple):
    """Microseconds of one call each."""

    p50_us: float
    p99_us: float
    min_us: float
    calls: int

    @classmethod
    def of(
        cls, ask: Callable[[Asked], object], asked: Sequence[Asked], seconds: float
    ) -> "Times":
        """Ask in turn for about so long, and each at least once.

        What exists already is frozen out of the garbage collector's sight, as a worker
        does after loading; the collector stays on.
        """
        gc.collect()
        gc.freeze()
        clock = time.perf_counter_ns
        samples: list[int] = []
        stop = clock() + int(seconds * 1e9)
        try:
            while True:
                for one in asked:
                    start = clock()
                    ask(one)
                    samples.append(clock() - start)
                if clock() >= stop:
                    break
        finally:
            gc.unfreeze()
        samples.sort()
        return cls(
            samples[len(samples) // 2] / 1_000,
            samples[min(len(samples) - 1, len(samples) * 99 // 100)] / 1_000,
            samples[0] / 1_000,
            len(samples),
        )


def machine() -> dict[str, object]:
    """What the figures are of."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "code": build_kind(),
    }


def memory_mb() -> dict[str, float]:
    """Resident memory of this process, now and at its highest, in MB of 10^6 bytes."""
    status = Path("/proc/self/status").read_text()
    found = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return {
        name: int(found[field].split()[0]) * 1_024 / 1e6
        for name, field in (("rss_mb", "VmRSS"), ("peak_mb", "VmHWM"))
    }


def report(title: str, results: Sequence[Mapping[str, object]], output: str) -> None:
    """Print results that all have the same keys, as a table or as JSON."""
    about = machine()
    if output == "json":
        print(json.dumps({"machine": about, "title": title, "results": results}))
        return
    heading = ", ".join(f"{value} {name}" for name, value in about.items())
    columns = {name: "" if name == "what" else "right" for name in results[0]}
    rows = [[shown(value) for value in result.values()] for result in results]
    print_table(columns, rows, title=f"{title} ({heading})")


def shown(value: object) -> str:
    """A figure as people read it."""
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
