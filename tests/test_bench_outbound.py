"""The benchmark of batches runs, compares answers first, and measures what it says."""

from collections.abc import Generator

import msgspec
import pytest
from click.testing import CliRunner

from bench import outbound
from bench.outbound import Bank, WrongAnswer, batch_of, check, opened, rate


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bank]:
    made = opened(tmp_path_factory.mktemp("outbound"), 80, None)
    yield made
    made.history.close()
    made.profiles.close()


def test_batches_agree_with_propose(bank: Bank) -> None:
    """And there is something to agree on."""
    assert check(bank, 3) > 80


def test_a_wrong_answer_ends_the_benchmark(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is timed that was not compared."""
    monkeypatch.setattr(outbound, "_same", lambda seed, size: bytes(size))

    with pytest.raises(WrongAnswer):
        check(bank, 3)


def test_every_contact_is_counted(bank: Bank) -> None:
    """Rates are of the contacts asked for, and of the work, not of waiting."""
    line = rate(bank, "dry run", batch_of(bank.contact_ids, 1, dry_run=True))

    assert line["contacts"] == 80
    assert line["contacts/s of CPU"] * line["us of CPU each"] == pytest.approx(1e6)


def test_it_prints_rates_and_stages() -> None:
    """As JSON: dry, recorded, and answered again; and where the time goes."""
    arguments = ["--contacts", "70", "--seconds", "0", "--output", "json"]
    done = CliRunner().invoke(outbound.main, arguments)
    rates, stages = map(msgspec.json.decode, done.stdout.splitlines())

    assert done.exit_code == 0, done.output
    assert [line["what"] for line in rates["results"]] == [
        "dry run",
        "recorded",
        "recorded, asked again",
    ]
    assert all(line["contacts/s"] > 0 for line in rates["results"])
    assert [line["what"] for line in stages["results"]] == [
        "profile",
        "history",
        "decide",
        "a batch of one, whole",
    ]
