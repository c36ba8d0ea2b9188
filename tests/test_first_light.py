"""`make serve`: a newcomer runs one command, and pastes what it prints."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.servers import DEADLINE_SECONDS, ROOT


def test_the_printed_calls_work(tmp_path: Path) -> None:
    """In a folder with a space in its name; the second start repeats no work."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("examples", ".venv"):
        target = ROOT / name if name == "examples" else Path(sys.prefix)
        (folder / name).symlink_to(target)

    first = start(folder)
    calls = read_calls(first)
    commands = re.findall(r"^  (\.venv/bin/\S+ (?:.*\\\n)*.*)", calls, re.M)
    pasted = [paste(folder, command, calls) for command in commands]
    stop(first)
    second = start(folder)
    said = read_calls(second)
    stop(second)

    assert [command.split()[1] for command in commands] == [
        "propose",
        "update",
        "propose",
        "examples/client.py",
    ]
    assert [status for status, _ in pasted] == [0, 1, 0, 0], pasted
    # The one call with a placeholder says what to put in its place.
    assert "send the proposition_id of an earlier answer" in pasted[1][1]
    assert "explicit" in pasted[0][1]
    assert "anonymous" in pasted[2][1]
    assert "publish" not in said
    assert "contacts import" not in said


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "examples.bank.first_light"),
            *("--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"),
            *("--metrics-listen", "127.0.0.1:0"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def read_calls(server: subprocess.Popen[str]) -> str:
    """What it prints until it is up."""
    assert server.stdout is not None
    lines: list[str] = []
    for line in server.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    return "".join(lines)


def paste(folder: Path, command: str, calls: str) -> tuple[int, str]:
    match = re.search(r"decisions on ([\w.:]+),", calls)
    assert match is not None
    if command.endswith("client.py"):
        command += f" {match[1]}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PROPONO_SERVER": match[1]},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    return done.returncode, done.stdout + done.stderr


def stop(server: subprocess.Popen[str]) -> None:
    server.send_signal(signal.SIGTERM)
    assert server.stdout is not None
    server.stdout.read()
    server.stdout.close()

    assert server.wait(DEADLINE_SECONDS) == 0
