"""Golden decisions that came out otherwise, as a table and as JSON."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from server.cli.output import Refusal, print_json, print_table

if TYPE_CHECKING:
    from server.golden.failures import GoldenDecisionsFailed, GoldenFailure


def golden_refusal(
    error: "GoldenDecisionsFailed", output: str, outcome: str = ""
) -> Refusal:
    """Shows what failed; `outcome` says what became of it."""
    if output == "json":
        print_json([failure_json(one) for one in error.failures])
    else:
        print_failures(error.failures)
    head = str(error).partition("\n")[0]
    return Refusal(f"{head}{outcome}")


def print_failures(failures: "Iterable[GoldenFailure]") -> None:
    """What was expected and what came, and below why."""
    found = list(failures)
    print_table(
        {"golden decision": "", "space": "", "expected": "", "got": ""},
        [
            (f"{one.environment}/{one.name}", one.space, one.expected, one.got)
            for one in found
        ],
    )
    for one in found:
        if one.reasons:
            click.echo(f"{one.environment}/{one.name}, {one.space}:")
        for reason in one.reasons:
            click.echo(f"  {reason}")


def failure_json(failure: "GoldenFailure") -> dict[str, object]:
    return {
        "name": failure.resource,
        "space": failure.space,
        "expected": failure.expected,
        "got": failure.got,
        "reasons": list(failure.reasons),
    }
