"""The bench of the gate runs, and measures what it says."""

import msgspec
from click.testing import CliRunner

from bench import admission


def test_the_gate_is_timed_alone_and_in_a_call() -> None:
    """Each kind of caller, and an echo over a real port with the gate and without."""
    done = CliRunner().invoke(admission.main, ["--seconds", "0.01", "--output", "json"])
    gate, call = (msgspec.json.decode(line) for line in done.stdout.splitlines())

    assert done.exit_code == 0, done.output
    assert [line["what"] for line in gate["results"]] == [
        "nobody has to say",
        "a token",
        "a certificate",
        "a wrong token",
        "a line of the audit log",
    ]
    assert all(0 < line["p50 us"] <= line["p99 us"] for line in gate["results"])
    (line,) = call["results"]
    assert line["ratio"] == line["asked p50 us"] / line["bare p50 us"]
