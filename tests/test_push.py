"""Catalogs pushed to a running server: all workers switch, or nothing changes."""

import json
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import NamedTuple

import grpc
import msgspec
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from catalog_store.artifact import head_of
from catalog_store.keys import PrivateKey
from catalog_store.manifest import decode_manifest, encode_manifest
from catalog_store.revisions import Revisions
from catalog_store.signatures import Purpose, sign
from server.publication import compile_to_artifact
from server.wire import admin_pb2 as pb
from server.wire import decision_pb2
from tests.servers import (
    BANK,
    DEADLINE_SECONDS,
    Server,
    run,
    serving,
    wait_until,
)
from tests.signing import trusted_key

PUSH = "/propono.v1.AdminService/PushArtifact"
PART_BYTES = 131_072


class Builds(NamedTuple):
    """Two catalogs without a signature: their manifests and their files."""

    plain: tuple[bytes, bytes]
    edited: tuple[bytes, bytes]


class Pushed(NamedTuple):
    """A server of two workers that trusts a key, and gives out sequences."""

    server: Server
    revisions: Revisions
    key: PrivateKey
    builds: Builds

    def artifact(
        self,
        build: tuple[bytes, bytes],
        key: PrivateKey | None = None,
        sequence: int | None = None,
    ) -> bytes:
        """A catalog signed with a key, newer than all before unless told otherwise."""
        manifest, data = build
        if sequence is None:
            accepted = [0]
            if self.revisions.numbers():
                accepted += self.revisions.current().accepted.values()
            sequence = max(accepted) + 1
        changed = msgspec.structs.replace(decode_manifest(manifest), sequence=sequence)
        encoded = encode_manifest(changed)
        signature = sign(key or self.key, Purpose.ARTIFACT, encoded)
        return head_of(encoded, signature) + data

    def push(self, artifact: bytes) -> pb.Revision:
        return self.send(parts_of(artifact))

    def send(self, parts: Iterable[bytes]) -> pb.Revision:
        """Send messages as they are."""
        token = (self.server.data / "admin.token").read_text().strip()
        with grpc.insecure_channel(self.server.admin) as channel:
            answer = channel.stream_unary(PUSH)(
                iter(parts),
                metadata=(("authorization", f"Bearer {token}"),),
                timeout=DEADLINE_SECONDS,
            )
        return pb.PushArtifactResponse.FromString(answer).revision

    def deciding(self, connections: int = 8) -> set[int]:
        """The revisions that decide, over connections of their own."""
        found: set[int] = set()
        request = decision_pb2.ProposeRequest(contact_id="C000002", dry_run=True)
        request.spaces.add(space="web_home_side")
        for _ in range(connections):
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(self.server.decisions, options) as channel:
                answer = channel.unary_unary("/propono.v1.DecisionService/Propose")(
                    request.SerializeToString(), timeout=DEADLINE_SECONDS
                )
            found.add(decision_pb2.ProposeResponse.FromString(answer).revision)
        return found


def parts_of(artifact: bytes) -> Iterable[bytes]:
    for start in range(0, len(artifact), PART_BYTES):
        chunk = artifact[start : start + PART_BYTES]
        yield pb.PushArtifactRequest(chunk=chunk).SerializeToString()


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    folder = tmp_path_factory.mktemp("builds")
    edited = Path(shutil.copytree(BANK, folder / "edited"))
    file = edited / "recipient/offers/good_to_know.yaml"
    file.write_text(file.read_text().replace("A branch near you", "Round the corner"))

    def build(path: Path) -> tuple[bytes, bytes]:
        artifact = folder / "artifact"
        manifest, _ = compile_to_artifact(path, artifact)
        return encode_manifest(manifest), artifact.read_bytes()[-manifest.file_bytes :]

    return Builds(build(BANK), build(edited))


@pytest.fixture(scope="module")
def pushed(
    tmp_path_factory: pytest.TempPathFactory, builds: Builds
) -> Generator[Pushed]:
    data = tmp_path_factory.mktemp("pushed")
    revisions = Revisions(data / "catalog")
    with serving(data, 2, "--admin-costly", "10000") as server:
        one = Pushed(server, revisions, trusted_key(revisions), builds)
        one.push(one.artifact(builds.plain))
        yield one


