"""A design that cannot be opened: everything else of the admin port goes on."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.design_admin import METHODS, DesignAdmin, design_admin
from tests.servers import BANK, run, serving, wait_until


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    run("catalog", "publish", BANK, "--data", tmp_path)
    (tmp_path / "design").mkdir()
    (tmp_path / "design" / "data.mdb").write_bytes(b"no LMDB file" * 1_000)
    with design_admin(tmp_path) as made:
        yield made


def test_methods_of_the_design_say_what_is_wrong(admin: DesignAdmin) -> None:
    """UNAVAILABLE, with the file and the remedy."""
    for method in (
        "ListOffers",
        "GetOffer",
        "CreateOffer",
        "Publish",
        "SetOfferDisabled",
    ):
        code, reason, text = admin.refused(method)
        assert (code, reason) == ("UNAVAILABLE", "STORE_FAILED")
        assert "/design: cannot be opened" in text
        assert "restore it from a backup, or move it away" in text


def test_what_needs_no_design_goes_on(admin: DesignAdmin) -> None:
    """Revisions, rolling back, and what is scheduled."""
    assert admin.call("ListRevisions").revisions[0].number == 1
    assert admin.call("Rollback", revision=1).revision.number == 2
    assert list(admin.call("ListScheduledPublications").scheduled_publications) == []
    assert METHODS.keys() > {"PushArtifact", "ApplyCatalog"}


def test_a_server_starts_all_the_same(tmp_path: Path) -> None:
    """It decides, its log says what is wrong, and it starts again without the file."""
    data, log = tmp_path / "data", tmp_path / "log"
    run("catalog", "publish", BANK, "--data", data)
    (data / "design").mkdir()
    (data / "design" / "data.mdb").write_bytes(b"no LMDB file" * 1_000)
    at = ("--data", data, "--admin-server")
    with log.open("w") as stderr, serving(data, stderr=stderr) as server:
        said = run("catalog", "apply", BANK, "--yes", *at, server.admin, status=1)
        assert "cannot be opened" in said
        run("catalog", "rollback", 1, *at, server.admin)
        wait_until(lambda: "nothing can be designed" in log.read_text())
    (data / "design" / "data.mdb").unlink()
    with serving(data) as server:
        run("catalog", "apply", BANK, "--yes", *at, server.admin)
