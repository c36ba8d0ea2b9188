"""`propono serve`: one supervisor, N decision workers, an admin process and a keeper.

The supervisor holds the data folder and the decision port; it decides nothing itself.
A process that ends is started again. SIGTERM and Ctrl-C drain: workers finish the
calls they have, and then everything stops.
"""

import asyncio
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from catalog_store.revisions import Revisions
from catalog_store.signal_page import PLACES
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.access.rate_limits import RateLimits
from server.access.serving import ServeAccess
from server.addresses import CannotServe, is_loopback, split_address
from server.child_process import ChildProcess
from server.data_folder import DataFolder
from server.disk_watch import DiskWatch
from server.log_lines import LogFormat
from server.process_options import ProcessOptions
from server.shared_page import SharedPage
from server.watchdog import Watchdog

#: Workers of one server.
WORKERS_MAX = PLACES


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
    #: How long a client of the decision port keeps a connection.
    connection_age_seconds: float
    #: Calls in flight in one worker.
    calls_max: int
    #: Left free on the disk: nothing is recorded below it.
    reserve_bytes: int
    log_format: LogFormat
    #: What is asked of callers.
    access: ServeAccess = ServeAccess()
    #: How often one caller may call the admin port.
    admin_limits: RateLimits = RateLimits()


class Serving(NamedTuple):
    """Where the server listens once it is up."""

    decisions: str
    admin: str
    metrics: str


async def serve(
    options: ServeOptions, stop: asyncio.Event, ready: Callable[[Serving], None]
) -> None:
    """Serve until `stop` is set.

    Raises CannotServe, FolderInUse, UnusableToken, ContactStoreError and OSError.
    """
    options.data.create()
    options.data.lock()
    options.data.admin_token()
    _empty(options.data.metrics)
    _make_stores(options.data)
    page = SharedPage.create(options.data.page)
    disk_watch = DiskWatch(options.data, page, options.reserve_bytes)
    disk_watch.look()
    # Those of a server that was killed may be other processes by now.
    Revisions(options.data.catalog).signal().forget_workers()
    with reserve(options.listen) as reserved:
        host, _ = split_address(options.listen)
        decisions = f"{host}:{reserved.getsockname()[1]}"
        _check_free(options.admin_listen)
        _check_free(options.metrics_listen)
        children = _children(options, decisions, page)
        watching = [asyncio.create_task(Watchdog(page, children).run())]
        keeping: list[asyncio.Task[None]] = []
        try:
            ports = await asyncio.gather(*(child.start() for child in children))
            ready(_serving(options, decisions, ports[0]))
            keeping += [asyncio.create_task(child.keep_up()) for child in children]
            watching.append(asyncio.create_task(disk_watch.run()))
            await stop.wait()
        finally:
            for task in keeping:
                task.cancel()
            # One that is stopped must not keep the others from finishing.
            await asyncio.gather(*(child.stop() for child in children))
            for task in watching:
                task.cancel()


def _children(
    options: ServeOptions, decisions: str, page: SharedPage
) -> list[ChildProcess]:
    """The admin process first."""
    # The keeper has no port.
    listening = [("admin", options.admin_listen), ("keeper", options.admin_listen)]
    listening += [("worker", decisions)] * options.workers
    return [
        ChildProcess(
            kind,
            ProcessOptions(
                data=str(options.data.root),
                listen=listen,
                reflection=is_loopback(listen),
                kept_share=options.kept_share,
                retention_days=options.retention_days,
                connection_age_seconds=options.connection_age_seconds,
                auth_required=options.access.is_required,
                tls=options.access.admin_tls if kind == "admin" else options.access.tls,
                calls_max=options.calls_max,
                admin_limits=options.admin_limits,
                log_format=options.log_format,
                writer_slot=number,
                # Behind the admin process and the keeper.
                place=max(0, number - 2),
                metrics_listen=options.metrics_listen,
            ),
            page,
            options.data.metrics,
        )
        for number, (kind, listen) in enumerate(listening)
    ]


def _serving(options: ServeOptions, decisions: str, ports: list[int]) -> Serving:
    """`ports` are those of the admin process."""
    addresses = (options.admin_listen, options.metrics_listen)
    hosts = [split_address(address)[0] for address in addresses]
    admin, metrics = (f"{h}:{p}" for h, p in zip(hosts, ports, strict=True))
    return Serving(decisions, admin, metrics)


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


def _make_stores(folder: DataFolder) -> None:
    """Here, so that what is wrong with them is said once, and not by each process."""
    HistoryStore(folder.history).close()
    ProfileStore(folder.profiles).close()


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
