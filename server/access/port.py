"""One port as its options say: what it asks of callers."""

import time
from collections.abc import Iterable

from server.access.gate import Gate, GateRules
from server.access.guard import guarded
from server.addresses import is_loopback
from server.metrics import CallMetrics
from server.process_options import ProcessOptions
from server.transport import Handlers


def guarded_services(
    options: ProcessOptions, services: Iterable[Handlers]
) -> list[Handlers]:
    """The services of a port, behind its gate; raises AccessError."""
    is_local = is_loopback(options.listen)
    knows_clients = options.tls is not None and options.tls.client_ca is not None
    rules = GateRules(
        is_required=options.auth_required or knows_clients or not is_local,
        admin_token=options.folder.admin_token() if is_local else None,
    )
    gate = Gate(
        options.folder.access,
        rules,
        lambda: time.time_ns() // 1_000_000,
        time.monotonic,
    )
    return guarded(services, gate, _count_refusal)


def _count_refusal(method: str, code: str) -> None:
    CallMetrics(method.rpartition("/")[2]).observe(code, 0.0)
