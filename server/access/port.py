"""One port as its options say: what it asks of callers, and what is audited."""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

from server.access.gate import Gate, GateRules
from server.access.guard import guarded
from server.access.rate_limits import RateLimiter, RateLimits
from server.addresses import is_loopback
from server.audit.calls import AuditedCalls
from server.audit.log import AuditLog
from server.metrics import CallMetrics, count_refusal
from server.process_options import ProcessOptions
from server.transport import Handlers


class GuardedPort(NamedTuple):
    """The services of a port behind its gate, and what came to it."""

    services: list[Handlers]
    audited: AuditedCalls


def guarded_port(
    options: ProcessOptions,
    services: Iterable[Handlers],
    limits: RateLimits | None = None,
) -> GuardedPort:
    """Raises AccessError. When the port is closed, `audited` must be closed too.

    Without `limits`, callers may call as often as they like.
    """
    is_local = is_loopback(options.listen)
    knows_clients = options.tls is not None and options.tls.client_ca is not None
    rules = GateRules(
        is_required=options.auth_required or knows_clients or not is_local,
        admin_token=options.folder.admin_token() if is_local else None,
    )
    gate = Gate(options.folder.access, rules, _now_ms, time.monotonic)
    audited = _CountedCalls(
        AuditLog(options.folder.audit, _now_ms), asyncio.get_running_loop().call_later
    )
    limiter = limits and RateLimiter(
        limits, time.monotonic, lambda: count_refusal("RATE_LIMITED")
    )
    return GuardedPort(guarded(services, gate, audited, limiter), audited)


class _CountedCalls(AuditedCalls):
    """Refusals are in the metrics as well."""

    async def refused(
        self, method: str, code: str, error: Exception, peer: str
    ) -> None:
        CallMetrics(method.rpartition("/")[2]).observe(code, 0.0)
        await super().refused(method, code, error, peer)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
