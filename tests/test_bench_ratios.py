"""Nothing takes much longer than it did; what would, is found."""

import json
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from bench import ratio_subjects, ratios
from bench.ratio_subjects import Pair, yardstick
from bench.ratios import FILE, Known, compare, ratio_of, read

SERVED = {name for name in read(FILE) if name.startswith("served: ")}
IN_PROCESS = sorted(set(read(FILE)) - SERVED)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, Pair]]:
    with ExitStack() as stack:
        yield ratio_subjects.pairs(tmp_path_factory.mktemp("ratios"), stack)


def test_nothing_takes_much_longer_than_it_did(pairs: dict[str, Pair]) -> None:
    """By ratios, each within its tolerance: see docs/performance.md."""
    found = compare(pairs, read(FILE))

    assert [one.row() for one in found if one.is_slower] == []


@pytest.mark.parametrize("name", IN_PROCESS)
def test_what_takes_twice_as_long_is_found(pairs: dict[str, Pair], name: str) -> None:
    """Every tolerance is narrow enough."""
    ours, other = pairs[name]

    def twice() -> None:
        ours()
        ours()

    # The least of three: another test may run beside one of them.
    ratio = min(ratio_of(pairs[name]) for _ in range(3))
    now = Known(ratio, read(FILE)[name].tolerance)
    (found,) = compare({name: Pair(twice, other)}, {name: now})

    assert found.is_slower


def test_every_ratio_is_measured(pairs: dict[str, Pair]) -> None:
    """And every one that is measured has something that it is compared with."""
    assert sorted(pairs) == IN_PROCESS
    assert len(SERVED) == 2
    assert all(1 < known.tolerance < 2 for known in read(FILE).values())


def test_the_yardstick_is_what_it_was() -> None:
    """Whoever changes it changes every ratio."""
    assert yardstick() == sum(range(60))


def test_slower_ends_with_1_and_says_what(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Unless it is written down as what it is from now on."""
    file = tmp_path / "ratios.json"
    known = {"one": Known(1.0, 1.5), "other": Known(1.0, 1.5)}
    file.write_bytes(msgspec.json.encode(known))
    thrice = Pair(lambda: [yardstick() for _ in "abc"], yardstick)
    alike = Pair(yardstick, yardstick)
    monkeypatch.setattr(
        ratio_subjects, "pairs", lambda *_: {"one": thrice, "other": alike}
    )

    def run(*arguments: str) -> Result:
        words = ["--file", str(file), "--output", "json", *arguments]
        return CliRunner().invoke(ratios.main, words)

    done = run()
    rows = json.loads(done.stdout)["results"]
    assert done.exit_code == 1
    assert "slower than ratios.json allows: one\n" in done.stderr
    assert [row["slower"] for row in rows] == ["SLOWER", ""]
    assert run("--write").exit_code == 0
    assert read(file)["one"].ratio == pytest.approx(3, rel=0.2)
    assert read(file)["one"].tolerance == 1.5
    assert run().exit_code == 0
