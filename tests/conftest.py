"""What several test modules share: one server of the example bank."""

from collections.abc import Generator
from pathlib import Path

import grpc
import pytest

from tests.servers import BANK, BANK_DATA, Server, run, serving

#: Contacts of the generator, for machines without the real file.
GENERATED_CONTACTS = 2_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write what golden files record anew; read the difference afterwards.",
    )


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Commands keep what they read of files, and not where people's commands do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def bank_contacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV of bank clients like the real ones, with a key column `client`."""
    import subprocess
    import sys

    path = tmp_path_factory.mktemp("contacts") / "clients.csv"
    command = [sys.executable, "-m", "examples.bank.contacts", str(GENERATED_CONTACTS)]
    subprocess.run([*command, "--seed", "7", "-o", str(path)], check=True)
    return path


@pytest.fixture(scope="session")
def bank(
    tmp_path_factory: pytest.TempPathFactory, bank_contacts: Path
) -> Generator[Server]:
    """The example bank, published, its contacts imported, served by one worker."""
    data = tmp_path_factory.mktemp("bank")
    run("catalog", "publish", BANK, "--data", data)
    run(
        *("contacts", "import", bank_contacts, "--environment", "recipient"),
        *("--key", "client", "--data", data),
    )
    with serving(data) as server:
        yield server


@pytest.fixture(scope="session")
def real_bank(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """The example bank, with the real file's contacts under their row numbers."""
    if not BANK_DATA.exists():
        pytest.skip("../shared/data/bank-full.csv is not there")
    data = tmp_path_factory.mktemp("real-bank")
    run("catalog", "publish", BANK, "--data", data)
    run(
        *("contacts", "import", BANK_DATA, "--environment", "recipient"),
        *("--key", "#row", "--data", data),
        *("--rejects", data / "rejects.csv"),
    )
    with serving(data) as server:
        yield server


@pytest.fixture
def channel(bank: Server) -> Generator[grpc.Channel]:
    """A connection to the bank's decision port."""
    with grpc.insecure_channel(bank.decisions) as made:
        yield made
