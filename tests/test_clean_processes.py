"""Commands that are forked are the commands that people start."""

import subprocess
from pathlib import Path

import pytest

from tests.clean_processes import IMPORTED, run_command
from tests.servers import BANK, DEADLINE_SECONDS, PROPONO, ROOT

WRONG = "contact.age > "


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["--help"],
        ["no-such-command"],
        ["rule", "explain", "contact.age >= 18", "--catalog", str(BANK)],
        ["rule", "check", WRONG, "--catalog", str(BANK)],
        ["catalog", "validate", str(BANK), "--output", "json"],
        ["propose", "--space", "s", "--contact", "c", "--server", "127.0.0.1:1"],
    ],
    ids=lambda words: words[0],
)
def test_a_forked_command_is_the_installed_one(arguments: list[str]) -> None:
    """To the byte, on both streams, with the same status."""
    installed = subprocess.run(
        [PROPONO, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        cwd=ROOT,
    )

    assert run_command(arguments, ROOT, DEADLINE_SECONDS) == (
        installed.returncode,
        installed.stdout,
        installed.stderr,
    )


def test_a_command_sees_the_environment_of_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of when the first one ran, nor of the one before it."""
    for name in ("a", "b"):
        monkeypatch.setenv("PROPONO_DATA", str(tmp_path / name))
        status, _, refusal = run_command(["doctor"], tmp_path, DEADLINE_SECONDS)

        assert status == 1
        assert str(tmp_path / name) in refusal


def test_every_command_is_imported_beforehand() -> None:
    """But serve: its processes are started, as they are by people."""
    from server.cli import _MODULE_OF  # pyright: ignore[reportPrivateUsage]

    commands = {module for name, module in _MODULE_OF.items() if name != "serve"}
    assert commands == {name for name in IMPORTED if name.startswith("server.cli.")}
