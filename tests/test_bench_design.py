"""The benchmark of the design runs, and compares what it timed."""

import re
from pathlib import Path

from bench.design import lines_of


def test_everything_that_is_timed_is_told(tmp_path: Path) -> None:
    """Of a catalog of any size."""
    lines = lines_of(60, tmp_path)

    assert [re.sub(r".*: |\d+ ", "", str(line["what"])) for line in lines] == [
        "write files",
        "read them",
        "apply from nothing, files read",
        "apply what is there",
        "apply one change",
        "change one offer",
        "open the design",
        "file, after one change",
    ]
    assert {str(line["what"]).partition(": ")[0] for line in lines} == {"60 offers"}
