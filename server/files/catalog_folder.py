"""The files of a catalog's folder, each read once and within bounds.

Links are followed, because deployments mount configuration that way; a link to a
folder above itself is refused. What is no YAML file is left alone, and so is
everything whose name starts with a dot.
"""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from compiler.source import Diagnostic, Source
from server.files import catalog_mistakes as mistakes

#: Showing one mistake costs a pass over its file.
FILE_BYTES_MAX = 4 * 1_048_576
CATALOG_BYTES_MAX = 128 * 1_048_576
ENTRIES_MAX = 10_000
FOLDER_DEPTH_MAX = 8
ENVIRONMENT_FILE = "environment.yaml"

Report = Callable[[Diagnostic], None]


class EnvironmentFiles(NamedTuple):
    """The sources of one environment, environment.yaml first, then by path."""

    name: str
    sources: tuple[Source, ...]


def environment_files(folder: Path, report: Report) -> list[EnvironmentFiles]:
    """What each environment's folder holds; reports what cannot be read."""
    if not folder.is_dir():
        report(mistakes.not_a_folder(display(folder)))
        return []
    walk = _Walk(report)
    environments: list[EnvironmentFiles] = []
    for entry in walk.entries(folder):
        if not entry.is_dir():
            if entry.suffix in (".yaml", ".yml"):
                report(mistakes.outside_environment(display(entry)))
            continue
        paths = sorted(walk.files(entry), key=lambda path: _order(entry, path))
        if entry / ENVIRONMENT_FILE not in paths:
            report(mistakes.no_environment_file(display(entry)))
        sources = (walk.read(path) for path in paths)
        found = tuple(source for source in sources if source is not None)
        environments.append(EnvironmentFiles(entry.name, found))
    if not environments:
        report(mistakes.no_environment(display(folder)))
    return environments


def display(path: Path) -> str:
    """A path as it can be printed, whatever bytes its name is made of."""
    return "".join(
        each if each.isprintable() else ascii(each)[1:-1] for each in str(path)
    )


def _order(folder: Path, path: Path) -> tuple[bool, tuple[str, ...]]:
    return path != folder / ENVIRONMENT_FILE, path.relative_to(folder).parts


class _Walk:
    """Counts what was seen over the whole catalog."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._entries_left = ENTRIES_MAX
        self._bytes_left = CATALOG_BYTES_MAX

    def entries(self, folder: Path) -> list[Path]:
        """What a folder shows, by name; nothing once there is too much."""
        names: list[str] = []
        try:
            with os.scandir(folder) as scanned:
                for entry in scanned:
                    if self._entries_left == 0:
                        self._report(
                            mistakes.too_many_files(display(folder), ENTRIES_MAX)
                        )
                        return []
                    self._entries_left -= 1
                    if not entry.name.startswith("."):
                        names.append(entry.name)
        except OSError as error:
            self._report(mistakes.unreadable(display(folder), _reason(error)))
        return [folder / name for name in sorted(names)]

    def files(self, folder: Path) -> Iterator[Path]:
        """The YAML files below a folder."""
        yield from self._files(folder, (self._identity(folder.parent),))

    def _files(self, folder: Path, above: tuple[object, ...]) -> Iterator[Path]:
        identity = self._identity(folder)
        if identity in above:
            self._report(mistakes.link_loop(display(folder)))
            return
        if len(above) > FOLDER_DEPTH_MAX:
            self._report(mistakes.folders_too_deep(display(folder), FOLDER_DEPTH_MAX))
            return
        for entry in self.entries(folder):
            if entry.is_dir():
                yield from self._files(entry, (*above, identity))
            elif entry.suffix == ".yaml":
                yield entry
            elif entry.suffix == ".yml":
                self._report(mistakes.wrong_suffix(display(entry)))

    def _identity(self, folder: Path) -> object:
        status = folder.stat()
        return status.st_dev, status.st_ino

    def read(self, path: Path) -> Source | None:
        """A file's text with "\\n" as its line ends, or None and a report."""
        name = display(path)
        try:
            # Without waiting: opening a named pipe would wait for its writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    self._report(mistakes.not_regular(name))
                    return None
                data = file.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            self._report(mistakes.unreadable(name, _reason(error)))
            return None
        if len(data) > FILE_BYTES_MAX:
            self._report(mistakes.file_too_large(name, FILE_BYTES_MAX))
            return None
        if len(data) > self._bytes_left:
            self._report(mistakes.catalog_too_large(name, CATALOG_BYTES_MAX))
            return None
        self._bytes_left -= len(data)
        return self._decoded(name, data)

    def _decoded(self, name: str, data: bytes) -> Source | None:
        try:
            text = data.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8").replace("\r\n", "\n")
            self._report(mistakes.not_utf8(name, before, data[error.start]))
            return None
        return Source(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
