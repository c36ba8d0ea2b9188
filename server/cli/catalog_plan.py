"""What `propono catalog apply` prints: a plan, as a table and as JSON."""

from collections.abc import Iterable

import click

from server.cli.output import print_table
from server.wire import admin_pb2 as pb

SIGNS = {
    pb.DESIGN_ACTION_CREATE: "+",
    pb.DESIGN_ACTION_UPDATE: "~",
    pb.DESIGN_ACTION_DELETE: "-",
}
_WORDS = {
    pb.DESIGN_ACTION_CREATE: "create",
    pb.DESIGN_ACTION_UPDATE: "update",
    pb.DESIGN_ACTION_DELETE: "delete",
}


def print_plan(plan: pb.ApplyCatalogResponse) -> None:
    if not plan.changes:
        return
    print_table(
        {"": "", "record": "", "fields": ""},
        [(SIGNS[one.action], one.name, ", ".join(one.fields)) for one in plan.changes],
    )
    more = plan.create_count + plan.update_count + plan.delete_count
    more -= len(plan.changes)
    if more:
        click.echo(f"  and {more} more")


def summary(plan: pb.ApplyCatalogResponse) -> str:
    if not plan.changes:
        return f"nothing differs: {plan.unchanged_count} records are as they should be"
    return (
        f"{plan.create_count} to create, {plan.update_count} to change,"
        f" {plan.delete_count} to delete, {plan.unchanged_count} unchanged"
    )


def plan_json(plan: pb.ApplyCatalogResponse) -> dict[str, object]:
    return {
        "design_version": plan.design_version,
        "create": plan.create_count,
        "update": plan.update_count,
        "delete": plan.delete_count,
        "unchanged": plan.unchanged_count,
        "changes": changes_json(plan.changes),
        "diagnostics": list(plan.diagnostics),
    }


def changes_json(changes: Iterable[pb.DesignChange]) -> list[dict[str, object]]:
    return [
        {"action": _WORDS[one.action], "name": one.name, "fields": list(one.fields)}
        for one in changes
    ]
