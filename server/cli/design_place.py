"""Where the design is: in a data folder, or behind an admin port; and progress."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import rich.progress
from rich.console import Console


class Place(NamedTuple):
    """Where the design is."""

    data: Path
    admin_server: str | None
    token_file: Path | None


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
