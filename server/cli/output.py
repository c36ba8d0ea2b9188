"""What every command prints with: tables or JSON, and refusals."""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

output_option = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table to read, or JSON for scripts.",
)


class Refusal(click.ClickException):
    """The reason is printed, and the command ends with status 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(self.format_message(), file=file or sys.stderr)


@contextmanager
def disk_failures(folder: Path, outcome: str = "") -> Generator[None]:
    """What the disk below a folder refuses is refused here, in one line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        named = str(error.filename or "")
        place = f"{folder} ({named})" if named and named != str(folder) else f"{folder}"
        raise Refusal(
            f"{place}: {reason}{outcome}; make room or let it be written, or choose"
            " another folder"
        ) from None


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(
    columns: Mapping[str, str], rows: Sequence[Sequence[object]], title: str = ""
) -> None:
    """A table; `columns` maps headings to their justification."""
    table = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD)
    for heading, justify in columns.items():
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    # Cells are people's texts: rich's markup in them is not ours to obey.
    Console(width=None if sys.stdout.isatty() else 120, markup=False).print(table)


def _plain(cell: object) -> str:
    """A cell as text that cannot move the cursor."""
    text = str(cell)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
