"""`propono serve`."""

import asyncio
import logging
import signal
import time
from pathlib import Path

import click

from contact_store.retention import (
    RETENTION_DAYS,
    RETENTION_DAYS_MAX,
    RETENTION_DAYS_MIN,
)
from server.cli.catalog import data_option
from server.cli.output import Refusal
from server.data_folder import DataFolder


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


@click.command()
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
def serve(
    data: Path,
    workers: int,
    listen: str,
    admin_listen: str,
    metrics_listen: str,
    retention_days: int,
    kept_share: float,
) -> None:
    """Serve decisions from a data folder until SIGTERM or Ctrl-C.

    \b
    propono serve --data data --workers 2
    """
    from catalog_store.records import UnixMs
    from catalog_store.revisions import DamagedRevision, PublicationBusy
    from server.addresses import CannotServe, is_loopback
    from server.data_folder import FolderInUse
    from server.process import LOG_FORMAT
    from server.publication import ensure_runnable
    from server.supervisor import ServeOptions, Serving
    from server.supervisor import serve as supervise

    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT)
    folder = DataFolder(data)
    options = ServeOptions(
        data=folder,
        workers=workers,
        listen=listen,
        admin_listen=admin_listen,
        metrics_listen=metrics_listen,
        kept_share=kept_share,
        retention_days=retention_days,
    )

    def ready(serving: Serving) -> None:
        click.echo(
            f"decisions on {serving.decisions}, admin on {serving.admin},"
            f" metrics on {serving.metrics}"
        )

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await supervise(options, stop, ready)

    try:
        for address in (listen, admin_listen, metrics_listen):
            if not is_loopback(address):
                raise CannotServe(
                    f"{address} is not a loopback address: this version has no"
                    " authentication for other machines; put a proxy in front"
                )
        folder.create()
        try:
            ensure_runnable(folder, UnixMs(time.time_ns() // 1_000_000))
        except (DamagedRevision, PublicationBusy) as error:
            # It serves all the same: a good one may be published, or pushed to it.
            logging.error("nothing is decided until a catalog is published: %s", error)
        asyncio.run(run())
    except (CannotServe, FolderInUse) as error:
        raise Refusal(str(error)) from None
