"""`propono serve`: one supervisor, N decision workers, an admin process and a keeper.

The supervisor holds the data folder and the decision port; it decides nothing itself.
A process that ends is started again. SIGTERM and Ctrl-C drain: workers finish the
calls they have, and then everything stops.
"""

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from catalog_store.revisions import Revisions
from catalog_store.signal_page import PLACES
from server.addresses import CannotServe, is_loopback, split_address
from server.data_folder import DataFolder
from server.metrics import FOLDER_VARIABLE, process_ended
from server.process_options import ProcessOptions

#: Workers of one server.
WORKERS_MAX = PLACES
#: Time for a process to say that it listens; loading is included.
READY_SECONDS = 60.0
#: Time for a process to end after SIGTERM before it is killed.
STOP_SECONDS = 10.0
#: Wait before a process that ended is started again, doubled at each quick end.
RESTART_SECONDS = 0.1
RESTART_SECONDS_MAX = 5.0

_log = logging.getLogger(__name__)


class ServeOptions(NamedTuple):
    """What `propono serve` was asked for."""

    data: DataFolder
    workers: int
    listen: str
    admin_listen: str
    metrics_listen: str
    #: The share of contacts whose decisions can be replayed.
    kept_share: float
    #: How long propositions are kept after their last change.
    retention_days: int


class Serving(NamedTuple):
    """Where the server listens once it is up."""

    decisions: str
    admin: str
    metrics: str


async def serve(
    options: ServeOptions, stop: asyncio.Event, ready: Callable[[Serving], None]
) -> None:
    """Serve until `stop` is set; raises CannotServe and FolderInUse."""
    options.data.create()
    options.data.lock()
    options.data.admin_token()
    _empty(options.data.metrics)
    # Those of a server that was killed may be other processes by now.
    Revisions(options.data.catalog).signal().forget_workers()
    with reserve(options.listen) as reserved:
        host, _ = split_address(options.listen)
        decisions = f"{host}:{reserved.getsockname()[1]}"
        _check_free(options.admin_listen)
        _check_free(options.metrics_listen)
        children = [
            _Child("admin", options.admin_listen, options),
            # It has no port.
            _Child("keeper", options.admin_listen, options),
        ]
        children += [
            _Child("worker", decisions, options, place)
            for place in range(options.workers)
        ]
        try:
            ports = await asyncio.gather(*(child.start() for child in children))
            admin_host, _ = split_address(options.admin_listen)
            metrics_host, _ = split_address(options.metrics_listen)
            admin_port, metrics_port = ports[0]
            ready(
                Serving(
                    decisions,
                    f"{admin_host}:{admin_port}",
                    f"{metrics_host}:{metrics_port}",
                )
            )
            keepers = [asyncio.create_task(child.keep_up()) for child in children]
            await stop.wait()
            for keeper in keepers:
                keeper.cancel()
        finally:
            await asyncio.gather(*(child.stop() for child in children))


def reserve(address: str) -> socket.socket:
    """A socket that keeps the port for our workers; it never accepts.

    Bound first without SO_REUSEPORT, so that a second server fails here instead of
    taking half of the first one's connections.
    """
    _check_free(address)
    host, port = split_address(address)
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    reserved = socket.socket(family, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind((host.strip("[]"), port))
    return reserved


def _empty(folder: Path) -> None:
    """A folder for what this server's processes count."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)


def _check_free(address: str) -> None:
    host, port = split_address(address)
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Only connections of a server that has ended may still hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
            probe.listen(1)
        except OSError as error:
            raise CannotServe(
                f"cannot listen on {address}: {error.strerror}; stop what does, or"
                " choose another port"
            ) from None


class _Child:
    """One process, started again when it ends by itself."""

    def __init__(
        self, kind: str, listen: str, options: ServeOptions, place: int = 0
    ) -> None:
        self._kind = kind
        self._metrics = options.data.metrics
        self._options = ProcessOptions(
            data=str(options.data.root),
            listen=listen,
            reflection=is_loopback(listen),
            kept_share=options.kept_share,
            retention_days=options.retention_days,
            metrics_listen=options.metrics_listen,
            place=place,
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> list[int]:
        """Start, wait until it listens, and return its ports."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.process",
            self._kind,
            msgspec.json.encode(self._options).decode(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, FOLDER_VARIABLE: str(self._metrics)},
        )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_SECONDS):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line.startswith(b"ready "):
            await self.stop()
            raise CannotServe(f"the {self._kind} process did not start; see its log")
        return [int(word) for word in line.split()[1:]]

    async def keep_up(self) -> None:
        """Start the process again whenever it ends, for ever."""
        delay = RESTART_SECONDS
        while True:
            assert self._process is not None
            started = time.monotonic()
            status = await self._process.wait()
            _log.error("the %s process ended with %s", self._kind, status)
            process_ended(self._metrics, self._process.pid)
            if time.monotonic() - started > RESTART_SECONDS_MAX:
                delay = RESTART_SECONDS
            await asyncio.sleep(delay)
            delay = min(2 * delay, RESTART_SECONDS_MAX)
            with suppress(CannotServe):
                await self.start()

    async def stop(self) -> None:
        """Let it drain, then end it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
