"""`propono audit`: who changed what, and whether the log of it is whole."""

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from server.audit.entries import Entry


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    """A date or a time, in UTC unless it says otherwise."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not such as 2026-05-31 or 2026-05-31T09:30:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@click.group()
def audit() -> None:
    """Show who changed what, and verify that nobody altered the log of it."""


@audit.command("show")
@click.option("--since", callback=_moment, metavar="TIME", help="Not what was before.")
@click.option("--who", metavar="NAME", help="Of one caller or user only.")
@click.option(
    "--last",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="The newest ones.",
)
@data_option
@output_option
def show(
    since: datetime | None, who: str | None, last: int, data: Path, output: str
) -> None:
    """List changes and refused attempts, oldest first; also beside a server.

    A change of which nobody knows how it ended has the result ASKED: the server was
    killed meanwhile, or it is under way.

    \b
    propono audit show --since 2026-05-31 --output json
    """
    from server.audit.entries import ASKED
    from server.audit.reading import Broken, read_log

    kept: deque[Entry] = deque(maxlen=last)
    asked: dict[int, Entry] = {}
    broken = ""
    try:
        for entry, _ in read_log(_folder(data)):
            if entry.result == ASKED:
                asked[entry.number] = entry
                continue
            if entry.asked is not None:
                asked.pop(entry.asked, None)
            if _is_wanted(entry, since, who):
                kept.append(entry)
    except (Broken, OSError) as error:
        broken = str(error)
    unfinished = [each for each in asked.values() if _is_wanted(each, since, who)]
    _print(sorted([*kept, *unfinished], key=lambda e: e.number)[-last:], output)
    if broken:
        raise Refusal(f"broken: {broken}: nothing behind it is shown")


@audit.command("verify")
@click.option(
    "--holds",
    metavar="SHA256",
    help="A line's hash that an earlier `verify` printed: it must still be there.",
)
@data_option
@output_option
def verify(holds: str | None, data: Path, output: str) -> None:
    """Read every line: each must hold the hash of the line before.

    Who can write the folder can cut off the end of the log, or write all of it anew.
    Keep what this prints somewhere else, and ask for it the next time.

    \b
    propono audit verify --holds 4e07408562be...
    """
    from server.audit.reading import Broken, read_log

    count, first, newest, is_held = 0, None, None, holds is None
    try:
        for line in read_log(_folder(data)):
            count += 1
            first, newest = first or line, line
            is_held = is_held or line.sha256 == holds
    except (Broken, OSError) as error:
        raise Refusal(f"broken: {error}") from None
    if not is_held:
        raise Refusal(f"broken: no line has the hash {holds}: the log was cut off")
    if first is None or newest is None:
        click.echo("[]" if output == "json" else "nothing is written yet")
        return
    if output == "json":
        numbers = {"first": first.entry.number, "last": newest.entry.number}
        print_json({"lines": count, **numbers, "sha256": newest.sha256})
        return
    click.echo(
        f"{count} lines are whole, {first.entry.number} to {newest.entry.number};"
        f" the last one has the hash {newest.sha256}"
    )


def _folder(data: Path) -> Path:
    if not data.is_dir():
        raise Refusal(f"there is no folder {data}: give a server's data folder")
    return DataFolder(data).audit


def _is_wanted(entry: "Entry", since: datetime | None, who: str | None) -> bool:
    return (since is None or entry.at >= since) and who in (None, entry.who)


def _print(entries: "list[Entry]", output: str) -> None:
    if output == "json":
        from msgspec import to_builtins

        print_json([to_builtins(entry) for entry in entries])
        return
    rows = [
        (
            entry.number,
            entry.at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            entry.who or "?",
            entry.role or entry.known_by,
            entry.method.rpartition("/")[2],
            entry.resource or entry.peer,
            entry.result + (f" x {entry.count}" if entry.count > 1 else ""),
        )
        for entry in entries
    ]
    columns = {"number": "right"}
    columns |= dict.fromkeys(("at", "who", "as", "did", "to", "result"), "")
    print_table(columns, rows)
