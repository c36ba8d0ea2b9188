"""What the documents say is true: commands run, limits and links are right."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from catalog_store.records import resource_name
from server.files import read_catalog
from tests.servers import BANK, DEADLINE_SECONDS, PROPONO, ROOT, Server

DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def shell_blocks(path: Path) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_commands_run_as_written(path: Path, bank: Server, tmp_path: Path) -> None:
    """Every block marked sh, in order, in a folder with the examples in it."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    environment = {
        "PATH": f"{PROPONO.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "PROPONO_DATA": str(tmp_path / "data"),
        "PROPONO_SERVER": bank.decisions,
    }
    for block in shell_blocks(path):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def test_the_answer_in_the_readme_is_of_the_bank() -> None:
    """Spaces, offers and titles that it shows are in the catalog."""
    text = (ROOT / "README.md").read_text()
    rows = re.findall(r"^ +(web_\w+) +(\d) +(\w+) +([\d.]+) +(.+?) {2,}\w", text, re.M)
    catalog = read_catalog(BANK).catalog
    recipient = next(e for e in catalog.environments if e.name == "recipient")
    titles = {offer.name: offer.content["title"] for offer in recipient.offers}

    assert len(rows) == 4
    for space, _, offer, _, title in rows:
        assert space in {s.name for s in recipient.spaces}
        assert titles[offer] == title


def test_limits_are_those_of_the_code() -> None:
    """Each row of the table of limits names a constant, and has its value."""
    text = (ROOT / "docs" / "operating.md").read_text()
    rows = re.findall(r"\| ([\d,]+) \| `([\w.]+)\.(\w+)` \|", text)

    assert len(rows) == 18
    for value, module, name in rows:
        found = getattr(import_module(module), name)
        assert found == int(value.replace(",", "")), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Relative links name files that exist."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())
    broken = [link for link in links if not (path.parent / link).exists()]

    assert broken == []


def test_the_client_example_runs_and_is_short(bank: Server) -> None:
    """At most thirty lines, against a live server."""
    example = ROOT / "examples" / "client.py"
    done = subprocess.run(
        [sys.executable, example, bank.decisions],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )

    assert len(example.read_text().splitlines()) <= 30
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("accepted ")


def test_resource_names_are_what_the_documents_say() -> None:
    """The names that history keeps never change."""
    assert resource_name("bank", "offers", "gold") == "environments/bank/offers/gold"
    assert resource_name("bank") == "environments/bank"
