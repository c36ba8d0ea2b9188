"""`propono catalog submit`, `approve`, `reject` and `approvals`."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.cli.admin_connection import place_options
from server.cli.approval_tables import event_json, part_json, print_log, print_parts
from server.cli.catalog_design import ReachedDesign, reached_design
from server.cli.design_place import Place, stages
from server.cli.output import Refusal, output_option, print_json
from server.cli.scheduled import moment

if TYPE_CHECKING:
    from server.wire import admin_pb2 as pb
    from server.wire.approvals_pb2 import Approval

_environment_option = click.option(
    "--environment",
    "-e",
    help="The offer's.  [default: the only one that has approvals]",
)
_comment_option = click.option("--comment", default="", help="For the other side.")


def _part_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `spaces`, `eligibility` and `everything`."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="All parts."),
        click.option("--eligibility", is_flag=True, help="All but the content."),
        click.option(
            "--space", "spaces", multiple=True, help="The content in it; repeatable."
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("offer")
@_environment_option
@_part_options
@click.option(
    "--reviewer", "reviewers", multiple=True, help="Who may review it; repeatable."
)
@click.option(
    "--deadline",
    callback=moment,
    metavar="TIME",
    help="By when, such as 2026-12-01T12:00+01:00.",
)
@_comment_option
@place_options
@output_option
def submit(
    offer: str,
    environment: str | None,
    spaces: tuple[str, ...],
    eligibility: bool,
    everything: bool,
    reviewers: tuple[str, ...],
    deadline: datetime | None,
    comment: str,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Ask for the approval of an offer: of all that is being edited or was rejected.

    Or of the parts that are named, again if they were approved.

    \b
    propono catalog submit gold_card --comment "New dates"
    propono catalog submit gold_card --space home_page --reviewer bob
    """
    from server.wire import admin_pb2 as pb

    place = Place(data, admin_server, token_file)
    with _reached(place, offer, environment) as (design, name):
        states = ("editing", "rejected")
        chosen = _chosen(spaces, eligibility=eligibility)
        if not chosen:
            known = _parts(design, name)
            chosen = [
                p.space for p in known if everything or part_json(p)["state"] in states
            ]
        if not chosen:
            raise Refusal(f"{name}: everything is approved, or waits for a review")
        for space in chosen:
            request = pb.SubmitForApprovalRequest(
                name=name, space=space, comment=comment, reviewers=reviewers
            )
            if deadline is not None:
                request.deadline.FromDatetime(deadline)
            design.ask("SubmitForApproval", request)
        _say(_parts(design, name), chosen, output)


