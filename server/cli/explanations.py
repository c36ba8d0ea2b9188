"""The reasons of a decision as tables: first how many, then each."""

from typing import TYPE_CHECKING

import click

from server.cli.output import print_table

if TYPE_CHECKING:
    from server.wire import explanation_pb2 as pb


def print_explanation(explanation: "pb.Explanation", *, summary: bool) -> None:
    """Print what an answer explains; the counts only where `summary` is wanted."""
    click.echo()
    if summary:
        _print_summary(explanation)
        click.echo()
    rows: list[tuple[object, ...]] = []
    for one in explanation.offers:
        name = (one.space, one.offer, f"{one.weight:g}" if one.weight else "")
        if one.proposed:
            rows.append((*name, f"proposed, rank {one.rank}", ""))
            continue
        change = "; ".join(c.message for c in one.changes) or "no single change known"
        for place, reason in enumerate(one.reasons):
            said = f"{code_word(reason.code)}: {reason.message}"
            rows.append((*name, said, change) if place == 0 else ("", "", "", said, ""))
    columns = {"space": "", "offer": "", "weight": "right", "why": ""}
    print_table(columns | {"what would change it": ""}, rows)
    if explanation.next_page_token:
        click.echo("There are more offers: name those you mean with --explain-offer.")


def code_word(code: int) -> str:
    """`offer rule` for REASON_CODE_OFFER_RULE."""
    from server.wire import explanation_pb2 as pb

    name = pb.ReasonCode.Name(code)
    return name.removeprefix("REASON_CODE_").lower().replace("_", " ")


def _print_summary(explanation: "pb.Explanation") -> None:
    rows: list[tuple[object, ...]] = []
    for one in explanation.categories:
        said = ", ".join(f"{code_word(r.code)} {r.offers}" for r in one.reasons)
        rows.append((one.space, one.category, one.offers, one.proposed, said))
    columns = {"space": "", "category": "", "offers": "right", "proposed": "right"}
    print_table(columns | {"others fell to": ""}, rows)
