"""What was measured as lines of tables, with ratios."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.peers.in_process import MATCH, PLAIN_LOOP, Measured
from bench.peers.load import Rate
from bench.peers.propono import CALL
from bench.peers.same_stack import KINDS
from bench.peers.served import IN_FLIGHT, Served

#: The lines that others are compared with; both get the attributes from the call.
_OURS, _LOOP = CALL, KINDS["loop"]


def in_process(lines: Sequence[Measured]) -> Iterator[dict[str, object]]:
    """Microseconds, and how many times those of Propono and of the plain loop."""
    p50_us = {line.what: line.times.p50_us for line in lines}
    for line in lines:
        yield {
            "what": line.what,
            "setup s": round(line.setup_seconds, 3),
            "p50 us": line.times.p50_us,
            "p99 us": line.times.p99_us,
            "x propono": line.times.p50_us / p50_us[MATCH],
            "x loop": line.times.p50_us / p50_us[PLAIN_LOOP],
        }


def served(lines: Sequence[Served]) -> Iterator[dict[str, object]]:
    """Medians over the runs; ratios are of answers a second, with many in flight."""
    rates = {line.what: _median(line.full, "answers") for line in lines}
    for line in lines:
        rate = rates[line.what]
        seen = [one.answers for one in line.full]
        yield {
            "what": line.what,
            "setup s": round(line.setup_seconds, 1),
            "MB": round(line.memory_mb),
            "1: p50 ms": _median(line.alone, "p50_ms"),
            "p99": _median(line.alone, "p99_ms"),
            f"{IN_FLIGHT}: calls/s": rate,
            "+- %": round((max(seen) - min(seen)) / rate * 50),
            "p50 ms": _median(line.full, "p50_ms"),
            "p99 ms": _median(line.full, "p99_ms"),
            "CPU us": round(line.cpu_us),
            "x propono": rate / rates[_OURS],
            "x loop": rate / rates[_LOOP],
            "errors": sum(one.errors for one in (*line.alone, *line.full)),
        }


def _median(rates: Sequence[Rate], figure: str) -> float:
    return median(getattr(rate, figure) for rate in rates)
