"""Bad catalogs in folders, and what is said of them.

--update-golden writes what is said now; read the difference before keeping it.
"""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from compiler import catalog_diagnostics
from compiler.catalog_check import check_catalog
from compiler.source import Diagnostic, Refused
from server.files import catalog_mistakes, read_catalog, yaml_mistakes

FOLDER = Path(__file__).parent / "catalogs"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
MODULES = (catalog_diagnostics, catalog_mistakes, yaml_mistakes)

#: Mistakes that need more than a small folder of texts: tests of their own hold them.
ELSEWHERE = {
    "bad_bound",
    "bad_period",
    "catalog_too_large",
    "file_too_large",
    "folders_too_deep",
    "link_loop",
    "more",
    "no_environment",
    "none_at_all",
    "not_a_folder",
    "not_regular",
    "not_utf8",
    "too_many",
    "too_many_files",
    "unreadable",
}


@pytest.mark.parametrize("case", CASES)
def test_bad_catalog(
    case: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each folder in tests/catalogs is told exactly what its text file records."""
    monkeypatch.chdir(FOLDER)
    actual = "\n\n".join(each.render() for each in diagnostics(Path(case))) + "\n"
    golden = FOLDER / f"{case}.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(actual)

    assert golden.read_text() == actual


def test_every_mistake_has_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new constructor of a diagnostic needs a bad catalog that shows it."""
    monkeypatch.chdir(FOLDER)
    called: set[str] = set()
    with recording_calls(called):
        for case in CASES:
            diagnostics(Path(case))

    assert constructors() - called == ELSEWHERE


def diagnostics(path: Path) -> list[Diagnostic]:
    """What is wrong with a folder, in the order in which people read it."""
    try:
        files = read_catalog(path)
    except Refused as refused:
        return refused.diagnostics
    return Refused(map(files.relocate, check_catalog(files.catalog))).diagnostics


def constructors() -> set[str]:
    return {name for module in MODULES for name in _constructors(module)}


def _constructors(module: ModuleType) -> Iterator[str]:
    for name, function in inspect.getmembers(module, inspect.isfunction):
        is_own = function.__module__ == module.__name__
        makes = inspect.signature(function).return_annotation
        if is_own and makes is Diagnostic and not name.startswith("_"):
            yield name


@contextmanager
def recording_calls(called: set[str]) -> Iterator[None]:
    """Collects the names of functions of MODULES that are called."""
    files = {module.__file__ for module in MODULES}

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename in files:
            called.add(frame.f_code.co_name)

    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)
