"""Gives the disk space of a data folder back, when nobody serves it."""

import os
from collections.abc import Callable

from contact_store.compaction import Compacted, compact_store
from server.data_folder import DataFolder


def compact_folder(
    folder: DataFolder, progress: Callable[[str, int, int], None]
) -> list[Compacted]:
    """Compact history and profiles.

    Raises FolderInUse, StoreInUse, StoreFailed and OSError.
    """
    lock = folder.lock()
    try:
        return [
            compact_store(
                store, path, lambda done, total, s=store: progress(s, done, total)
            )
            for store, path in (
                ("history", folder.history),
                ("profiles", folder.profiles),
            )
            if (path / "data.mdb").exists()
        ]
    finally:
        os.close(lock)
