"""Checks of who may call, and of the audit log: what is wrong, people must look at."""

from collections.abc import Iterator
from pathlib import Path

from contact_store.doctor import Finding
from server.access.access_list import AccessError, read_access_list
from server.audit.reading import Broken, read_log


def examine_access(folder: Path) -> Iterator[Finding]:
    """Whether the access list can be read."""
    try:
        read_access_list(folder)
    except AccessError as error:
        yield Finding("access", "list.json", "", f"{error}; restore it", "")


def examine_audit(folder: Path) -> Iterator[Finding]:
    """The first line of the audit log that is not the one that was written there."""
    try:
        for _ in read_log(folder):
            pass
    except (Broken, OSError) as error:
        what = f"{error}; compare it with a backup: `propono audit verify`"
        yield Finding("audit", "", "", what, "")
