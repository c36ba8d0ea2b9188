"""A running server, and one that starts, over revisions that are not as published."""

import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from catalog_store.revisions import Revisions
from server.client import CallFailed, Client
from server.wire import decision_pb2 as pb
from tests.bank import NOON_MS, environment, offer, publish
from tests.servers import DEADLINE_SECONDS, Server, serving, wait_until

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVING = health_pb2.HealthCheckResponse.SERVING


def health(server: Server) -> int:
    with grpc.insecure_channel(server.decisions) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        answer = check(b"", timeout=DEADLINE_SECONDS)
    return health_pb2.HealthCheckResponse.FromString(answer).status


def decided(server: Server) -> int:
    """The revision that decides."""
    client = Client.connect(server.decisions, DEADLINE_SECONDS)
    request = pb.ProposeRequest(contact_id="1", dry_run=True)
    request.spaces.add(space="banner")
    try:
        return client.propose(request).revision
    finally:
        client.close()


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(data))


def _file(folder: Path, number: int) -> Path:
    sha256 = Revisions(folder).history()[-number].file_sha256
    return folder / "files" / f"{sha256}.mdb"


def _cut(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-4_096])


def _stripped(folder: Path, number: int) -> None:
    (folder / "revisions" / f"{number}.sig").unlink()


def _manifest_changed(folder: Path, number: int) -> None:
    _flip(folder / "revisions" / f"{number}.json", 40)


def _file_changed(folder: Path, number: int) -> None:
    # Where nothing is, so that no checksum of a chunk knows of it.
    path = _file(folder, number)
    _flip(path, path.read_bytes().index(bytes(64)) + 32)


def _file_cut(folder: Path, number: int) -> None:
    _cut(_file(folder, number))


def _key_revoked(folder: Path, number: int) -> None:
    trust = Revisions(folder).trust
    trust.revoke(trust.own_key().key_id, NOON_MS)


TAMPERED: dict[str, tuple[Callable[[Path, int], None], str]] = {
    "no signature": (_stripped, "it is not signed"),
    "manifest": (_manifest_changed, "its signature is not one of key"),
    "file": (_file_changed, "its file is damaged"),
    "file cut": (_file_cut, "its file is not whole"),
    "key revoked": (_key_revoked, "is revoked"),
}


@pytest.mark.parametrize("what", ["no signature", "file", "key revoked"])
def test_a_server_that_starts_over_it_says_why_it_does_not_decide(
    tmp_path: Path, what: str
) -> None:
    """NOT_SERVING with the reason, until a revision that counts is published."""
    tamper, reason = TAMPERED[what]
    publish(tmp_path / "catalog", environment([offer("card")]))
    tamper(tmp_path / "catalog", 1)

    with serving(tmp_path) as server:
        assert health(server) == NOT_SERVING
        with pytest.raises(CallFailed, match=f"revision 1: .*{reason}") as failed:
            decided(server)
        assert (failed.value.code, failed.value.reason) == (
            "UNAVAILABLE",
            "NOTHING_PUBLISHED",
        )
        publish(tmp_path / "catalog", environment([offer("loan")]))
        wait_until(lambda: health(server) == SERVING)
        assert decided(server) == 2


def test_a_running_server_goes_on_with_the_revision_before(tmp_path: Path) -> None:
    """Whatever part of the new one is another; and takes it when it is whole."""
    folder, good = tmp_path / "data" / "catalog", tmp_path / "good"
    publish(folder, environment([offer("card")]))
    with serving(tmp_path / "data") as server:
        shutil.copytree(folder, good)
        publish(good, environment([offer("loan")]))
        signal = Revisions(folder).signal()

        def follow(source: Path) -> None:
            """Make what is there current, as nobody does who publishes."""
            for part in ("files", "revisions", "keys"):
                for path in (source / part).iterdir():
                    # Files are read-only: another one takes their place.
                    (folder / part / path.name).unlink(missing_ok=True)
                shutil.copytree(source / part, folder / part, dirs_exist_ok=True)
            shutil.copy(source / "CURRENT", folder / "CURRENT")
            signal.set_verified(0)
            signal.raise_(2)

        for number, (tamper, _) in enumerate(TAMPERED.values()):
            for path in folder.glob("revisions/2.*"):
                path.unlink()
            signal.tell(0, 1)
            bad = Path(shutil.copytree(good, tmp_path / f"bad{number}"))
            tamper(bad, 2)
            follow(bad)
            wait_until(lambda: any(w.refused == 2 for w in signal.workers()))
            assert decided(server) == 1
            assert health(server) == SERVING

        follow(good)
        wait_until(lambda: decided(server) == 2)
