"""Generated code and the contract that it comes from."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WIRE = ROOT / "server" / "wire"


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    """server/wire is what `make wire` makes of proto/, byte for byte."""
    subprocess.run(
        [sys.executable, ROOT / "proto" / "generate.py", tmp_path], check=True
    )
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text() for path in WIRE.glob("*_pb2*")}

    assert committed == made


@pytest.mark.parametrize("command", [["lint"], ["format", "--diff", "--exit-code"]])
def test_the_contract_follows_the_style_guide(command: list[str]) -> None:
    """buf's default rules, and its formatting, find nothing to say."""
    buf = Path(sys.executable).with_name("buf")
    done = subprocess.run(
        [buf, *command], cwd=ROOT / "proto", capture_output=True, text=True
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_element_of_the_contract_has_a_comment() -> None:
    """Whoever reads the contract reads what each part of it means."""
    uncommented = [
        f"{path.name}:{number}"
        for path in (ROOT / "proto" / "propono" / "v1").glob("*.proto")
        for number, (before, line) in enumerate(_pairs(path), start=2)
        if _declares(line) and not before.strip().startswith("//")
    ]

    assert uncommented == []


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text().splitlines()
    return list(pairwise(lines))


def _declares(line: str) -> bool:
    words = line.strip().split()
    if not words or words[0] in ("//", "import", "syntax", "package", "}", "option"):
        return False
    starts = ("message", "enum", "service", "rpc", "oneof")
    return words[0] in starts or (" = " in line and line.rstrip().endswith(";"))
