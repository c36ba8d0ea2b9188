"""Load tests of users: requests about their contacts, configurations, the page."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import ghz, load_data
from server.access.roles import Role
from tests.access import give_token
from tests.certificates import Authority
from tests.servers import DEADLINE_SECONDS, ROOT, Server, run, serving

NEEDS_GHZ = pytest.mark.skipif(shutil.which("ghz") is None, reason=str(ghz.NoGhz()))
CONFIGURATIONS = ROOT / "bench" / "ghz"
ASKED = ("--contact-column", "client", "--space", "web_home_side", "--max", "3")


def made(folder: Path, contacts: Path, *more: str) -> None:
    """Data files in a folder's build/load."""
    arguments = [str(contacts), *ASKED, "--folder", str(folder / "build" / "load")]
    done = CliRunner().invoke(load_data.main, [*arguments, *more])
    assert done.exit_code == 0, done.output


def called(
    folder: Path, name: str, address: str, *flags: str, count: int = 40
) -> dict[str, Any]:
    """What ghz reports of a configuration, called so often from a folder."""
    (folder / "proto").symlink_to(ROOT / "proto")
    held = json.loads((CONFIGURATIONS / f"{name}.json").read_text())
    # So many calls instead of so many seconds.
    for field in ("duration", "duration-stop"):
        del held[field]
    (folder / "short.json").write_text(json.dumps(held | {"total": count}))
    command = ("ghz", "--config", "short.json", "-c", "8", "-O", "json", *flags)
    done = subprocess.run(
        [*command, address],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
    )
    return json.loads(done.stdout)


def recorded_of(server: Server, contact: str) -> int:
    """How many propositions of a contact the server has, 100 at most."""
    found = run(
        *("contacts", "propositions", contact, "--environment", "recipient"),
        *("--admin-server", server.admin, "--data", server.data, "--output", "json"),
    )
    return len(json.loads(found))


@NEEDS_GHZ
@pytest.mark.parametrize("name", ["dry_run", "open_loop", "recorded"])
def test_every_call_of_a_configuration_is_answered(
    name: str, bank: Server, bank_contacts: Path, tmp_path: Path
) -> None:
    """And recorded or not, as the name says."""
    made(tmp_path, bank_contacts, "--count", "20", "--context", "page=home")
    before = recorded_of(bank, "C000003")

    report = called(tmp_path, name, bank.decisions)

    assert report["statusCodeDistribution"] == {"OK": 40}
    assert (recorded_of(bank, "C000003") > before) == (name == "recorded")


@NEEDS_GHZ
def test_updates_are_of_propositions_that_there_are(
    bank: Server, bank_contacts: Path, tmp_path: Path
) -> None:
    """Those that were made for the file; the last status of each is as it says."""
    options = ("--count", "5", "--context", "page=home", "--server", bank.decisions)
    made(tmp_path, bank_contacts, *options, "--updates")
    updates = json.loads((tmp_path / "build" / "load" / "update.json").read_text())

    report = called(tmp_path, "update", bank.decisions, count=len(updates))

    assert report["statusCodeDistribution"] == {"OK": len(updates)}
    assert len({update["proposition_id"] for update in updates}) == len(updates) > 5


@NEEDS_GHZ
def test_calls_say_who_they_are(bank_contacts: Path, tmp_path: Path) -> None:
    """With a token, in plaintext and encrypted; without it, they are refused."""
    data = tmp_path / "data"
    data.mkdir()
    authority = Authority()
    certificate, key = authority.issue().write(tmp_path, "server")
    token = give_token(data, Role.DECISION_CLIENT)
    run("catalog", "publish", ROOT / "examples" / "bank" / "catalog", "--data", data)
    for name, options in {
        "token": (),
        "tls": ("--tls-cert", str(certificate), "--tls-key", str(key)),
    }.items():
        folder = tmp_path / name
        made(folder, bank_contacts, "--count", "5", "--token", token)
        (folder / "build" / "load" / "ca.pem").write_bytes(authority.certificate)
        with serving(data, 1, "--auth", "required", *options) as server:
            report = called(folder, name, server.decisions)
            (folder / "proto").unlink()
            (folder / "nobody.json").write_text("{}")
            refused = called(
                folder, name, server.decisions, "-M", str(folder / "nobody.json")
            )

        assert report["statusCodeDistribution"] == {"OK": 40}
        assert refused["statusCodeDistribution"] == {"Unauthenticated": 40}


