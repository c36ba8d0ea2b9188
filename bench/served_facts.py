"""What the served catalog is made of, and what is asked of it.

python -m bench.served_facts --offers 10000
"""

from pathlib import Path
from statistics import mean

import click

from bench import served_rows
from bench.attributes import CONTACT, CONTEXT
from bench.catalogs import callers
from bench.revisions import KEPT, Loaded, calls, loaded
from bench.row_by_row import Row, rows_best_first
from bench.timing import report
from server.engine.call import Call

#: Contacts over whom shares are taken.
ASKED = 40


@click.command()
@click.option("--offers", default=served_rows.OFFERS, show_default=True)
@click.option("--kept", type=click.Path(path_type=Path), default=KEPT)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(offers: int, kept: Path, output: str) -> None:
    shape = served_rows.shape(offers)
    subject = loaded(shape, kept)
    rows = rows_best_first(subject)
    asked = calls(subject, callers(shape, ASKED), served_rows.PROPOSITIONS)
    shares = [_eligible(rows, call) / offers for call in asked]
    found = {
        "offers": offers,
        "weight rows, own and inherited": len(rows),
        "different rules": _different_rules(subject),
        "presentation rules that cap": len(subject.record.presentation_rules),
        "multipliers with windows": shape.multipliers,
        "attributes of a contact": len(CONTACT),
        "attributes of a request": len(CONTEXT),
        "contacts": served_rows.CONTACTS,
        "propositions asked for": served_rows.PROPOSITIONS,
        "offers with a row that matches, % of a contact": round(100 * mean(shares), 1),
        "the same, least and most": f"{100 * min(shares):.1f}-{100 * max(shares):.1f}",
    }
    lines = [{"what": what, "figure": figure} for what, figure in found.items()]
    report("What is served, and asked for", lines, output)


def _eligible(rows: list[Row], call: Call) -> int:
    """Offers with a row of which the rule is true; caps are left out."""
    matching = {
        row.offer for row in rows if row.fast(call.contact, call.context) is True
    }
    return len(matching)


def _different_rules(subject: Loaded) -> int:
    record = subject.record
    holders = (record, *record.categories, *record.offers)
    return len({row.rule for holder in holders for row in holder.weights})


if __name__ == "__main__":
    main()
