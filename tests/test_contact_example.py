"""The example bank's clients: made up, repeatable, and importable."""

from collections import Counter

from click.testing import CliRunner

from contact_store.profiles import ProfileStore
from examples.bank.contacts import Client, clients, main
from server.files.contacts import import_contacts
from tests.test_contact_import import BANK_ATTRIBUTES


def test_the_same_seed_makes_the_same_clients():
    """Another seed makes others, and more of them begin with the same."""
    first = list(clients(200, 7))

    assert first == list(clients(200, 7))
    assert first == list(clients(300, 7))[:200]
    assert first != list(clients(200, 8))


def test_every_client_can_be_imported(tmp_path):
    """The command writes what the import takes, with no bad cell."""
    path = tmp_path / "clients.csv"

    result = CliRunner().invoke(main, ["3000", "--seed", "7", "-o", str(path)])

    with ProfileStore(tmp_path / "profiles") as store:
        summary = import_contacts(
            path,
            environment="bank",
            attributes=BANK_ATTRIBUTES,
            key=["client"],
            store=store,
            rejects=tmp_path / "rejects.csv",
            progress=lambda *_: None,
        )
    assert result.exit_code == 0
    assert (summary.contacts, summary.rejected_rows) == (3_000, 0)
    assert (summary.ignored_columns, summary.missing_attributes) == ((), ())


def test_clients_are_plausible():
    """Ages, jobs and money hang together, within wide bounds."""
    made = list(clients(5_000, 7))

    def mean(values):
        values = list(values)
        return sum(values) / len(values)

    assert all(18 <= client.age <= 95 for client in made)
    assert all(client.age >= 52 for client in made if client.job == "retired")
    assert all(client.age <= 26 for client in made if client.job == "student")
    assert all((client.pdays == -1) == (client.previous == 0) for client in made)
    assert 38 < mean(client.age for client in made) < 44
    assert 0.05 < mean(client.balance < 0 for client in made) < 0.12
    assert 0.75 < mean(client.pdays == -1 for client in made) < 0.88
    educations = Counter(c.education for c in made if c.job == "management")
    assert educations["tertiary"] > 3 * educations["secondary"]
    assert len({client.client for client in made}) == 5_000
    assert Client._fields[1:] == tuple(a.name for a in BANK_ATTRIBUTES)
