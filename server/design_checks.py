"""Checks of the design records; what is wrong with them, people must restore."""

from collections.abc import Callable, Iterator
from pathlib import Path

from catalog_store.design_errors import DesignStoreError
from catalog_store.design_store import DesignStore
from contact_store.doctor import Finding

#: Learns what is looked at, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


def examine_design(folder: Path, progress: Progress) -> Iterator[Finding]:
    """Every finding; no design is none."""
    if not (folder / "data.mdb").exists():
        return
    try:
        with DesignStore(folder) as store:
            for fault in store.faults(
                lambda done, all_: progress("design", done, all_)
            ):
                what = f"{fault.what}; restore it from a backup"
                yield Finding("design", fault.table, fault.key.hex(), what, "")
    except DesignStoreError as error:
        yield Finding("design", "", "", str(error), "")