def test_a_token_is_for_its_owner_only(bank_contacts: Path, tmp_path: Path) -> None:
    """Even where the file was there before, readable by all."""
    folder = tmp_path / "build" / "load"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{}")

    made(tmp_path, bank_contacts, "--count", "1", "--token", "secret")

    mode = (folder / "metadata.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert json.loads((folder / "metadata.json").read_text()) == {
        "authorization": "Bearer secret"
    }


@NEEDS_GHZ
def test_ids_are_no_templates(bank_contacts: Path, tmp_path: Path) -> None:
    """A contact whose id has two braces is asked for under it."""
    data, contacts = tmp_path / "data", tmp_path / "contacts.csv"
    header, _, second, *_ = bank_contacts.read_text().splitlines()
    contacts.write_text(f"{header}\n{second.replace('C000002', '{{newUUID}}')}\n")
    made(tmp_path, contacts, "--context", "page=home")
    run("catalog", "publish", ROOT / "examples" / "bank" / "catalog", "--data", data)
    about = ("--environment", "recipient", "--key", "client", "--data", data)
    run("contacts", "import", contacts, *about)

    with serving(data) as server:
        called(tmp_path, "recorded", server.decisions, count=8)

        assert recorded_of(server, "{{newUUID}}") > 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("absent.csv", "--space", "s"), "no such file"),
        (("clients.csv", "--space", "s"), "no column 'contact_id'"),
        (("clients.csv", "--contact-column", "n", "--space", "s"), "line 3 repeats"),
    ],
)
def test_a_file_without_contacts_is_refused(
    arguments: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    """In one line, with what to do, and nothing is written."""
    (tmp_path / "clients.csv").write_text("n,m\n1,1\n1,2\n")
    command = [sys.executable, "-m", "bench.load_data", *arguments]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "build").exists()


def test_updates_need_a_server(bank_contacts: Path, tmp_path: Path) -> None:
    """Which is said in one line."""
    arguments = [str(bank_contacts), *ASKED, "--folder", str(tmp_path / "load")]
    nobody = ("--updates", "--count", "1", "--server", "127.0.0.1:1")
    done = CliRunner().invoke(load_data.main, [*arguments, *nobody])

    assert done.exit_code == 1
    assert "UNAVAILABLE" in done.output


def shortened(text: str, addresses: Mapping[str, str]) -> str:
    """A block of the page, for less than a second, of servers on other ports."""
    text = re.sub(r"-z \d+s", "-z 300ms", text)
    text = text.replace("--seconds 2", "--seconds 0.2 --start 800")
    for written, actual in addresses.items():
        text = text.replace(written, actual)
    return text


@NEEDS_GHZ
def test_the_page_runs_as_written(
    bank: Server, bank_contacts: Path, tmp_path: Path
) -> None:
    """Every block marked sh or bash, in order, and every call of it is answered."""
    page = (ROOT / "docs" / "load-testing.md").read_text()
    for name in ("bench", "examples", "proto"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "PROPONO_DATA": str(bank.data),
        "PROPONO_SERVER": bank.decisions,
    }
    addresses = {"127.0.0.1:50051": bank.decisions, "127.0.0.1:9464": bank.metrics}
    runs = 0
    for block in re.findall(r"```(?:sh|bash)\n(.*?)```", page, re.DOTALL):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", shortened(block, addresses)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        if "ghz " in block:
            codes = set(re.findall(r"\[(\w+)\] +\d+ responses", done.stdout))
            assert codes == {"OK"}, f"{block}\n{done.stdout}"
            runs += 1
    assert runs >= 5


def test_the_page_names_every_configuration() -> None:
    """And none that there is not."""
    page = (ROOT / "docs" / "load-testing.md").read_text()
    named = set(re.findall(r"`(\w+)\.json` ", page))

    assert {path.stem for path in CONFIGURATIONS.glob("*.json")} <= named
