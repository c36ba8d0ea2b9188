"""Where a server keeps what it knows: the layout of DATA.

DATA/catalog/    published revisions, see `catalog_store.revisions`
DATA/design/     design records, which are edited and then published
DATA/scheduled/  publications to come, see `catalog_store.scheduled_publications`
DATA/profiles/   contacts' profiles
DATA/history/    contacts' propositions and what became of them
DATA/access/     who may call, see `server.access.access_list`
DATA/audit/      who changed what, see `server.audit.log`
DATA/metrics/    what the processes of the server that runs now have counted
DATA/admin.token the token of the admin port, readable by its owner only
DATA/lock        held by the server that serves this folder
"""

import fcntl
import os
import secrets
from pathlib import Path
from typing import NamedTuple

#: Of the admin port's token; 43 are made.
TOKEN_CHARACTERS_MIN = 32


class FolderInUse(Exception):
    """Another server serves the data folder."""


class UnusableToken(Exception):
    """The token file does not hold a token that would keep anybody out."""


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
    def scheduled(self) -> Path:
        return self.root / "scheduled"

    @property
    def profiles(self) -> Path:
        return self.root / "profiles"

    @property
    def history(self) -> Path:
        return self.root / "history"

    @property
    def access(self) -> Path:
        return self.root / "access"

    @property
    def audit(self) -> Path:
        return self.root / "audit"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics"

    @property
    def page(self) -> Path:
        """The memory that the processes of the server share."""
        return self.metrics / "server.page"

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
        """The token of the admin port, made at first use by who holds the folder.

        Raises UnusableToken and OSError.
        """
        path = self.root / "admin.token"
        try:
            token = path.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            token = secrets.token_urlsafe(32)
            self._write_whole(path, f"{token}\n".encode())
        if len(token) < TOKEN_CHARACTERS_MIN or not token.isascii():
            raise UnusableToken(
                f"{path} does not hold a token of {TOKEN_CHARACTERS_MIN} ASCII"
                " characters or more: remove it, and the next start makes a new one"
            )
        return token

    def _write_whole(self, path: Path, data: bytes) -> None:
        """Give a new file its name when all of it is on disk, or leave nothing."""
        new_path = path.with_name(f"{path.name}.new")
        new_path.unlink(missing_ok=True)
        descriptor = os.open(new_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            new_path.replace(path)
        finally:
            new_path.unlink(missing_ok=True)
