"""`propono contacts`: exit statuses, summaries and what is left behind."""

import json

import pytest
from click.testing import CliRunner

from catalog_store.records import Catalog, Environment
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from contact_store.profiles import ProfileStore
from server.cli.contacts import contacts
from server.data_folder import DataFolder
from tests.test_contact_import import AGE, JOB

ENVIRONMENT = Environment(name="bank", contact_attributes=(AGE, JOB))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The command in a folder whose ./data has a published catalog."""
    monkeypatch.chdir(tmp_path)
    revisions = Revisions(DataFolder(tmp_path / "data").catalog)
    compiled = compile_catalog(Catalog(environments=(ENVIRONMENT,)))
    installed = revisions.install_catalog(compiled.catalog)
    revisions.publish(installed, publisher="test", now_ms=1)
    return lambda *arguments: CliRunner().invoke(contacts, arguments)


def test_import_prints_its_summary_and_loads(run, tmp_path):
    """As JSON on stdout, nothing else there."""
    (tmp_path / "in.csv").write_text("id,age,city\nC1,30,Paris\nC2,x,Rome\n")

    result = run(
        *("import", "in.csv", "-e", "bank", "--key", "id", "--output", "json"),
    )

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "file": "in.csv",
        "environment": "bank",
        "rows": 2,
        "contacts": 1,
        "duplicates": 0,
        "rejected_rows": 1,
        "rejects": "in.csv.rejected.csv",
        "loaded": True,
        "ignored_columns": ["city"],
        "missing_attributes": ["job"],
    }
    assert (tmp_path / "in.csv.rejected.csv").exists()
    with ProfileStore(tmp_path / "data" / "profiles") as store:
        assert list(store.scan("bank", [AGE], None)) == [("C1", (30,))]


def test_import_prints_a_table(run, tmp_path):
    """With what is worth knowing, and names spelt out."""
    (tmp_path / "in.csv").write_text("id,age,city,zip\nC1,30,Paris,1\n")

    result = run("import", "in.csv", "-e", "bank", "--key", "id")

    assert result.exit_code == 0, result.output
    assert "city, zip" in result.stdout
    assert "rejects" not in result.stdout


def test_a_strict_import_exits_with_1_when_a_row_is_bad(run, tmp_path):
    """And says where to look; nothing is loaded."""
    (tmp_path / "in.csv").write_text("id,age\nC1,30\nC2,x\n")

    result = run("import", "in.csv", "-e", "bank", "--key", "id", "--strict")

    assert result.exit_code == 1
    assert "1 bad rows, nothing was loaded; see in.csv.rejected.csv" in result.stderr
    with ProfileStore(tmp_path / "data" / "profiles") as store:
        assert store.count("bank") == 0


@pytest.mark.parametrize(
    ("arguments", "status", "reason"),
    [
        (("none.csv", "-e", "bank", "--key", "id"), 1, "none.csv: no such file"),
        (("in.csv", "-e", "bank", "--key", "nobody"), 1, "no column 'nobody'"),
        (("in.csv", "-e", "shop", "--key", "id"), 1, "unknown environment 'shop'"),
        (
            ("in.csv", "-e", "bank", "--key", "id", "--data", "empty"),
            *(1, "nothing is published in empty"),
        ),
        (("in.csv", "-e", "bank"), 2, "--key"),
        (("in.csv", "--key", "id"), 2, "--environment"),
        (("in.csv", "-e", "bank", "--key", "id", "--output", "xml"), 2, "xml"),
    ],
)
def test_refusals(run, tmp_path, arguments, status, reason):
    """1 with the reason for what is refused, 2 for wrong usage; never a traceback."""
    (tmp_path / "in.csv").write_text("id,age\nC1,30\n")

    result = run("import", *arguments)

    assert result.exit_code == status
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_export_writes_what_import_loaded(run, tmp_path):
    """And says how many."""
    (tmp_path / "in.csv").write_text("id,age,job\nC1,30,clerk\n")
    run("import", "in.csv", "-e", "bank", "--key", "id")

    result = run("export", "out.csv", "-e", "bank", "--key", "id", "--output", "json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"file": "out.csv", "contacts": 1}
    assert (tmp_path / "out.csv").read_text() == "id,age,job\nC1,30,clerk\n"