def reason_of(error: grpc.RpcError) -> tuple[str, str]:
    """gRPC's code, and the reason in ErrorInfo."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    assert status is not None
    assert status.details[0].Unpack(info)
    return error.code().name, info.reason


def refused(pushed: Pushed, parts: Iterable[bytes]) -> tuple[str, str, str]:
    """Code, reason and text; the revision and the files are as they were."""
    before = pushed.revisions.current().number
    files = {path.name for path in (pushed.revisions.folder / "files").iterdir()}
    with pytest.raises(grpc.RpcError) as raised:
        pushed.send(parts)

    assert pushed.revisions.current().number == before
    assert pushed.deciding(2) == {before}
    found = {path.name for path in (pushed.revisions.folder / "files").iterdir()}
    assert found == files
    return (*reason_of(raised.value), raised.value.details())


def test_when_the_answer_comes_every_worker_has_switched(pushed: Pushed) -> None:
    """By a push, and by a rollback; both name the revision."""
    for build in (pushed.builds.edited, pushed.builds.plain, pushed.builds.edited):
        revision = pushed.push(pushed.artifact(build))

        assert revision.digest == decode_manifest(build[0]).digest
        assert pushed.deciding() == {revision.number}
    before = revision.number - 1
    said = json.loads(
        run(
            *("catalog", "rollback", before, "--admin-server", pushed.server.admin),
            *("--data", pushed.server.data, "--output", "json"),
        )
    )

    assert said[0]["revision"] == revision.number + 1
    assert said[0]["repeats"] == before
    assert pushed.deciding() == {revision.number + 1}


def test_the_same_artifact_is_published_once(pushed: Pushed) -> None:
    """After an answer that was lost, for instance."""
    artifact = pushed.artifact(pushed.builds.plain)
    first = pushed.push(artifact)

    assert pushed.push(artifact) == first
    later = pushed.push(pushed.artifact(pushed.builds.edited))
    assert refused(pushed, parts_of(artifact))[1] == "OLD_ARTIFACT"
    assert later.number == first.number + 1


def _flipped(artifact: bytes, place: int) -> bytes:
    return artifact[:place] + bytes([artifact[place] ^ 1]) + artifact[place + 1 :]


def _swapped(pushed: Pushed) -> bytes:
    manifest, _ = pushed.builds.plain
    return pushed.artifact((manifest, pushed.builds.edited[1]))


def _stripped(pushed: Pushed) -> bytes:
    manifest, data = pushed.builds.plain
    return head_of(manifest, b"") + data


TAMPERED: dict[str, tuple[Callable[[Pushed], bytes], str]] = {
    "stripped signature": (_stripped, "UNTRUSTED_ARTIFACT"),
    "a stranger's key": (
        lambda p: p.artifact(p.builds.plain, PrivateKey.generate()),
        "UNTRUSTED_ARTIFACT",
    ),
    "an expired key": (
        lambda p: p.artifact(
            p.builds.plain, trusted_key(p.revisions, valid_until_ms=9)
        ),
        "UNTRUSTED_ARTIFACT",
    ),
    "a key of tomorrow": (
        lambda p: p.artifact(
            p.builds.plain, trusted_key(p.revisions, valid_from_ms=9 * 10**12)
        ),
        "UNTRUSTED_ARTIFACT",
    ),
    "a revoked key": (
        lambda p: p.artifact(p.builds.plain, _revoked(p)),
        "UNTRUSTED_ARTIFACT",
    ),
    "a byte of the manifest": (
        lambda p: _flipped(p.artifact(p.builds.plain), 60),
        "UNTRUSTED_ARTIFACT",
    ),
    "a byte of the file": (
        lambda p: _flipped(p.artifact(p.builds.plain), -9),
        "INVALID_ARTIFACT",
    ),
    "an old sequence": (
        lambda p: p.artifact(p.builds.plain, sequence=1),
        "OLD_ARTIFACT",
    ),
    "cut short": (lambda p: p.artifact(p.builds.plain)[:-1], "INVALID_ARTIFACT"),
    "cut in the head": (lambda p: p.artifact(p.builds.plain)[:99], "INVALID_ARTIFACT"),
    "longer": (lambda p: p.artifact(p.builds.plain) + b"x", "INVALID_ARTIFACT"),
    "another's file": (_swapped, "INVALID_ARTIFACT"),
    "noise": (lambda p: b"\x00" * 300_000, "INVALID_ARTIFACT"),
}


def _revoked(pushed: Pushed) -> PrivateKey:
    key = trusted_key(pushed.revisions)
    pushed.revisions.trust.revoke(key.key_id, 1)
    return key


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_changes_nothing(pushed: Pushed, what: str) -> None:
    """Refused with the reason over the wire; the revision before decides."""
    make, reason = TAMPERED[what]
    code, found, _ = refused(pushed, parts_of(make(pushed)))

    expected = "INVALID_ARGUMENT" if reason[0] == "I" else "FAILED_PRECONDITION"
    assert (code, found) == (expected, reason)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([b""], "chunk: has 0 bytes"),
        ([b"\xff\xff"], "not a propono.v1.PushArtifactRequest"),
        (
            [pb.PushArtifactRequest(chunk=b"P" * 131_073).SerializeToString()],
            "chunk: has 131073 bytes",
        ),
    ],
)
def test_parts_are_bounded(pushed: Pushed, parts: list[bytes], said: str) -> None:
    """Each of them, and none may be empty."""
    code, reason, text = refused(pushed, parts)

    assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert said in text


def test_no_parts_are_no_artifact(pushed: Pushed) -> None:
    """The stream ends before anything came."""
    assert refused(pushed, [])[:2] == ("INVALID_ARGUMENT", "INVALID_ARTIFACT")


def test_a_client_that_goes_away_leaves_nothing(pushed: Pushed) -> None:
    """Half an artifact is forgotten, and the next push has its turn."""
    artifact = pushed.artifact(pushed.builds.plain)
    files = pushed.revisions.folder / "files"
    before = {path.name for path in files.iterdir()}
    token = (pushed.server.data / "admin.token").read_text().strip()
    sent = iter(parts_of(artifact))

    def half() -> Generator[bytes]:
        yield next(sent)
        wait_until(lambda: {path.name for path in files.iterdir()} != before)
        call.cancel()

    with grpc.insecure_channel(pushed.server.admin) as channel:
        call = channel.stream_unary(PUSH).future(
            half(), metadata=(("authorization", f"Bearer {token}"),)
        )
        with pytest.raises(grpc.FutureCancelledError):
            call.result(DEADLINE_SECONDS)
        wait_until(lambda: {path.name for path in files.iterdir()} == before)
    assert pushed.push(artifact).current


def test_two_pushes_take_turns(pushed: Pushed) -> None:
    """While one arrives, another is told to come again."""
    artifact = pushed.artifact(pushed.builds.edited)
    sent = list(parts_of(artifact))
    found: list[tuple[str, str, str]] = []

    def slow() -> Generator[bytes]:
        files = pushed.revisions.folder / "files"
        yield sent[0]
        wait_until(lambda: any(p.name.startswith("new-") for p in files.iterdir()))
        found.append(refused(pushed, parts_of(artifact)))
        yield from sent[1:]

    revision = pushed.send(slow())

    assert found[0][:2] == ("ABORTED", "PUBLICATION_BUSY")
    assert pushed.deciding(2) == {revision.number}


def test_without_the_token_nothing_is_taken(pushed: Pushed) -> None:
    """UNAUTHENTICATED before the first part is looked at."""
    with grpc.insecure_channel(pushed.server.admin) as channel:
        call = channel.stream_unary(PUSH)
        with pytest.raises(grpc.RpcError) as raised:
            call(iter([b"x"]), timeout=DEADLINE_SECONDS)

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_rolling_back_to_nothing_is_refused(pushed: Pushed) -> None:
    """Numbers that no revision has."""
    at = ("--admin-server", pushed.server.admin, "--data", pushed.server.data)

    assert "NOT_FOUND" in run("catalog", "rollback", 999, *at, status=1)
    token = (pushed.server.data / "admin.token").read_text().strip()
    metadata = (("authorization", f"Bearer {token}"),)
    with grpc.insecure_channel(pushed.server.admin) as channel:
        call = channel.unary_unary("/propono.v1.AdminService/Rollback")
        with pytest.raises(grpc.RpcError) as raised:
            call(b"", metadata=metadata)
    assert reason_of(raised.value) == ("INVALID_ARGUMENT", "INVALID_REQUEST")


def test_a_push_to_many_says_what_became_of_each(
    pushed: Pushed, tmp_path: Path
) -> None:
    """Who is not there keeps nobody else from having it; status 1 tells."""
    artifact = tmp_path / "bank.propono"
    artifact.write_bytes(pushed.artifact(pushed.builds.plain))
    at = ("--admin-server", pushed.server.admin, "--data", pushed.server.data)
    before = pushed.revisions.current().number

    said = run(
        "catalog", "push", artifact, "--admin-server", "127.0.0.1:1", *at, status=1
    )

    assert "\n127.0.0.1:1: UNAVAILABLE" in said
    assert pushed.deciding() == {before + 1}
    listed = json.loads(run("catalog", "history", *at, "--output", "json"))
    assert [one["revision"] for one in listed[:2]] == [before + 1, before]
    again = json.loads(run("catalog", "push", artifact, *at, "--output", "json"))
    assert again[0]["revision"] == before + 1
