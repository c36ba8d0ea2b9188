"""Where an environment is published from, and what is refused for it."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from catalog_store.artifact import write_artifact
from catalog_store.keys import PrivateKey
from catalog_store.records import Catalog, Environment, EnvironmentSource
from catalog_store.revisions import Revisions
from catalog_store.scheduled_publications import ScheduleState
from compiler.revision import compile_catalog
from compiler.source import Refused
from server.access.roles import Role
from server.client import CallFailed, call_failed
from server.data_folder import DataFolder
from server.design.due_publications import DuePublications
from server.design.publishing import Publisher
from server.files import read_catalog
from server.files.catalog_export import export_catalog
from server.wire import admin_pb2
from tests.approvals import bank, live_offers, records_of
from tests.bank import environment, offer
from tests.design_admin import DesignAdmin, design_admin
from tests.servers import DEADLINE_SECONDS, run
from tests.signing import trusted_key

RECORDS, ARTIFACT = EnvironmentSource.RECORDS, EnvironmentSource.ARTIFACT
PUSH = "/propono.v1.AdminService/PushArtifact"


class Port(NamedTuple):
    """An admin port, what it keeps, and a key that it trusts."""

    admin: DesignAdmin
    folder: Path
    key: PrivateKey

    def push(self, sequence: int, *environments: Environment) -> str:
        """The reason of the refusal; empty when it is published."""
        path = self.folder / "pushed.propono"
        compiled = compile_catalog(Catalog(environments=environments)).catalog
        write_artifact(path, compiled, self.key, sequence=sequence)
        data = path.read_bytes()
        parts = (
            admin_pb2.PushArtifactRequest(chunk=data[at : at + 131_072])
            for at in range(0, len(data), 131_072)
        )
        sent = (part.SerializeToString() for part in parts)
        try:
            self.admin.channel.stream_unary(PUSH)(sent, timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            return call_failed(error).reason
        return ""

    def publish(self) -> str:
        """As `push`."""
        try:
            self.admin.call("Publish")
        except CallFailed as failure:
            return failure.reason
        return ""

    def design(self, source: EnvironmentSource | None) -> None:
        self.admin.apply(records_of(bank(source=source)))


@pytest.fixture
def port(tmp_path: Path) -> Generator[Port]:
    with design_admin(tmp_path) as admin:
        yield Port(admin, tmp_path, trusted_key(Revisions(tmp_path / "catalog")))


def test_without_a_source_the_last_one_decides(port: Port) -> None:
    """The design as it is, and whatever is pushed."""
    port.design(None)

    assert [port.publish(), port.push(1, bank(source=None)), port.publish()] == [""] * 3
    assert live_offers(port.folder).keys() == {"gold"}


def test_records_are_not_replaced_by_a_push(port: Port) -> None:
    """Neither by one that has the environment nor by one that leaves it out; published
    or not yet."""
    port.design(RECORDS)
    other = Environment(name="other")
    assert port.push(1, bank(source=None)) == "OTHER_SOURCE"
    assert port.publish() == ""
    assert port.push(2, bank(source=None)) == "OTHER_SOURCE"
    assert port.push(3, other) == "OTHER_SOURCE"
    assert live_offers(port.folder) == {}
    # A rollback takes nothing from elsewhere.
    port.admin.call("Rollback", revision=1)
    assert Revisions(port.folder / "catalog").current().number == 2


def test_what_says_that_it_is_of_records_is_not_pushed(port: Port) -> None:
    """It would lock out whoever pushes next."""
    assert port.push(1, bank(source=RECORDS)) == "OTHER_SOURCE"


def test_artifacts_are_not_replaced_by_the_design(port: Port) -> None:
    """Whether the design says so, or only what was pushed does."""
    assert port.push(1, bank(source=ARTIFACT)) == ""
    port.design(None)
    assert port.publish() == "OTHER_SOURCE"
    assert port.push(2, bank(source=ARTIFACT)) == ""
    port.design(ARTIFACT)
    assert port.publish() == "OTHER_SOURCE"
    assert port.push(3, bank(source=None)) == ""


def test_the_design_has_the_last_word(port: Port) -> None:
    """An administrator takes over what was pushed, and what is live stays so."""
    assert port.push(1, bank(source=ARTIFACT)) == ""
    port.design(RECORDS)

    assert port.publish() == ""
    assert live_offers(port.folder).keys() == {"gold"}
    assert port.push(2, bank(source=ARTIFACT)) == "OTHER_SOURCE"
    # Back again: at once for a push that the design does not forbid.
    port.design(ARTIFACT)
    assert port.push(3, bank(source=ARTIFACT)) == ""


def test_when_the_design_says_nothing_what_decides_does(port: Port) -> None:
    """Until the design is published without a source, nobody else takes its place."""
    port.design(RECORDS)
    assert port.publish() == ""
    port.design(None)
    assert port.push(1, bank(source=None)) == "OTHER_SOURCE"
    assert port.publish() == ""

    assert port.push(2, bank(source=None)) == ""


def test_what_was_scheduled_before_approvals_is_refused(port: Port) -> None:
    """Nobody approved it; what is scheduled of approved versions is published."""

    def schedule() -> None:
        port.admin.clock.now_ms += 1_000
        at = port.admin.clock.now_ms // 1_000 + 60
        port.admin.call("Publish", publish_time={"seconds": at})

    port.design(None)
    schedule()
    port.design(RECORDS)
    schedule()
    port.admin.clock.now_ms += 61_000
    folder, clock = DataFolder(port.folder), port.admin.clock
    publisher = Publisher(folder, clock, lambda: [bank(source=RECORDS)])
    ended = DuePublications(folder, publisher, clock).publish()

    assert [(one.number, one.state) for one in ended] == [
        (1, ScheduleState.REFUSED),
        (2, ScheduleState.PUBLISHED),
    ]
    assert "published of what is approved by now" in ended[0].reason
    assert live_offers(port.folder) == {}


def test_a_damaged_revision_keeps_nobody_from_replacing_it(port: Port) -> None:
    """Nobody can read what it says; the design's word still counts."""
    port.design(RECORDS)
    assert port.publish() == ""
    port.design(None)
    current = Revisions(port.folder / "catalog").current()
    path = port.folder / "catalog" / "files" / f"{current.file_sha256}.mdb"
    path.chmod(0o600)
    path.write_bytes(b"")
    assert port.push(1, bank(source=None)) == ""
    port.design(RECORDS)

    assert port.push(2, bank(source=None)) == "OTHER_SOURCE"


