"""What docs/publishing.md says that programs are told."""

import re

from google.rpc import error_details_pb2, status_pb2

from catalog_store.artifact import ArtifactError, OldArtifact, UntrustedArtifact
from catalog_store.revisions import CatalogFolderFailed, PublicationBusy
from catalog_store.signal_page import WorkersBehind
from server.golden.failures import GoldenDecisionsFailed
from server.status import code_of, status_of
from tests.servers import ROOT

ERRORS = (
    UntrustedArtifact,
    OldArtifact,
    ArtifactError,
    lambda _: GoldenDecisionsFailed([]),
    PublicationBusy,
    CatalogFolderFailed,
    WorkersBehind,
)


def reason_of(error: Exception) -> str:
    metadata = dict(status_of(error).trailing_metadata)
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.reason


def test_reasons_are_those_that_callers_are_given() -> None:
    """Its table: code and reason of each refusal."""
    page = (ROOT / "docs" / "publishing.md").read_text()
    named = re.findall(r"^\| ([A-Z_]+) \| `([A-Z_]+)` \|", page, re.MULTILINE)
    raised = [kind("x") for kind in ERRORS]

    assert named == [(code_of(error), reason_of(error)) for error in raised]
