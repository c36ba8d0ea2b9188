"""What `propono doctor` does: everything in a data folder, looked at once."""

from collections.abc import Callable, Iterator

from contact_store.doctor import ContactDoctor, Finding
from contact_store.quarantine import Quarantine
from server.access_checks import examine_access, examine_audit
from server.data_folder import DataFolder
from server.design_checks import examine_design
from server.revision_checks import examine_revisions
from server.schedule_checks import examine_scheduled

#: Values that nobody can read, below the data folder.
QUARANTINE = "quarantine"

#: Learns what is looked at, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


def examine(
    folder: DataFolder, now_ms: int, progress: Progress, *, repair: bool = False
) -> Iterator[Finding]:
    """Every finding of catalog, design, history, profiles and audit log.

    What is not there has nothing wrong with it: it is not made either. Raises
    StoreFailed and OSError.
    """
    yield from examine_revisions(folder.catalog, now_ms, progress, repair=repair)
    yield from examine_design(folder.design, progress)
    yield from examine_scheduled(folder.scheduled)
    yield from examine_access(folder.access)
    yield from examine_audit(folder.audit)
    quarantine = Quarantine(folder.root / QUARANTINE) if repair else None
    for store, path in (("history", folder.history), ("profiles", folder.profiles)):
        if (path / "data.mdb").exists():
            with ContactDoctor(store, path, quarantine) as doctor:
                yield from doctor.examine(progress)
