"""The processes of a server, as the kernel sees them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """One process of a server, as the kernel sees it."""

    kind: str
    #: Without the files that it maps.
    memory_mb: float
    descriptors: int
    mappings: int


def processes_of(pid: int) -> list[Process]:
    """Admin and workers of a server, by kind."""
    found: list[Process] = []
    for kind, child in pids_of(pid):
        if kind == "keeper":
            continue
        entry = Path(f"/proc/{child}")
        try:
            status = (entry / "status").read_text()
            memory_kb = int(status.partition("RssAnon:")[2].split()[0])
            mappings = len((entry / "maps").read_text().splitlines())
            descriptors = len(list((entry / "fd").iterdir()))
        except (OSError, ValueError, IndexError):
            continue
        found.append(Process(kind, memory_kb * 1_024 / 1e6, descriptors, mappings))
    return sorted(found)


def pids_of(pid: int) -> Iterator[tuple[str, int]]:
    """Every process of a server: its kind and its id."""
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if parent == pid and b"server.process" in words:
                yield (
                    words[words.index(b"server.process") + 1].decode(),
                    int(entry.name),
                )
        except (OSError, ValueError, IndexError):
            # Not a process, or it has ended meanwhile.
            continue


def on_core(cpu: int | None) -> tuple[str, ...]:
    """What to put before a command that is to run on one core; nothing for any."""
    return () if cpu is None else ("taskset", "-c", str(cpu))
