"""Damaged catalogs: whatever is in the files, the answer is a catalog or Refused."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.catalog_check import check_catalog
from compiler.source import Refused
from server.files import read_catalog

EXAMPLE = Path(__file__).parent.parent / "examples" / "bank" / "catalog"
FILES = sorted(path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*.yaml"))

#: What changes the meaning of YAML, and what has broken readers before.
FRAGMENTS = [
    "\n", "\t", " ", "  ", ":", ": ", "- ", "#", "'", '"', "\\", "\\x", "\\u12", "|",
    ">", "|9", "[", "]", "{", "}", ",", "&a ", "*a", "!", "!!python/name:os ", "%", "@",
    "? ", "<<: *a", "---\n", "...\n", "~", "null", "yes", "-1", "1e999", ".nan", "0x1",
    "2027-99-99", "9999d", "\ufeff", "\x00", "\x85", "\u2028", "\ud7ff", "😀", "a" * 70,
    "[" * 30, "- " * 30, "environments/x:y", "\r", "\r\n", "name: ", "window: ",
]  # fmt: skip

edits = st.lists(
    st.tuples(
        st.sampled_from(FILES),
        st.floats(0, 1),
        st.integers(0, 12),
        st.sampled_from(FRAGMENTS) | st.text(max_size=5),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def copy() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(EXAMPLE, Path(folder) / "catalog"))


@given(edits=edits)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_damaged_text(copy: Path, edits: list[tuple[Path, float, int, str]]) -> None:
    """A few characters removed or inserted anywhere never raise anything else."""
    for file, place, removed, inserted in edits:
        text = (copy / file).read_text()
        at = int(place * len(text))
        changed = text[:at] + inserted + text[at + removed :]
        (copy / file).write_bytes(changed.encode("utf-8", "surrogatepass"))
    try:
        assert_read_or_refused(copy)
    finally:
        for file, *_ in edits:
            shutil.copyfile(EXAMPLE / file, copy / file)


@given(
    file=st.sampled_from(FILES),
    place=st.floats(0, 1),
    inserted=st.binary(min_size=1, max_size=8),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_damaged_bytes(copy: Path, file: Path, place: float, inserted: bytes) -> None:
    """Bytes that are no text at all are refused as well."""
    data = (copy / file).read_bytes()
    at = int(place * len(data))
    (copy / file).write_bytes(data[:at] + inserted + data[at:])
    try:
        assert_read_or_refused(copy)
    finally:
        shutil.copyfile(EXAMPLE / file, copy / file)


def assert_read_or_refused(path: Path) -> None:
    try:
        files = read_catalog(path)
    except Refused as refused:
        diagnostics = refused.diagnostics

        assert diagnostics
    else:
        diagnostics = [files.relocate(each) for each in check_catalog(files.catalog)]
    for each in diagnostics:
        # Each stands in a file, within its text, and can be shown on a terminal.
        assert each.source.name.startswith(str(path))
        assert 0 <= each.span.start <= each.span.stop <= len(each.source.text)
        assert "\x1b" not in each.render()
