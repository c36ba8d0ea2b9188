"""Serves /metrics over HTTP, from a thread of the admin process."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import start_http_server

from server.metrics import registry


@contextmanager
def metrics_served(host: str, port: int, folder: Path, data: Path) -> Generator[int]:
    """Serve what the processes count in a folder until the block ends; the port.

    Raises OSError when it cannot listen there.
    """
    server, thread = start_http_server(port, host, registry(folder, data))
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
