"""`propono catalog publish`: the design, or files, to the revision that decides."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.admin_connection import place_options
from server.cli.catalog import catalog as catalog
from server.cli.catalog import publish as publish_path
from server.cli.catalog_design import reached_design
from server.cli.design_place import Place, stages
from server.cli.golden_table import golden_refusal
from server.cli.output import output_option, print_json
from server.cli.scheduled import moment, schedule_json

if TYPE_CHECKING:
    from server.wire import admin_pb2 as pb


@catalog.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Compile and check only.")
@click.option(
    "--at",
    "publish_at",
    callback=moment,
    metavar="TIME",
    help="Publish it then, such as 2026-12-01T00:00+01:00; it is checked now.",
)
@click.option("--strict", is_flag=True, help="Refuse warnings too.")
@place_options
@output_option
@click.pass_context
def publish(
    ctx: click.Context,
    path: Path | None,
    dry_run: bool,
    publish_at: datetime | None,
    strict: bool,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Publish the design; or a folder of files, or a compiled catalog.

    Running servers of the data folder switch to it by themselves. What is published
    from a PATH leaves the design as it is. With --at, the design as it is now is
    published later, by the server of the data folder.

    \b
    propono catalog publish
    propono catalog publish --at 2026-12-01T00:00+01:00
    propono catalog publish examples/bank/catalog
    propono catalog publish bank.propono --data /srv/propono
    """
    if path is not None:
        if dry_run or admin_server is not None or publish_at is not None:
            raise click.UsageError(
                "--at, --dry-run and --admin-server are for the design, without a PATH"
            )
        # The function: a command would have a name of its own in the audit log.
        assert publish_path.callback is not None
        ctx.invoke(
            publish_path.callback, path=path, strict=strict, data=data, output=output
        )
        return
    from server.golden.failures import GoldenDecisionsFailed
    from server.wire import admin_pb2 as pb

    request = pb.PublishRequest(validate_only=dry_run, strict=strict)
    if publish_at is not None:
        request.publish_time.FromDatetime(publish_at)
    place = Place(data, admin_server, token_file)
    try:
        with (
            stages() as report,
            reached_design(place, is_change=not dry_run) as design,
        ):
            report("compiling", 0, 0)
            answer = design.publish(
                request,
                progress=lambda done, total: report("compiling rules", done, total),
            )
    except GoldenDecisionsFailed as error:
        raise golden_refusal(error, output, "; nothing was published") from None
    _say(answer, output)


def _say(answer: "pb.PublishResponse", output: str) -> None:
    revision, scheduled = answer.revision, answer.scheduled_publication
    is_later = answer.HasField("scheduled_publication")
    if output == "json":
        print_json(
            {
                "revision": revision.number,
                "publisher": revision.publisher,
                "offers": revision.offer_count,
                "rules": revision.rule_count,
                "digest": revision.digest,
                "scheduled": schedule_json(scheduled) if is_later else None,
                "diagnostics": list(answer.diagnostics),
            }
        )
        return
    for diagnostic in answer.diagnostics:
        # Notes are for those who write the files: `validate` has them.
        if ": note: " not in diagnostic.partition("\n")[0]:
            click.echo(diagnostic, err=True)
    what = "revision would be published"
    if is_later:
        at = schedule_json(scheduled)["publish_time"]
        what = f"{scheduled.name} will be published at {at}"
    elif revision.number:
        what = f"revision {revision.number} is published"
    click.echo(
        f"{what}: {revision.offer_count} offers, {revision.rule_count} rules,"
        f" digest {revision.digest[:16]}"
    )
