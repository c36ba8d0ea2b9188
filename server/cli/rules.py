"""`propono rule`: try a rule against the schema of a catalog."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.output import Refusal

if TYPE_CHECKING:
    from compiler.rules import CompiledRule

catalog_option = click.option(
    "--catalog",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The folder of the catalog whose attributes the rule may name.",
)
environment_option = click.option(
    "--environment", default="", help="Default: the default environment."
)
formula_option = click.option(
    "--formula", is_flag=True, help="A weight formula instead of a condition."
)


@click.group()
def rule() -> None:
    """Try a rule: check it, or see how it is compiled."""


@rule.command()
@click.argument("expression")
@catalog_option
@environment_option
@formula_option
def check(expression: str, catalog: Path, environment: str, formula: bool) -> None:
    """Check one rule; silent when it is right.

    \b
    propono rule check 'contact.age >= 18' --catalog examples/bank/catalog
    """
    _compile(expression, catalog, environment, formula)


@rule.command()
@click.argument("expression")
@catalog_option
@environment_option
@formula_option
def explain(expression: str, catalog: Path, environment: str, formula: bool) -> None:
    """Show a rule's tree, the Python that it becomes, and how it is indexed."""
    from compiler.conjuncts import explain_index
    from compiler.rules import explain_rule

    compiled = _compile(expression, catalog, environment, formula)
    click.echo(explain_rule(compiled.tree))
    if not formula:
        click.echo(explain_index(compiled.tree), nl=False)


def _compile(
    expression: str, catalog: Path, environment: str, formula: bool
) -> "CompiledRule":
    from compiler.check import Kind
    from compiler.rule_fields import environment_schema, environment_segments
    from compiler.rules import compile_rule
    from compiler.source import Refused, Source
    from server.files import read_catalog
    from server.requests import near_misses

    kind: Kind = Kind.FORMULA if formula else Kind.CONDITION
    try:
        environments = read_catalog(catalog).catalog.environments
        found = [e for e in environments if e.name == environment]
        if not environment:
            found = [e for e in environments if e.default]
        if not found:
            known = near_misses(environment, [e.name for e in environments])
            raise Refusal(f"unknown environment {environment!r}{known}")
        schema = environment_schema(found[0])
        segments = environment_segments(found[0], schema)
        return compile_rule(Source("rule", expression), schema, kind, segments)
    except Refused as refused:
        raise Refusal(str(refused)) from None
