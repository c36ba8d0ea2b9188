"""A process that records propositions until something ends it, and what judges it.

    python -m tests.faulty_recording store FOLDER NAME     workers without their port
    python -m tests.faulty_recording server ADDRESS NAME   a client of `propono serve`
    python -m tests.faulty_recording lost FOLDER           reads what was acknowledged

Recording prints a line for each proposition that is acknowledged; `lost` prints those
lines again that the store knows nothing of. A call's lines are written by one system
call, so that a process that is killed leaves no half of one that looks whole.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Timer
from typing import NamedTuple

from catalog_store.records import resource_name
from catalog_store.revisions import Revisions
from contact_store.errors import StoreFailed, UnknownProposition
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.profiles import ProfileStore
from server.client import CallFailed, Client
from server.data_folder import DataFolder
from server.decision_service import DecisionService
from server.group_commit import GroupCommit
from server.live_loading import load
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell, system_sources
from tests.servers import DEADLINE_SECONDS, ROOT

MODULE = "tests.faulty_recording"
#: Calls in flight at once, so that a group holds several.
CALLS = 8
#: Begins the line of a new recorder: it says its process id.
RECORDER = "recorder"
#: A disk that failed ends a recording process with this.
STORE_FAILED_STATUS = 3


def request(contact: str, *, dry_run: bool = False) -> pb.ProposeRequest:
    """Two propositions for a contact; a retry has the same id."""
    asked = pb.ProposeRequest(contact_id=contact, dry_run=dry_run)
    asked.request_id = "" if dry_run else contact
    asked.spaces.add(space="banner", max_propositions=2)
    return asked


class Acknowledged(NamedTuple):
    """A proposition that somebody was told of. Its id alone could be given again."""

    proposition_id: str
    contact: str
    offer: str


def acknowledged_in(answer: pb.ProposeResponse, contact: str) -> list[Acknowledged]:
    made = [one for result in answer.results for one in result.propositions]
    return [Acknowledged(one.proposition_id, contact, one.offer) for one in made]


class Recording:
    """The process, and what it acknowledged."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", MODULE, *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            # A group of its own: it is ended with the recorder that it started.
            start_new_session=True,
        )
        self.acknowledged: list[Acknowledged] = []
        self._recorder = 0

    def read(self, count: int) -> None:
        """Wait for so many more propositions."""
        until = len(self.acknowledged) + count
        with deadline(self.process):
            while len(self.acknowledged) < until:
                self._read_line()

    def kill_recorder(self) -> None:
        """kill -9 in a store's process; another takes its place at once."""
        victim = self._recorder
        os.kill(victim, signal.SIGKILL)
        with deadline(self.process):
            while self._recorder == victim:
                self._read_line()

    def killed(self) -> list[Acknowledged]:
        """kill -9; all that it acknowledged before it died."""
        os.killpg(self.process.pid, signal.SIGKILL)
        return self.ended()

    def ended(self) -> list[Acknowledged]:
        """Wait for its end; all that it acknowledged."""
        assert self.process.stdout is not None
        # Not communicate(): it forgets what was read from the pipe for a line.
        with deadline(self.process), self.process.stdout as stdout:
            for line in stdout:
                self._take(line)
        self.process.wait(DEADLINE_SECONDS)
        return self.acknowledged

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.returncode is None:
            self.killed()

    def _read_line(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it ended before it had recorded enough"
        self._take(line)

    def _take(self, line: str) -> None:
        first, *others = line.split()
        if first == RECORDER:
            self._recorder = int(others[0])
        elif line.endswith("\n"):
            self.acknowledged.append(Acknowledged(first, *others))


@contextmanager
def deadline(process: subprocess.Popen[str]) -> Generator[None]:
    """The process is killed if the block takes too long."""
    timer = Timer(DEADLINE_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def recordings(
    kind: str, where: object, names: Iterable[str]
) -> Generator[list[Recording]]:
    """Several such processes, none of which outlives the block."""
    with ExitStack() as stack:
        started: list[Recording] = []
        for name in names:
            started.append(Recording(kind, where, name))
            stack.callback(started[-1].close)
        yield started


def lost(folder: DataFolder, told: Iterable[Acknowledged]) -> list[str]:
    """Those that the store does not have, found by a process of its own.

    A damaged LMDB file can be a SIGBUS, which would end whoever runs the tests.
    """
    done = subprocess.run(
        [sys.executable, "-m", MODULE, "lost", str(folder.root)],
        cwd=ROOT,
        input="".join(map(_line, told)),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.splitlines()


def _print_lost(folder: DataFolder) -> None:
    with HistoryStore(folder.history) as history, history.transaction() as txn:
        for line in sys.stdin:
            told = Acknowledged(*line.split())
            offer = name_hash(resource_name("bank", "offers", told.offer))
            try:
                found = txn.find(told.proposition_id)
                is_lost = found.contact_id != told.contact
                is_lost |= found.proposition.offer != offer
            except UnknownProposition:
                is_lost = True
            if is_lost:
                print(line, end="")


def _line(told: Acknowledged) -> str:
    return " ".join(told) + "\n"


def _acknowledge(answer: pb.ProposeResponse, contact: str) -> None:
    lines = "".join(map(_line, acknowledged_in(answer, contact)))
    os.write(sys.stdout.fileno(), lines.encode())


def _record_again_and_again(folder: DataFolder, name: str) -> None:
    """A recorder after the other, as they are killed; ends as one ends otherwise.

    Forked, since importing takes a hundred times as long; a store is opened in the
    recorder only.
    """
    life = 0
    while True:
        life += 1
        pid = os.fork()
        if pid == 0:
            os.write(sys.stdout.fileno(), f"{RECORDER} {os.getpid()}\n".encode())
            asyncio.run(_record(folder, f"{name}.{life}"))
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code != -signal.SIGKILL:
            sys.exit(code)


async def _record(folder: DataFolder, name: str) -> None:
    with (
        HistoryStore(folder.history) as history,
        ProfileStore(folder.profiles) as profiles,
    ):
        await _call(folder, name, history, profiles)


async def _call(
    folder: DataFolder, name: str, history: HistoryStore, profiles: ProfileStore
) -> None:
    revisions = Revisions(folder.catalog)
    manifest = revisions.current()
    revision = revisions.open(manifest)
    cell = CatalogCell()
    cell.current = load(revision, manifest)
    revision.close()
    group_commit = GroupCommit(history)
    committing = asyncio.create_task(group_commit.run())
    service = DecisionService(
        cell, history, profiles, system_sources(), 1.0, group_commit.commit
    )

    async def calls(caller: int) -> None:
        number = 0
        while True:
            number += 1
            asked = request(f"{name}-{caller}-{number}")
            answered = service.propose(asked, "web")
            assert isinstance(answered, Awaitable)
            answer = await answered
            assert isinstance(answer, bytes)
            _acknowledge(pb.ProposeResponse.FromString(answer), asked.contact_id)

    try:
        await asyncio.gather(*(calls(caller) for caller in range(CALLS)))
    finally:
        committing.cancel()


def _ask(address: str, name: str) -> None:
    client = Client.connect(address, DEADLINE_SECONDS)

    def calls(caller: int) -> None:
        number = 0
        while True:
            number += 1
            contact = f"{name}-{caller}-{number}"
            _acknowledge(_answered(client, request(contact)), contact)

    with ThreadPoolExecutor(CALLS) as threads:
        for ended in [threads.submit(calls, caller) for caller in range(CALLS)]:
            ended.result()


def _answered(client: Client, asked: pb.ProposeRequest) -> pb.ProposeResponse:
    while True:
        try:
            return client.propose(asked)
        except CallFailed as failed:
            # Nobody listens for a moment after a worker was killed.
            if failed.code != "UNAVAILABLE":
                raise


def main(kind: str, where: str, name: str = "") -> None:
    run: dict[str, Callable[[], None]] = {
        "store": lambda: _record_again_and_again(DataFolder(Path(where)), name),
        "server": lambda: _ask(where, name),
        "lost": lambda: _print_lost(DataFolder(Path(where))),
    }
    try:
        run[kind]()
    except StoreFailed:
        sys.exit(STORE_FAILED_STATUS)


if __name__ == "__main__":
    main(*sys.argv[1:])
