"""`propono catalog test`: every golden decision made, passed or failed."""

from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import click

from server.cli.admin_connection import place_options
from server.cli.catalog_design import reached_design, read_files
from server.cli.design_place import Place, stages
from server.cli.golden_table import failure_json, print_failures
from server.cli.output import (
    Refusal,
    disk_failures,
    output_option,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from server.golden.running import GoldenOutcome


@click.command("test")
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
@place_options
@output_option
def test(
    path: Path | None,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Make the golden decisions of a folder of files, or of the design.

    Publishes nothing, and needs no server. Status 1 when one comes out otherwise.

    \b
    propono catalog test examples/bank/catalog
    propono catalog test
    """
    with stages() as report:
        report("reading", 0, 0)
        if path is not None:
            catalog = read_files(path).catalog
        else:
            with reached_design(Place(data, admin_server, token_file)) as design:
                catalog = design.catalog()
        report("compiling", 0, 0)
        from compiler.revision import compile_catalog
        from compiler.source import Refused
        from server.golden.trial import golden_trial

        try:
            compiled = compile_catalog(catalog).catalog
        except Refused as refused:
            raise Refusal(str(refused)) from None
        with disk_failures(Path(gettempdir())):
            outcomes = golden_trial(compiled)
    _show(outcomes, output)
    failed = sum(1 for one in outcomes if one.failures)
    if failed:
        raise Refusal(f"{failed} of {len(outcomes)} golden decisions failed")


def _show(outcomes: "list[GoldenOutcome]", output: str) -> None:
    if output == "json":
        print_json(
            [
                {
                    "name": one.resource,
                    "passed": not one.failures,
                    "failures": [failure_json(each) for each in one.failures],
                }
                for one in outcomes
            ]
        )
        return
    if not outcomes:
        click.echo("there are no golden decisions")
        return
    print_table(
        {"golden decision": "", "label": "", "": ""},
        [
            (
                f"{one.environment}/{one.golden.name}",
                one.golden.label,
                "failed" if one.failures else "passed",
            )
            for one in outcomes
        ],
    )
    failures = [each for one in outcomes for each in one.failures]
    if failures:
        print_failures(failures)