def test_one_revision_has_one_source() -> None:
    """It could be published from neither side."""
    mixed = bank(), Environment(name="other", source=ARTIFACT)
    with pytest.raises(Refused, match="give them one source"):
        compile_catalog(Catalog(environments=mixed))


@pytest.mark.parametrize(
    "change", [{"source": 1}, {"source": 2}, {"forbids_own_approval": True}]
)
def test_administrators_choose_the_source(port: Port, change: dict[str, int]) -> None:
    """Whoever keeps the catalog may change the rest of an environment."""
    port.design(None)
    sent = {"name": "environments/bank", "label": "x", **change}

    def update(admin: DesignAdmin, *paths: str) -> str:
        try:
            admin.call(
                "UpdateEnvironment", environment=sent, update_mask={"paths": paths}
            )
        except CallFailed as failure:
            return failure.reason
        return ""

    ann = port.admin.as_("ann", Role.OFFER_MANAGER)
    assert update(ann, "label") == ""
    assert update(ann, *change) == "PERMISSION_DENIED"
    assert update(ann, "label", *change) == "PERMISSION_DENIED"
    assert update(port.admin, *change) == ""


def test_it_travels_in_files(tmp_path: Path) -> None:
    """And `catalog publish PATH` refuses what a push would be refused for."""
    data, path = tmp_path / "data", tmp_path / "files"
    export_catalog(Catalog(environments=(bank(),)), path)
    asked = ("--data", data)

    assert "says itself that it is published from design records" in run(
        "catalog", "publish", path, *asked, status=1
    )
    run("catalog", "apply", path, "--yes", *asked)
    run("catalog", "export", tmp_path / "again", *asked)
    (again,) = read_catalog(tmp_path / "again").catalog.environments
    assert again.source is RECORDS
    run("catalog", "publish", *asked)
    assert "`propono catalog apply` takes files" in run(
        "catalog", "publish", path, *asked, status=1
    )
    export_catalog(
        Catalog(environments=(environment([offer("gold")]),)), tmp_path / "other"
    )
    assert "`propono catalog apply` takes files" in run(
        "catalog", "publish", tmp_path / "other", *asked, status=1
    )
