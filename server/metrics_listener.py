"""Serves /metrics over HTTP, from a thread of the admin process."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import start_http_server

from server.metrics_page import registry
from server.server_metrics import ServerNumbers
from server.shared_page import SharedPage


@contextmanager
def metrics_served(
    host: str, port: int, folder: Path, data: Path, page: SharedPage
) -> Generator[int]:
    """Serve what the processes count in a folder until the block ends; the port.

    Raises OSError when it cannot listen there.
    """
    found = registry(folder, data)
    found.register(ServerNumbers(page))
    server, thread = start_http_server(port, host, found)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
