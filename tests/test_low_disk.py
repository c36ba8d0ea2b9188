"""While the disk is nearly full nothing is recorded, and everything else goes on."""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from server.client import CallFailed, Client
from server.data_folder import DataFolder
from server.disk_watch import DiskWatch
from server.metrics_files import FILE_BYTES
from server.recording_state import RecordingState
from server.refusals import LowDisk
from server.shared_page import SharedPage
from server.wire import decision_pb2 as pb
from tests.servers import BANK, DEADLINE_SECONDS, children_of, run, serving, wait_until
from tests.test_metrics import samples
from tests.test_supervisor import health

SPACES = [pb.SpaceRequest(space="web_home_side")]
RECORDED = pb.ProposeRequest(visitor_id="v", spaces=SPACES)
DRY = pb.ProposeRequest(visitor_id="v", spaces=SPACES, dry_run=True)
SERVING, NOT_SERVING = 1, 2
RECORDING = "propono.v1.DecisionService/recording"


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of its own, of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder],
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path, left_bytes: int) -> Path:
    """A file that leaves so much of the file system."""
    path = folder / "filler"
    found = os.statvfs(folder)
    with path.open("wb") as file:
        size = found.f_bavail * found.f_frsize - left_bytes
        os.posix_fallocate(file.fileno(), 0, size)
    return path


def test_a_server_on_a_full_disk_goes_on_but_for_recording(small_disk: Path) -> None:
    """Until there is room again; no process ends, and nothing is to be started."""
    data = small_disk / "data"
    run("catalog", "publish", BANK, "--data", data)
    with serving(data, 1, "--disk-reserve", "8MiB") as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        proposed = client.propose(RECORDED).results[0].propositions[0]
        processes = children_of(server.process.pid)
        assert health(server.decisions, RECORDING) == SERVING
        # A number that found no room in its mapped file would end the process.
        assert room_of_metrics(data) >= FILE_BYTES

        # Not one block is left, which is worse than what the reserve is for.
        filler = fill(small_disk, 0)
        wait_until(lambda: health(server.decisions, RECORDING) == NOT_SERVING)
        refusals = [refusal(client, request) for request in (RECORDED, DRY)]
        with pytest.raises(CallFailed) as updated:
            client.update_proposition(
                pb.UpdatePropositionRequest(
                    proposition_id=proposed.proposition_id,
                    status="PROPOSITION_STATUS_ACCEPTED",
                )
            )
        batch = pb.ProposeBatchRequest(contact_ids=["ann"], spaces=SPACES)
        with pytest.raises(CallFailed) as batched:
            list(client.propose_batch(batch))
        numbers = samples(server)

        assert refusals == ["LOW_DISK", ""]
        assert updated.value.reason == batched.value.reason == "LOW_DISK"
        assert health(server.decisions) == SERVING
        assert numbers["propono_recording_possible"] == 0
        assert numbers["propono_calls_refused_total reason=LOW_DISK"] >= 3

        filler.unlink()
        wait_until(lambda: health(server.decisions, RECORDING) == SERVING)
        assert refusal(client, RECORDED) == ""
        assert samples(server)["propono_recording_possible"] == 1
        assert children_of(server.process.pid) == processes
        client.close()


def room_of_metrics(data: Path) -> int:
    """Bytes on disk of the smallest file that a process counts in."""
    return min(p.stat().st_blocks * 512 for p in (data / "metrics").glob("*.slots"))


def refusal(client: Client, request: pb.ProposeRequest) -> str:
    """The reason that a call is refused for; empty when it is answered."""
    fresh = pb.ProposeRequest()
    fresh.CopyFrom(request)
    try:
        client.propose(fresh)
    except CallFailed as failed:
        return failed.reason
    return ""


def test_callers_are_told_when_to_try_again() -> None:
    """The refusal is UNAVAILABLE, with a reason and a time."""
    from server.status import status_of

    status = status_of(LowDisk(is_map=False))
    ((_, encoded),) = status.trailing_metadata
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    found = status_pb2.Status.FromString(encoded)

    assert status.code is grpc.StatusCode.UNAVAILABLE
    assert found.details[0].Unpack(info)
    assert info.reason == "LOW_DISK"
    assert found.details[1].Unpack(retry)
    assert retry.retry_delay.seconds == 5


def test_the_map_is_watched_as_well(tmp_path: Path) -> None:
    """A history that has grown to the end of its map cannot even be purged."""
    data = DataFolder(tmp_path)
    data.history.mkdir()
    file = data.history / "data.mdb"
    file.write_bytes(bytes(95_000))
    page = SharedPage.create(tmp_path / "page")
    state = RecordingState(page)
    watch = DiskWatch(data, page, reserve_bytes=10_000, map_bytes=100_000)
    watch.look()
    assert not state.is_possible
    with pytest.raises(LowDisk, match="the history's map"):
        state.check()

    # Somewhat more than the reserve must be free before recording goes on.
    file.write_bytes(bytes(89_500))
    watch.look()
    assert not state.is_possible
    file.write_bytes(bytes(88_000))
    watch.look()
    assert state.is_possible


def test_a_folder_that_cannot_be_looked_at_changes_nothing(tmp_path: Path) -> None:
    """The watch goes on; recording is as possible as it was."""
    page = SharedPage.create(tmp_path / "page")
    state = RecordingState(page)
    watch = DiskWatch(DataFolder(tmp_path / "absent"), page)
    watch.look()

    assert state.is_possible
