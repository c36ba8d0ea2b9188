"""Where the design is: in a data folder, or behind an admin port; and progress."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import rich.progress
from rich.console import Console

from server.cli.catalog import data_option
from server.cli.client_options import client_options

_server_option = click.option(
    "--admin-server",
    envvar="PROPONO_ADMIN_SERVER",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Go through a server's admin port.  [default: in the data folder]",
)
_token_option = click.option(
    "--token-file",
    envvar="PROPONO_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The token of the admin port.  [default: admin.token of the data folder]",
)


class Place(NamedTuple):
    """Where the design is."""

    data: Path
    admin_server: str | None
    token_file: Path | None


def place_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `data`, `admin_server` and `token_file`."""
    return data_option(_server_option(_token_option(client_options(command))))


@contextmanager
def stages() -> Generator[Callable[[str, int, int], None]]:
    """What is done now on stderr, and how far; nothing when nobody watches."""
    bar = rich.progress.Progress(
        rich.progress.SpinnerColumn(),
        "{task.description}",
        rich.progress.BarColumn(),
        rich.progress.TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        yield report
