"""Batches of a running server: killed, left, and fed with hostile bytes."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from contact_store.history import HistoryStore
from server.data_folder import DataFolder
from server.files.proposition_parts import State
from server.transport import BATCH_MESSAGE_BYTES_MAX
from server.wire import decision_pb2 as pb
from tests.servers import (
    BANK,
    DEADLINE_SECONDS,
    PROPONO,
    ROOT,
    Server,
    children_of,
    run,
    serving,
    wait_until,
)
from tests.services import offers
from tests.test_bad_input import details, failure
from tests.test_batch_command import SPACE, bank_ids, rows_of, write_ids

METHOD = "/propono.v1.DecisionService/ProposeBatch"


@contextmanager
def working(*arguments: object) -> Generator[subprocess.Popen[str]]:
    """The command as a process, killed if it still runs when the block ends."""
    process = subprocess.Popen(
        [str(PROPONO), "propose-batch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished_parts(output: Path) -> int:
    try:
        path = output.with_name(f".{output.name}.parts") / "state.json"
        return msgspec.json.decode(path.read_bytes(), type=State).parts
    except FileNotFoundError:
        return 10**9 if output.exists() else 0


def until(output: Path, parts: int) -> Callable[[], bool]:
    return lambda: finished_parts(output) >= parts


@pytest.fixture(scope="module")
def own_data(tmp_path_factory: pytest.TempPathFactory, bank_contacts: Path) -> Path:
    """The example bank and its contacts, served by nobody."""
    data = tmp_path_factory.mktemp("own")
    run("catalog", "publish", BANK, "--data", data)
    run(
        *("contacts", "import", bank_contacts, "--environment", "recipient"),
        *("--key", "client", "--data", data),
    )
    return data


def test_nothing_is_lost_or_doubled_when_everything_is_killed(
    own_data: Path, bank_contacts: Path, tmp_path: Path
) -> None:
    """kill -9 of the command and of the server, several times in turn.

    At the end every contact is in the output once, and the history holds just what
    the output says.
    """
    ids = bank_ids(bank_contacts)
    given, output = write_ids(tmp_path / "in.csv", ids), tmp_path / "out.parquet"
    arguments = [given, output, *SPACE, "--max", "2", "--part", "60"]
    with serving(own_data) as server:
        arguments += ["--server", server.decisions]
        for parts in (0, 3, 9):
            with working(*arguments) as process:
                wait_until(until(output, parts))
                if parts:
                    worker = children_of(server.process.pid)["worker0"]
                    os.kill(worker, signal.SIGKILL)
                    wait_until(until(output, parts + 2))
                os.kill(process.pid, signal.SIGKILL)
                process.wait(DEADLINE_SECONDS)
                assert finished_parts(output) < 10**9
        with working(*arguments) as process:
            said, errors = process.communicate(timeout=DEADLINE_SECONDS)

            assert process.returncode == 0, errors
            assert "2000" in said
            assert "going on after" in errors
    rows = rows_of(output)
    made = {row["proposition_id"] for row in rows} - {None}
    with HistoryStore(DataFolder(own_data).history) as history:
        stored = {
            contact_id: len(record.propositions)
            for contact_id in ids
            if (record := history.read("recipient", contact_id)) is not None
        }
    told = Counter(row["contact_id"] for row in rows if row["proposition_id"])

    assert list(dict.fromkeys(row["contact_id"] for row in rows)) == ids
    assert len(made) == sum(told.values()) > 1_000
    assert told == Counter(stored)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "in.csv",
        "out.parquet",
    ]


def test_a_caller_who_goes_away_ends_the_batch(
    own_data: Path, bank_contacts: Path
) -> None:
    """What was recorded stays so and is answered again; the rest is not decided."""
    ids = bank_ids(bank_contacts)
    request = pb.ProposeBatchRequest(contact_ids=ids, request_id="gone")
    request.spaces.add(space="email_statement_footer")
    with serving(own_data) as server:
        before = recorded(own_data, ids)
        with grpc.insecure_channel(server.decisions) as channel:
            answers = channel.unary_stream(METHOD)(request.SerializeToString())
            first = decisions_of(next(answers))
            answers.cancel()
        # A batch of everybody takes far longer than it takes to notice.
        counts = [-1]
        wait_until(lambda: counts.append(recorded(own_data, ids)) or same_twice(counts))
        after = counts[-1] - before
        with grpc.insecure_channel(server.decisions) as channel:
            del request.contact_ids[len(first) :]
            again = [
                one
                for answer in channel.unary_stream(METHOD)(request.SerializeToString())
                for one in decisions_of(answer)
            ]

    assert again == first
    assert recorded(own_data, ids) == counts[-1]
    assert sum(len(offers(one.decision)) for one in first) <= after < len(ids) / 2


def same_twice(counts: list[int]) -> bool:
    return counts[-1] == counts[-2]


def decisions_of(answer: bytes) -> list[pb.ContactDecision]:
    return list(pb.ProposeBatchResponse.FromString(answer).decisions)


def recorded(data: Path, ids: list[str]) -> int:
    """Propositions in the history of all of them."""
    with HistoryStore(DataFolder(data).history) as history:
        records = [history.read("recipient", one) for one in ids]
    return sum(len(record.propositions) for record in records if record is not None)


def test_other_calls_are_answered_during_a_batch(bank: Server) -> None:
    """Long before it is over."""
    request = pb.ProposeBatchRequest(
        contact_ids=[f"many{n}" for n in range(20_000)], dry_run=True
    )
    request.spaces.add(space="email_newsletter")
    single = pb.ProposeRequest(contact_id="C000001", dry_run=True)
    single.spaces.add(space="email_newsletter")
    with (
        grpc.insecure_channel(bank.decisions) as channel,
        grpc.insecure_channel(bank.decisions, [("grpc.primary_user_agent", "b")]) as b,
    ):
        answers = channel.unary_stream(METHOD)(request.SerializeToString())
        seen = len(pb.ProposeBatchResponse.FromString(next(answers)).decisions)
        propose = b.unary_unary("/propono.v1.DecisionService/Propose")
        for _ in range(10):
            propose(single.SerializeToString(), timeout=DEADLINE_SECONDS)
        answers.cancel()

    assert seen < 20_000


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"contact_ids": [str(n) for n in range(100_001)]}, "contact_ids"),
        ({"contact_ids": ["a", "a"]}, "contact_ids[1]"),
        ({"contact_ids": ["a"], "segment": "retired"}, "segment"),
        ({"segment": "retird"}, "segment"),
        ({"segment": "retired", "after_contact_id": "\0"}, "after_contact_id"),
        ({"contact_ids": ["a"], "min_propositions": 2**31}, "min_propositions"),
        ({"contact_ids": ["a"], "context": {"page": [1]}}, "context.page"),
        ({}, "contact_ids"),
    ],
)
def test_hostile_requests_are_invalid_with_their_field(
    bank: Server, fields: dict[str, Any], field: str
) -> None:
    """Over the wire: the code, our reason, and the field, before any answer."""
    request = pb.ProposeBatchRequest(**fields)
    request.spaces.add(space="email_newsletter")
    with (
        grpc.insecure_channel(bank.decisions) as channel,
        pytest.raises(grpc.RpcError) as raised,
    ):
        next(channel.unary_stream(METHOD)(request.SerializeToString()))

    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    info, violations = details(raised.value)
    assert info.reason == "INVALID_REQUEST"
    assert list(violations) == [field]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff" * 9, grpc.StatusCode.INVALID_ARGUMENT),
        (b"", grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(BATCH_MESSAGE_BYTES_MAX + 1), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["no message", "empty", "too large"],
)
def test_hostile_bytes_are_the_callers_fault(
    bank: Server, data: bytes, code: grpc.StatusCode
) -> None:
    """As for the other methods."""
    with (
        grpc.insecure_channel(bank.decisions) as channel,
        pytest.raises(grpc.RpcError) as raised,
    ):
        list(channel.unary_stream(METHOD)(data))

    assert raised.value.code() is code


def test_other_methods_take_no_more_than_before(channel: grpc.Channel) -> None:
    """A request that only a batch may send is refused elsewhere."""
    large = pb.ProposeRequest(visitor_id="x" * 300_000).SerializeToString()
    error = failure(channel, "/propono.v1.DecisionService/Propose", large)

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
