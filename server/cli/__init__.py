"""The `propono` command.

    serve          start a server
    catalog        validate, compile, publish, push, and go back
    keys           make keys that sign catalogs, trust and revoke them
    contacts       import and export profiles; show, merge and erase a contact
    propose        ask for offers, as a website or a call center would
    propose-batch  the same for many contacts, ahead of time
    update         say what became of a proposition
    replay         make a recorded decision again, and explain it
    quotas         what is left of each limit over all contacts
    rule           try a rule: check it, or see how it is compiled
    propositions   export what was proposed
    tokens         give, list and revoke callers' tokens
    identities     the same for their certificates
    audit          who changed what, and whether the log of it is whole
    doctor         check all that is stored, repair it, give disk space back
    backup         copy all of it while a server serves
    restore        and make a data folder of that again

`catalog_design` holds `catalog apply` and `export`, `catalog_plan` what they print,
`catalog_diff` compares two catalogs, `contact_diff` for the contacts of a file,
`golden_table` shows golden decisions that failed, `golden_test` makes all of them,
`catalog_log` shows changes of the design,
`catalog_publishing` `catalog publish`, `design_place` where the design is,
`decisions` holds propose and update, `explanations` their reasons as tables, `batch`
and `batch_work` propose-batch, `contact_records` what asks the admin port about one
contact, `contact_tables` what that prints, `admin_connection` how it gets there,
`push` what publishes on a server, `scheduled` what is published later,
`approvals` submits offers and reviews them, `approval_tables` shows what waits,
`revisions` rollback and history,
`client_options` with which token, `rules` the rule commands, `serve_access` who may
call a server, `serve_limits` how often, `config_file` options from a file,
`audited` how a command's changes get into the audit log, `output` what all of them
print with, and `progress_bars` how far a long task is.

Exit status: 0 done, 1 refused (with the reason), 2 wrong usage.
"""

import sys
from importlib import import_module

import click

from server.build_kind import build_kind

_MODULE_OF = {
    "serve": "server.cli.serve",
    # It brings the others of the group along.
    "catalog": "server.cli.catalog_publishing",
    "keys": "server.cli.keys",
    "contacts": "server.cli.contacts",
    "propose": "server.cli.decisions",
    "propose-batch": "server.cli.batch",
    "update": "server.cli.decisions",
    "replay": "server.cli.replay",
    "quotas": "server.cli.quotas",
    "rule": "server.cli.rules",
    "propositions": "server.cli.propositions",
    "tokens": "server.cli.tokens",
    "identities": "server.cli.tokens",
    "audit": "server.cli.audit",
    "doctor": "server.cli.doctor",
    "backup": "server.cli.backup",
    "restore": "server.cli.backup",
}


class _Commands(click.Group):
    """Imports a command when it is called: `propose` needs no compiler, no pyarrow."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULE_OF)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULE_OF:
            return None
        command: object = getattr(
            import_module(_MODULE_OF[cmd_name]), cmd_name.replace("-", "_")
        )
        assert isinstance(command, click.Command)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    package_name="propono", message=f"propono %(version)s ({build_kind()})"
)
def propono() -> None:
    """Decide in real time which offers to propose to a contact."""


def main() -> None:
    sys.exit(propono())
