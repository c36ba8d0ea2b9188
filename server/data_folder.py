"""Where a server keeps what it knows: the layout of DATA.

DATA/catalog/    published revisions, see `catalog_store.revisions`
DATA/design/     design records, which are edited and then published
DATA/profiles/   contacts' profiles
DATA/history/    contacts' propositions and what became of them
DATA/metrics/    what the processes of the server that runs now have counted
DATA/admin.token the token of the admin port, readable by its owner only
DATA/lock        held by the server that serves this folder
"""

import fcntl
import os
import secrets
from pathlib import Path
from typing import NamedTuple


class FolderInUse(Exception):
    """Another server serves the data folder."""


class DataFolder(NamedTuple):
    """Paths below one data folder."""

    root: Path

    @property
    def catalog(self) -> Path:
        return self.root / "catalog"

    @property
    def design(self) -> Path:
        return self.root / "design"

    @property
    def profiles(self) -> Path:
        return self.root / "profiles"

    @property
    def history(self) -> Path:
        return self.root / "history"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics"

    def create(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock(self) -> int:
        """Hold the folder until the process ends; returns the descriptor.

        Raises FolderInUse.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FolderInUse(
                f"{self.root} is served by another process; stop it, or choose"
                " another folder with --data"
            ) from None
        return descriptor

    def admin_token(self) -> str:
        """The token of the admin port, made at first use."""
        path = self.root / "admin.token"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text("ascii").strip()
        with os.fdopen(descriptor, "w") as file:
            token = secrets.token_urlsafe(32)
            file.write(token + "\n")
        return token
