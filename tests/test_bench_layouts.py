"""The benchmark of layouts runs, and every layout stores what it says."""

import json
from pathlib import Path

import lmdb
import pytest
from click.testing import CliRunner

from bench import layouts
from bench.faulty_disk import CannotBuild, FaultyDisk


def test_every_layout_is_measured(tmp_path: Path) -> None:
    """One worker and two, each with records stored."""
    try:
        FaultyDisk(tmp_path, tmp_path)
    except CannotBuild as reason:
        pytest.skip(f"no disk that is slow: {reason}")
    arguments = ["--contacts", "100", "--seconds", "0.2", "--flush-ms", "0"]

    done = CliRunner().invoke(layouts.main, [*arguments, "--output", "json"])

    assert done.exit_code == 0, done.output
    rows = json.loads(done.output.splitlines()[-1])["results"]
    assert [(row["layout"], row["workers"]) for row in rows] == [
        (layout, workers) for layout in layouts.LAYOUTS for workers in (1, 2)
    ]
    assert all(row["records/s"] > 0 for row in rows)


@pytest.mark.parametrize(("layout", "count"), [("one", 1), ("shards", 8)])
def test_contacts_are_where_the_layout_says(
    tmp_path: Path, layout: str, count: int
) -> None:
    """All of them, in as many environments."""
    layouts._fill(layout, tmp_path, 1_000)

    folders = sorted(path for path in tmp_path.iterdir())
    assert len(folders) == count
    stored = 0
    for folder in folders:
        with lmdb.open(str(folder)) as environment:
            stored += environment.stat()["entries"]
    assert stored == 1_000
