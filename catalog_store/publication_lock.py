"""One publication at a time, over all processes."""

import fcntl
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

#: How long to wait for whoever publishes at this moment.
_LOCK_SECONDS = 5.0


class PublicationBusy(Exception):
    """Somebody else is publishing."""


@contextmanager
def publication_lock(path: Path) -> Generator[None]:
    """Held in the block; raises PublicationBusy."""
    with path.open("ab") as lock:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PublicationBusy(
                        "another publication is under way; try again"
                    ) from None
                time.sleep(0.01)
        yield
