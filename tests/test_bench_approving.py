"""The benchmark of approvals runs, and times what it says."""

from click.testing import CliRunner

from bench.approving import main


def test_an_approval_is_timed_until_every_worker_serves_it() -> None:
    """Over a real server; each revision is asked for after it."""
    done = CliRunner().invoke(
        main, ["--offers", "20", "--workers", "1", "--repeats", "1", "--output", "json"]
    )

    assert done.exit_code == 0, done.output
    assert "approve and publish" in done.output
