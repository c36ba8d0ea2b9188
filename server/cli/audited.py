"""Changes that commands make to a data folder themselves, in its audit log."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.cli.output import Refusal
from server.data_folder import DataFolder

if TYPE_CHECKING:
    from server.audit.changes import Change


@contextmanager
def audited(data: Path, resource: str) -> "Generator[Change]":
    """The change that the command makes: on disk before, and how it ended after.

    Raises Refusal when it cannot be written; then nothing may be done.
    """
    from msgspec.structs import replace

    from server.audit.changes import Change, begin_change
    from server.audit.entries import ASKED, NAME_CHARACTERS_MAX, AuditFailed, Entry
    from server.audit.log import AuditLog

    # What a terminal sends need not be text.
    resource = resource.encode("utf-8", "replace").decode()[:NAME_CHARACTERS_MAX]
    log = AuditLog(DataFolder(data).audit, lambda: time.time_ns() // 1_000_000)
    entry = Entry(
        at=log.now(),
        who=getuser(),
        known_by=f"uid {os.getuid()}",
        # `propono tokens create`, however the program was called.
        method=f"propono {click.get_current_context().command_path.partition(' ')[2]}",
        resource=resource,
        result=ASKED,
    )
    change = Change(resource)
    begin_change(change)
    result = "FAILED"
    try:
        number = log.record(entry)
    except AuditFailed as error:
        raise Refusal(f"{data}: {error}; nothing was done") from None
    try:
        yield change
        result = "OK"
    finally:
        ended = replace(
            entry,
            at=log.now(),
            asked=number,
            result=result,
            resource=change.resource,
            before=change.before,
            after=change.after,
        )
        try:
            log.record(ended)
        except AuditFailed as error:
            click.echo(f"how line {number} ended is not written: {error}", err=True)
