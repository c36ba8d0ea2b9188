"""`propono serve`."""

import asyncio
import logging
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contact_store.retention import (
    RETENTION_DAYS,
    RETENTION_DAYS_MAX,
    RETENTION_DAYS_MIN,
)
from server.admission import CALLS_MAX, CALLS_MAX_LIMIT
from server.cli.catalog import data_option
from server.cli.config_file import config_option
from server.cli.output import Refusal, disk_failures
from server.cli.serve_access import access_options
from server.cli.serve_limits import limit_options
from server.data_folder import DataFolder
from server.log_lines import LogFormat, default_format, log_to_stderr
from server.process_options import CONNECTION_AGE_SECONDS

if TYPE_CHECKING:
    from server.supervisor import ServeOptions

_log = logging.getLogger(__name__)
_SHIFTS = {"": 0, "KiB": 10, "MiB": 20, "GiB": 30}

if TYPE_CHECKING:
    from server.access.rate_limits import RateLimits
    from server.access.serving import ServeAccess


def _share(_: click.Context, __: click.Parameter, text: str) -> float:
    """`all`, `none` or a percentage, as a number from 0 to 1."""
    percentage = {"all": "100%", "none": "0%"}.get(text, text)
    try:
        share = float(percentage.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not percentage.endswith("%") or not 0.0 <= share <= 1.0:
        raise click.BadParameter(f"{text!r} is not all, none, or such as 5%")
    return share


def _bytes(_: click.Context, __: click.Parameter, text: str) -> int:
    """A size such as 512MiB, in bytes."""
    matched = re.fullmatch(r"(\d{1,12})(|KiB|MiB|GiB)", text)
    if matched is None:
        raise click.BadParameter(f"{text!r} is not a size such as 512MiB or 2GiB")
    number, unit = matched.groups()
    return int(number) << _SHIFTS[unit]


@click.command()
@config_option
@data_option
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Decision processes; one for each core is plenty.",
)
@click.option(
    "--listen",
    default="127.0.0.1:50051",
    show_default=True,
    metavar="HOST:PORT",
    help="The decision port.",
)
@click.option(
    "--admin-listen",
    default="127.0.0.1:50052",
    show_default=True,
    metavar="HOST:PORT",
    help="The admin port.",
)
@click.option(
    "--metrics-listen",
    default="127.0.0.1:9464",
    show_default=True,
    metavar="HOST:PORT",
    help="Where Prometheus finds /metrics.",
)
@access_options
@limit_options
@click.option(
    "--retention-days",
    type=click.IntRange(RETENTION_DAYS_MIN, RETENTION_DAYS_MAX),
    default=RETENTION_DAYS,
    show_default=True,
    help="How long propositions are kept after their last change.",
)
@click.option(
    "--keep-inputs",
    "kept_share",
    callback=_share,
    default="1%",
    show_default=True,
    metavar="all|none|N%",
    help="Contacts whose decisions can be replayed, for 30 days.",
)
@click.option(
    "--connection-age",
    "connection_age_seconds",
    type=click.FloatRange(1, 86_400),
    default=CONNECTION_AGE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Clients connect anew after that, so that every worker gets its share.",
)
@click.option(
    "--calls-max",
    type=click.IntRange(1, CALLS_MAX_LIMIT),
    default=CALLS_MAX,
    show_default=True,
    help="Calls in flight in one worker; more are refused at once.",
)
@click.option(
    "--disk-reserve",
    "reserve_bytes",
    callback=_bytes,
    default="512MiB",
    show_default=True,
    metavar="SIZE",
    help="Nothing is recorded while less is free where the data folder is.",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "text"]),
    help="On standard error; JSON, one object a line, unless that is a terminal.",
)
def serve(
    data: Path,
    workers: int,
    listen: str,
    admin_listen: str,
    metrics_listen: str,
    access: "ServeAccess",
    admin_limits: "RateLimits",
    retention_days: int,
    kept_share: float,
    connection_age_seconds: float,
    calls_max: int,
    reserve_bytes: int,
    log_format: LogFormat | None,
) -> None:
    """Serve decisions from a data folder until SIGTERM or Ctrl-C.

    \b
    propono serve --data data --workers 2
    """
    from contact_store.errors import ContactStoreError
    from server.access.access_list import AccessError, read_access_list
    from server.access.serving import check_access
    from server.addresses import CannotServe
    from server.data_folder import FolderInUse, UnusableToken
    from server.supervisor import ServeOptions

    log_format = log_format or default_format()
    log_to_stderr("supervisor", log_format)
    folder = DataFolder(data)
    options = ServeOptions(
        data=folder,
        workers=workers,
        listen=listen,
        admin_listen=admin_listen,
        metrics_listen=metrics_listen,
        kept_share=kept_share,
        retention_days=retention_days,
        connection_age_seconds=connection_age_seconds,
        calls_max=calls_max,
        reserve_bytes=reserve_bytes,
        log_format=log_format,
        access=access,
        admin_limits=admin_limits,
    )

    try:
        check_access(access, listen, admin_listen, metrics_listen)
        read_access_list(folder.access)
        with disk_failures(data):
            folder.create()
            _make_runnable(folder)
            asyncio.run(_supervised(options))
    except (
        AccessError,
        CannotServe,
        ContactStoreError,
        FolderInUse,
        UnusableToken,
    ) as error:
        raise Refusal(str(error)) from None


def _make_runnable(folder: DataFolder) -> None:
    """Have the current revision's code made for this Python; raises OSError."""
    from catalog_store.records import UnixMs
    from catalog_store.revisions import DamagedRevision, PublicationBusy
    from server.publication import ensure_runnable

    try:
        ensure_runnable(folder, UnixMs(time.time_ns() // 1_000_000))
    except (DamagedRevision, PublicationBusy) as error:
        # It serves all the same: a good one may be published, or pushed to it.
        _log.error("nothing is decided until a catalog is published: %s", error)


async def _supervised(options: "ServeOptions") -> None:
    """Until SIGTERM or Ctrl-C."""
    from server.supervisor import Serving, serve

    def ready(serving: Serving) -> None:
        click.echo(
            f"decisions on {serving.decisions}, admin on {serving.admin},"
            f" metrics on {serving.metrics}"
        )

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(options, stop, ready)
