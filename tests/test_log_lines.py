"""Logs are one JSON object a line, say which call they are about, and keep secrets."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from catalog_store.revisions import Revisions
from server.data_folder import DataFolder
from server.log_lines import CALL_TEXT_MAX
from server.wire import decision_pb2 as pb
from tests.servers import (
    BANK,
    DEADLINE_SECONDS,
    ROOT,
    children_of,
    run,
    serving,
    wait_until,
)
from tests.test_admission import METHOD, Calls
from tests.test_admission import run as run_calls

SHOUT = """
import logging, sys, threading
from server.log_lines import about_call, log_to_stderr
log_to_stderr("worker", sys.argv[1])
log = logging.getLogger("server.test")
log.warning("of %s\\nfake", "two\\x1b[2J lines", extra=about_call(request_id="r\\n1"))
thread = threading.Thread(target=int, args=["no number"])
thread.start()
thread.join()
raise ValueError("the end")
"""


def shouted(log_format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOUT, log_format],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_a_line_is_one_json_object() -> None:
    """Whatever is in the texts; what ends a thread or the process is one as well."""
    said, thread, end = map(json.loads, shouted("json"))

    assert said["message"] == "of two\x1b[2J lines\nfake"
    assert said["time"][10] == "T"
    assert said["time"].endswith("Z")
    assert [said[name] for name in ("level", "logger", "process", "request_id")] == [
        "WARNING",
        "server.test",
        "worker",
        "r\n1",
    ]
    assert said["pid"] == end["pid"] > 0
    assert thread["exception"].endswith("'no number'")
    assert (end["level"], end["message"]) == ("CRITICAL", "the process ends")
    assert end["exception"].startswith("Traceback")
    assert end["exception"].endswith("ValueError: the end")


def test_a_line_of_text_is_one_line() -> None:
    """Nobody's text begins another one, or moves the cursor."""
    said = shouted("text")[0]

    assert said.endswith(
        "WARNING server.test of two\\x1b[2J lines\\nfake request_id=r\\n1"
    )


def test_an_unforeseen_failure_names_its_call(caplog: pytest.LogCaptureFixture) -> None:
    """Method, caller and request id; the caller's context stays out of the log."""
    request = pb.ProposeRequest(request_id="r" * 1_000)
    request.context.fields["pin"].string_value = "secret-4711"

    async def scenario(calls: Calls, channel: Any) -> None:
        metadata = [("authorization", "Bearer secret-token")]
        call = channel.unary_unary(METHOD)(
            request.SerializeToString(), metadata=metadata
        )
        await calls.until(lambda: calls.waiting != [] or call.done())
        await calls.at(1)
        calls.waiting[0].set_exception(ValueError("of ours"))
        assert await call.code() is grpc.StatusCode.INTERNAL
        assert await call.details() == "internal error"

    run_calls(1, scenario)
    # On each of our servers.
    records = [r for r in caplog.records if r.name == "server.status"]

    assert len(records) == 2
    for record in records:
        assert vars(record)["call"] == {
            "method": "Propose",
            "caller": "anyone",
            "request_id": "r" * CALL_TEXT_MAX,
        }
        assert "secret" not in caplog.text + repr(vars(record))


def test_every_process_of_a_server_logs_json(tmp_path: Path) -> None:
    """From the first line to the last, where standard error is no terminal."""
    log = tmp_path / "log"
    data = tmp_path / "data"
    run("catalog", "publish", BANK, "--data", data)
    with log.open("w") as stderr, serving(data, stderr=stderr) as server:
        # A revision that nobody can load, told to those who are to load it.
        revisions = Revisions(DataFolder(data).catalog)
        pointer = revisions.folder / "CURRENT"
        number = pointer.read_bytes()
        pointer.write_bytes(b"nonsense")
        revisions.signal().raise_()
        wait_until(lambda: log.read_text().count("cannot be loaded") >= 2)
        pointer.write_bytes(number)
        children = children_of(server.process.pid)
        os.kill(children["worker0"], signal.SIGKILL)
        wait_until(lambda: "the worker process ended" in log.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = {(line["process"], line["pid"], line["level"]) for line in lines}

    assert {
        ("worker", children["worker0"], "ERROR"),
        ("keeper", children["keeper0"], "ERROR"),
        ("supervisor", server.process.pid, "ERROR"),
    } <= found
