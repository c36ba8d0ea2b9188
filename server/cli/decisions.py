"""`propono propose` and `propono update`: the decision service from a terminal."""

import json
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from server.cli.client_options import client_access, client_options
from server.cli.explanations import print_explanation
from server.cli.output import Refusal, output_option, print_json, print_table

if TYPE_CHECKING:
    from server.client import Client
    from server.wire import decision_pb2 as pb

_server_option = click.option(
    "--server",
    envvar="PROPONO_SERVER",
    default="127.0.0.1:50051",
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT",
    help="The decision port.",
)


def server_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `server`, and what `client_access` gives."""
    return _server_option(client_options(command))


STATUSES = ("presented", "interested", "accepted", "scheduled", "rejected", "generated")


@click.command()
@click.option("--space", "spaces", multiple=True, required=True, help="Where; repeat.")
@click.option("--contact", default="", help="The contact's id.")
@click.option("--visitor", default="", help="The visitor's id, for anonymous calls.")
@click.option("--environment", default="", help="Default: the default environment.")
@click.option("--max", "max_propositions", default=1, show_default=True, metavar="N")
@click.option("--category", "categories", multiple=True, help="Only of it; repeat.")
@click.option("--theme", "themes", multiple=True, help="Only with it; repeat.")
@click.option(
    "--context",
    "pairs",
    multiple=True,
    metavar="K=V",
    help="A context attribute; V is JSON, or a text. Repeat.",
)
@click.option("--dry-run", is_flag=True, help="Decide, but record nothing.")
@click.option("--explain", is_flag=True, help="Say why each offer is not proposed.")
@click.option(
    "--explain-offer",
    "explained_offers",
    multiple=True,
    metavar="OFFER",
    help="Say it of these offers only; repeat.",
)
@server_option
@output_option
def propose(
    spaces: tuple[str, ...],
    contact: str,
    visitor: str,
    environment: str,
    max_propositions: int,
    categories: tuple[str, ...],
    themes: tuple[str, ...],
    pairs: tuple[str, ...],
    dry_run: bool,
    explain: bool,
    explained_offers: tuple[str, ...],
    server: str,
    output: str,
) -> None:
    """Ask which offers to propose to a contact.

    \b
    propono propose --space home_banner --contact C000042 --max 3
    propono propose --space call_screen --contact C000042 --context call_reason=fees
    propono propose --space home_banner --contact C000042 --dry-run --explain
    """
    from google.protobuf.json_format import MessageToDict, ParseDict

    from server.wire import decision_pb2 as pb
    from server.wire import explanation_pb2

    if not 0 <= max_propositions < 2**32:
        raise click.BadParameter("send 1 to 100", param_hint="--max")
    request = pb.ProposeRequest(
        environment=environment, contact_id=contact, visitor_id=visitor, dry_run=dry_run
    )
    for space in spaces:
        request.spaces.add(
            space=space,
            max_propositions=max_propositions,
            categories=categories,
            themes=themes,
        )
    ParseDict(context_of(pairs), request.context)
    if explain or explained_offers:
        request.explain = explanation_pb2.EXPLAIN_LEVEL_FULL
        request.explained_offers.extend(explained_offers)
    with _client(server) as client:
        answer = client.propose(request)
    if output == "json":
        print_json(MessageToDict(answer, preserving_proto_field_name=True))
    else:
        _print_answer(answer)
        if explain or explained_offers:
            print_explanation(answer.explanation, summary=not explained_offers)


@click.command()
@click.argument("proposition")
@click.argument("status", type=click.Choice(STATUSES, case_sensitive=False))
@server_option
@output_option
def update(proposition: str, status: str, server: str, output: str) -> None:
    """Say what became of a proposition.

    \b
    propono update PROPOSITION accepted
    """
    from google.protobuf.json_format import MessageToDict

    from server.wire import decision_pb2 as pb

    request = pb.UpdatePropositionRequest(
        proposition_id=proposition, status=f"PROPOSITION_STATUS_{status.upper()}"
    )
    with _client(server) as client:
        answer = client.update_proposition(request)
    if output == "json":
        print_json(MessageToDict(answer, preserving_proto_field_name=True))
    else:
        now = pb.PropositionStatus.Name(answer.status)
        click.echo(now.removeprefix("PROPOSITION_STATUS_").lower())


@contextmanager
def _client(server: str) -> "Generator[Client]":
    """A connection; what the server refuses is our refusal."""
    from server.client import CallFailed, Client

    client = Client.connect(server, access=client_access())
    try:
        yield client
    except CallFailed as failure:
        raise Refusal(f"{failure.code}: {failure}") from None
    finally:
        client.close()


def context_of(pairs: tuple[str, ...]) -> dict[str, object]:
    """`k=v` pairs; a value that is JSON is that, any other is a text."""
    context: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{pair!r} is not K=V", param_hint="--context")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        # json accepts NaN, which is not JSON; the server would refuse it anyway.
        if isinstance(value, float) and not math.isfinite(value):
            value = text
        context[name] = value
    return context


def _print_answer(answer: "pb.ProposeResponse") -> None:
    from server.wire import decision_pb2 as pb

    columns = {"space": "", "rank": "right", "offer": "", "weight": "right"}
    columns |= {"title": "", "proposition": ""}
    rows: list[tuple[object, ...]] = []
    for result in answer.results:
        for one in result.propositions:
            title = one.content.get("title", "")
            rows.append(
                (
                    result.space,
                    one.rank,
                    one.offer,
                    f"{one.weight:g}",
                    title,
                    one.proposition_id or "(not recorded)",
                )
            )
        if result.shortfall_reason:
            reason = pb.ShortfallReason.Name(result.shortfall_reason)
            reason = reason.removeprefix("SHORTFALL_REASON_").lower().replace("_", " ")
            rows.append(
                (result.space, "", f"({reason})", "", result.default_content, "")
            )
    mode = pb.IdentificationMode.Name(answer.identification_mode)
    mode = mode.removeprefix("IDENTIFICATION_MODE_").lower()
    print_table(columns, rows)
    click.echo(
        f"revision {answer.revision}, interaction {answer.interaction_id}, {mode}"
        + (f", visitor {answer.visitor_id}" if answer.visitor_id else "")
    )
    for warning in answer.warnings:
        click.echo(f"warning: {warning}", err=True)