@click.command()
@click.argument("offer")
@_environment_option
@_part_options
@click.option("--publish", is_flag=True, help="At once, if the offer is complete.")
@_comment_option
@place_options
@output_option
def approve(
    offer: str,
    environment: str | None,
    spaces: tuple[str, ...],
    eligibility: bool,
    everything: bool,
    publish: bool,
    comment: str,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Approve what waits for a review: it is published with the next publication.

    \b
    propono catalog approve gold_card --eligibility
    propono catalog approve gold_card --all --publish
    """
    place = Place(data, admin_server, token_file)
    with _reached(place, offer, environment) as (design, name):
        chosen = _pending(design, name, spaces, eligibility, everything)
        answer: pb.ReviewResponse | None = None
        with stages() as report:
            for number, space in enumerate(chosen, start=1):
                report("approving", number, len(chosen))
                is_last = number == len(chosen)
                answer = _review(
                    design, name, space, comment, publish=publish and is_last
                )
        _say(_parts(design, name), chosen, output)
        if publish and output == "table" and answer is not None:
            number = answer.revision.number
            click.echo(
                f"revision {number} is published" if number else "nothing is published:"
                " eligibility and one space's content have to be approved"
            )  # fmt: skip


@click.command()
@click.argument("offer")
@_environment_option
@_part_options
@_comment_option
@place_options
@output_option
def reject(
    offer: str,
    environment: str | None,
    spaces: tuple[str, ...],
    eligibility: bool,
    everything: bool,
    comment: str,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """Send back what waits for a review; what was approved before stays published.

    \b
    propono catalog reject gold_card --space home_page --comment "Too loud"
    """
    place = Place(data, admin_server, token_file)
    with _reached(place, offer, environment) as (design, name):
        chosen = _pending(design, name, spaces, eligibility, everything)
        for space in chosen:
            _review(design, name, space, comment, approved=False)
        _say(_parts(design, name), chosen, output)


@click.command()
@click.argument("offer", required=False)
@_environment_option
@click.option("--all", "everything", is_flag=True, help="Whatever their state is.")
@place_options
@output_option
def approvals(
    offer: str | None,
    environment: str | None,
    everything: bool,
    data: Path,
    admin_server: str | None,
    token_file: Path | None,
    output: str,
) -> None:
    """List what waits for whom; of one OFFER all parts, and what was said of them.

    \b
    propono catalog approvals
    propono catalog approvals gold_card
    """
    from server.wire import approvals_pb2

    place = Place(data, admin_server, token_file)
    if offer is not None:
        with _reached(place, offer, environment, is_change=False) as (design, name):
            parts = _parts(design, name)
            asked = approvals_pb2.ListApprovalLogRequest(name=name, page_size=1_000)
            events = design.ask("ListApprovalLog", asked).events
        if output == "json":
            log = [event_json(one) for one in events]
            print_json({"approvals": [part_json(p) for p in parts], "log": log})
        else:
            print_parts(parts)
            print_log(events)
        return
    parent = f"environments/{environment}" if environment else ""
    with _refusals(), reached_design(place) as design:
        parts = _listed(design, parent, everything=everything)
    if output == "json":
        print_json([part_json(part) for part in parts])
    elif parts:
        print_parts(parts)
    else:
        click.echo("nothing waits for a review")


@contextmanager
def _reached(
    place: Place, offer: str, environment: str | None, *, is_change: bool = True
) -> Generator[tuple[ReachedDesign, str]]:
    """The design, and the offer's resource name."""
    name = offer if "/" in offer else ""
    if not name and environment:
        name = f"environments/{environment}/offers/{offer}"
    if not name:
        with _refusals(), reached_design(place) as design:
            name = f"environments/{_only_environment(design)}/offers/{offer}"
    with (
        _refusals(),
        reached_design(place, is_change=is_change, resource=name) as design,
    ):
        yield design, name


def _only_environment(design: ReachedDesign) -> str:
    from server.client import CallFailed

    try:
        known = design.environments_with_approvals()
    except CallFailed as failure:
        if failure.code != "PERMISSION_DENIED":
            raise
        known = []
    if len(known) == 1:
        return known[0]
    names = f": {', '.join(known)}" if known else ""
    raise click.UsageError(f"name the offer's environment with --environment{names}")


@contextmanager
def _refusals() -> Generator[None]:
    """What a data folder's design refuses as the admin port does."""
    from server import requests

    try:
        yield
    except (
        requests.UnknownName,
        requests.StaleEtag,
        requests.NotPending,
        requests.OwnApproval,
    ) as error:
        raise Refusal(str(error)) from None


def _chosen(spaces: Sequence[str], *, eligibility: bool) -> list[str]:
    return [""] * eligibility + list(dict.fromkeys(spaces))


def _pending(
    design: ReachedDesign,
    name: str,
    spaces: Sequence[str],
    eligibility: bool,
    everything: bool,
) -> list[str]:
    """The parts that are to be reviewed, the empty one being eligibility."""
    chosen = _chosen(spaces, eligibility=eligibility)
    if bool(chosen) == everything:
        raise click.UsageError("say which parts: --space, --eligibility, or --all")
    if chosen:
        return chosen
    known = _parts(design, name)
    chosen = [part.space for part in known if part_json(part)["state"] == "pending"]
    if not chosen:
        raise Refusal(f"{name}: nothing waits for a review")
    return chosen


def _parts(design: ReachedDesign, name: str) -> "list[Approval]":
    return _listed(design, name, everything=False)


def _listed(
    design: ReachedDesign, parent: str, *, everything: bool
) -> "list[Approval]":
    from server.wire import approvals_pb2, catalog_pb2

    found: list[Approval] = []
    every = catalog_pb2.ApprovalState.keys()
    states = every[1:] if everything else every[:1]
    for state in states:
        token = ""
        while True:
            answer = design.ask(
                "ListApprovals",
                approvals_pb2.ListApprovalsRequest(
                    parent=parent, state=state, page_size=1_000, page_token=token
                ),
            )
            found += answer.approvals
            token = answer.next_page_token
            if not token:
                break
    return sorted(found, key=lambda one: (one.offer, one.space))


def _review(
    design: ReachedDesign,
    name: str,
    space: str,
    comment: str,
    *,
    approved: bool = True,
    publish: bool = False,
) -> "pb.ReviewResponse":
    from server.wire import admin_pb2 as pb
    from server.wire import catalog_pb2

    state = (
        catalog_pb2.APPROVAL_STATE_APPROVED
        if approved
        else catalog_pb2.APPROVAL_STATE_REJECTED
    )
    request = pb.ReviewRequest(
        name=name, space=space, state=state, comment=comment, publish=publish
    )
    return design.ask("Review", request)


def _say(parts: "Sequence[Approval]", chosen: Sequence[str], output: str) -> None:
    """How the parts that were chosen stand now."""
    shown = [part for part in parts if part.space in chosen]
    if output == "json":
        print_json([part_json(part) for part in shown])
    else:
        print_parts(shown)
