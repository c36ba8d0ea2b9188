"""Files of values that nobody can read, kept before something takes their place."""

import os
from hashlib import blake2b
from pathlib import Path

import msgspec


class Quarantined(msgspec.Struct, frozen=True):
    """One value as it was: JSON, with the bytes in base64."""

    store: str
    table: str
    key: bytes
    value: bytes


class Quarantine:
    """A folder of such files; it is made when the first value goes there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, one: Quarantined) -> Path:
        """Write a file that is on disk when this returns; raises OSError.

        The same value again is the same file.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        path = self.folder / f"{_name(one)}-{_digest(one.value)}.json"
        new_path = path.with_name(path.name + ".new")
        with new_path.open("wb") as file:
            file.write(msgspec.json.encode(one))
            file.flush()
            os.fsync(file.fileno())
        new_path.replace(path)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return path

    def has_other(self, one: Quarantined) -> bool:
        """Whether an earlier value of the same key is here."""
        here = self.folder.glob(f"{_name(one)}-*.json")
        return any(path.stem != f"{_name(one)}-{_digest(one.value)}" for path in here)


def _name(one: Quarantined) -> str:
    return f"{one.store}-{one.table}-{_digest(one.key)}"


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=12).hexdigest()
