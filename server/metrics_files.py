"""The files in which a process counts, whole before anything is counted.

Left to itself, `prometheus_client` maps files that are holes: the first count in a page
takes a block of the disk, and when there is none the kernel ends the process (SIGBUS).
A folder in memory would have to be large enough as well, and /dev/shm has 64 MB in most
containers. So the blocks are taken when the files are made, and what cannot be taken is
an error that can be handled.
"""

import os
from contextlib import suppress
from pathlib import Path

from catalog_store.durable_files import reserve

#: Names the folder of all processes' files to `prometheus_client`; it is read once,
#: when `server.metrics` is imported.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
#: Of one file; what has fixed labels takes a quarter of it.
FILE_BYTES = 1 << 16
#: One for each kind of metric in `server.metrics`, as the library names them.
_KINDS = ("counter", "histogram", "gauge_liveall")


def reserve_files(folder: Path) -> None:
    """Make this process's files, with their blocks, before `server.metrics` does.

    Raises OSError; nothing is then there.
    """
    paths = [folder / f"{kind}_{os.getpid()}.db" for kind in _KINDS]
    try:
        for path in paths:
            # Of an earlier process that had this number.
            path.unlink(missing_ok=True)
            reserve(path, FILE_BYTES)
    except OSError:
        for path in paths:
            with suppress(FileNotFoundError):
                path.unlink()
        raise
