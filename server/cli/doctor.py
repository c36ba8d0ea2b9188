"""`propono doctor`: looks at everything that is stored, and makes it good."""

import time
from pathlib import Path

import click

from server.cli.audited import audited
from server.cli.catalog import data_option
from server.cli.output import Refusal, output_option, print_json, print_table
from server.cli.progress_bars import progress_bars
from server.data_folder import DataFolder

#: Findings in a table; JSON has them all.
ROWS_MAX = 100


@click.command()
@data_option
@click.option("--repair", is_flag=True, help="Make good what needs no guess.")
@click.option(
    "--compact",
    is_flag=True,
    help="Give disk space back; no server may serve the folder.",
)
@output_option
def doctor(data: Path, repair: bool, compact: bool, output: str) -> None:
    """Check every stored value, while a server serves or not.

    \b
    propono doctor --data data
    propono doctor --data data --repair
    propono doctor --data data --compact

    Status 1 when something is wrong and stays so. A repair moves values that cannot be
    read to DATA/quarantine, and never makes one up.
    """
    from contact_store.errors import ContactStoreError
    from server.doctor import examine

    if not data.is_dir():
        raise Refusal(f"there is no folder {data}: give a server's data folder")
    if compact:
        _compact(data, output)
        return
    try:
        with progress_bars() as report:
            now_ms = time.time_ns() // 1_000_000
            folder = DataFolder(data)
            if not repair:
                findings = list(examine(folder, now_ms, report))
            else:
                with audited(data, "data") as change:
                    findings = list(examine(folder, now_ms, report, repair=True))
                    repaired = sum(one.is_repaired for one in findings)
                    change.after = {"findings": len(findings), "repaired": repaired}
    except (ContactStoreError, OSError) as error:
        raise Refusal(str(error)) from error
    rows = [
        (
            f"{one.store}/{one.table}".rstrip("/"),
            one.key,
            one.what,
            "repaired" if one.is_repaired else one.remedy,
        )
        for one in findings
    ]
    left = sum(not one.is_repaired for one in findings)
    if output == "json":
        print_json({"findings": [one._asdict() for one in findings], "left": left})
    elif rows:
        headings = ("where", "key", "what is wrong", "--repair")
        print_table({heading: "left" for heading in headings}, rows[:ROWS_MAX])
        if len(rows) > ROWS_MAX:
            click.echo(f"and {len(rows) - ROWS_MAX} more: see --output json")
    else:
        click.echo("nothing is wrong")
    if left:
        raise Refusal(f"{left} of {len(findings)} findings are not repaired")


def _compact(data: Path, output: str) -> None:
    from contact_store.errors import ContactStoreError
    from server.data_compaction import compact_folder
    from server.data_folder import FolderInUse

    try:
        with progress_bars() as report:
            sizes = compact_folder(DataFolder(data), report)
    except (ContactStoreError, FolderInUse, OSError) as error:
        raise Refusal(str(error)) from error
    if output == "json":
        print_json([one._asdict() for one in sizes])
    else:
        print_table(
            {"store": "left", "bytes before": "right", "bytes after": "right"},
            [(one.store, one.before_bytes, one.after_bytes) for one in sizes],
        )
