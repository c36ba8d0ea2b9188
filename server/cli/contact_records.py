"""`propono contacts show`, `propositions`, `delete`, `merge`: on the admin port."""

from pathlib import Path

import click

from server.cli.admin_connection import admin_client, admin_options
from server.cli.contact_tables import (
    as_json,
    print_contact,
    print_erased,
    print_names,
    print_propositions,
)
from server.cli.output import Refusal, output_option, print_json

#: Propositions that `show` lists.
_SHOWN_MAX = 10

_environment = click.option(
    "--environment", "-e", default="", help="Default: the default environment."
)


@click.command()
@click.argument("contact")
@_environment
@admin_options
@output_option
def show(
    contact: str,
    environment: str,
    admin_server: str,
    token_file: Path | None,
    data: Path,
    output: str,
) -> None:
    """Show what is known of a contact: profile, ids, newest propositions.

    \b
    propono contacts show C000042
    """
    from server.wire import contact_pb2 as pb

    with admin_client(admin_server, token_file, data) as client:
        found = client.get_contact(
            pb.GetContactRequest(environment=environment, contact_id=contact)
        )
        page = client.list_propositions(
            pb.ListPropositionsRequest(
                environment=environment, contact_id=contact, page_size=_SHOWN_MAX
            )
        )
    if output == "json":
        newest = as_json(page).get("propositions", [])
        print_json({**as_json(found), "newest_propositions": newest})
        return
    print_contact(found)
    print_propositions(page.propositions)
    if page.next_page_token:
        click.echo(f"the newest {_SHOWN_MAX} of {found.proposition_count}")


@click.command()
@click.argument("contact")
@_environment
@click.option("--space", default="", help="Only of this space.")
@click.option("--status", "statuses", multiple=True, help="Only in it; repeat.")
@click.option("--max", "max_count", type=click.IntRange(1), default=100, metavar="N")
@admin_options
@output_option
def propositions(
    contact: str,
    environment: str,
    space: str,
    statuses: tuple[str, ...],
    max_count: int,
    admin_server: str,
    token_file: Path | None,
    data: Path,
    output: str,
) -> None:
    """List what was proposed to a contact, newest first; --max is 100 unless given.

    \b
    propono contacts propositions C000042 --status accepted --output json
    """
    from server.wire import contact_pb2 as pb
    from server.wire import decision_pb2

    known = decision_pb2.PropositionStatus.keys()
    names = [f"PROPOSITION_STATUS_{status.upper()}" for status in statuses]
    for status, name in zip(statuses, names, strict=True):
        if name not in known or name.endswith("_UNSPECIFIED"):
            raise click.BadParameter(
                f"{status!r} is not a status, such as accepted", param_hint="--status"
            )
    request = pb.ListPropositionsRequest(
        environment=environment,
        contact_id=contact,
        space=space,
        statuses=names,  # pyright: ignore[reportArgumentType]
    )
    found: list[pb.RecordedProposition] = []
    with admin_client(admin_server, token_file, data) as client:
        while True:
            request.page_size = min(1_000, max_count - len(found))
            page = client.list_propositions(request)
            found += page.propositions
            request.page_token = page.next_page_token
            if not page.next_page_token or len(found) >= max_count:
                break
    if output == "json":
        print_json([as_json(one) for one in found])
        return
    print_propositions(found)
    if request.page_token:
        click.echo(f"the newest {len(found)}; there are more, see --max")


@click.command()
@click.argument("contact")
@_environment
@click.option("--yes", is_flag=True, help="Do not ask.")
@admin_options
@output_option
def delete(
    contact: str,
    environment: str,
    yes: bool,
    admin_server: str,
    token_file: Path | None,
    data: Path,
    output: str,
) -> None:
    """Erase a contact: all its profiles, ids, propositions, and kept answers.

    What would go is listed first; an id that was merged into another erases the whole
    contact. Prints a receipt.

    \b
    propono contacts delete C000042 --yes
    """
    from server.wire import contact_pb2 as pb

    request = pb.DeleteContactRequest(environment=environment, contact_id=contact)
    with admin_client(admin_server, token_file, data) as client:
        if not yes:
            request.validate_only = True
            print_erased(client.delete_contact(request), to_stderr=True)
            if not click.confirm("Erase all of it for ever?", err=True):
                raise Refusal("nothing was erased")
            request.validate_only = False
        receipt = client.delete_contact(request)
    if output == "json":
        print_json(as_json(receipt))
    else:
        print_erased(receipt)


@click.command()
@click.argument("alias", metavar="FROM")
@click.argument("into", metavar="INTO")
@_environment
@click.option(
    "--from-environment",
    "alias_environment",
    default="",
    help="Of FROM, when that is a visitor: the anonymous environment.",
)
@admin_options
@output_option
def merge(
    alias: str,
    into: str,
    environment: str,
    alias_environment: str,
    admin_server: str,
    token_file: Path | None,
    data: Path,
    output: str,
) -> None:
    """Make FROM an alias of INTO: their propositions count once, for both ids.

    This cannot be undone.

    \b
    propono contacts merge C000007 C000042
    """
    from server.wire import contact_pb2 as pb

    request = pb.MergeContactsRequest(
        environment=environment,
        contact_id=into,
        alias_id=alias,
        alias_environment=alias_environment,
    )
    with admin_client(admin_server, token_file, data) as client:
        merged = client.merge_contacts(request)
    if output == "json":
        print_json(as_json(merged))
    else:
        print_names(merged.names)
