"""Small disks that can be filled, and disks whose power can be cut.

Both are mounted, which only root may do, and not everywhere: where it is refused, the
test is skipped and says so. What was mounted is unmounted, whatever happened, and a
loop device is detached with that.
"""

import fcntl
import os
import struct
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Event, Thread
from typing import NoReturn

import pytest

#: EXT4_IOC_SHUTDOWN: from now on the file system refuses everything.
SHUTDOWN = 0x8004587D
#: Its journal is not written either: what is not on disk never will be.
NO_LOG_FLUSH = 2


class LoopDisk:
    """An ext4 file system in a file, whose power can be cut."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.target = folder / "disk"
        self.target.mkdir()
        self._image = folder / "disk.img"
        with self._image.open("wb") as file:
            file.truncate(size_bytes)

    def mount(self) -> None:
        # The loop device goes when it is unmounted.
        _run("mount", "-o", "loop", self._image, self.target)

    def format(self) -> None:
        _run("mkfs.ext4", "-q", self._image)

    def cut_power(self) -> None:
        """Nothing reaches the disk any more, not even what the kernel holds."""
        descriptor = os.open(self.target, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def power_on(self) -> None:
        """What is on disk, and nothing else, is there again."""
        _unmount(self.target)
        self.mount()


@contextmanager
def loop_disk(folder: Path, size_bytes: int) -> Generator[LoopDisk]:
    """Such a disk, mounted at folder/disk, for the time of the block."""
    disk = LoopDisk(folder, size_bytes)
    with _skipped_where_refused():
        disk.format()
        disk.mount()
    try:
        yield disk
    finally:
        _unmount(disk.target)


@contextmanager
def small_disk(kind: str, folder: Path, size_bytes: int) -> Generator[Path]:
    """An empty file system, `tmpfs` or `ext4`, mounted at folder/disk."""
    if kind == "ext4":
        with loop_disk(folder, size_bytes) as disk:
            yield disk.target
        return
    target = folder / "disk"
    target.mkdir()
    with _skipped_where_refused():
        _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", target)
    try:
        yield target
    finally:
        _unmount(target)


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


@contextmanager
def _skipped_where_refused() -> Generator[None]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    try:
        yield
    except FileNotFoundError as error:
        pytest.skip(f"{error.filename} is not installed")
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        pytest.skip(f"no file system may be mounted here: {said}")


def _unmount(target: Path) -> None:
    if not os.path.ismount(target):
        return
    done = subprocess.run(["umount", target], capture_output=True, text=True)
    if done.returncode != 0:
        # Somebody still has a file open: gone from sight now, and for good later.
        _run("umount", "--lazy", target)
        raise AssertionError(f"the disk was still in use: {done.stderr}")


def fill(path: Path) -> None:
    """Write a file until nothing is left of the disk, down to the last block."""
    with path.open("wb", buffering=0) as file:
        for size_bytes in (1 << 20, 1 << 10):
            with pytest.raises(OSError, match="No space left"):
                _write_for_ever(file, bytes(size_bytes))


def _write_for_ever(file: FileIO, data: bytes) -> NoReturn:
    while True:
        file.write(data)


@contextmanager
def written_back(path: Path) -> Generator[None]:
    """The kernel writes what is dirty of a file all the time, whoever it is that waits.

    So a cut finds writes on disk that came later than others that are not.
    """
    stop = Event()
    descriptor = os.open(path, os.O_RDWR)

    def write_back() -> None:
        while not stop.is_set():
            try:
                os.fdatasync(descriptor)
            except OSError:
                # The power is gone.
                return

    thread = Thread(target=write_back)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        os.close(descriptor)
