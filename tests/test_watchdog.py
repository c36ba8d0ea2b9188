"""A process that is stopped while it holds the writers' lock does not stop the rest."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import grpc
import msgspec
import pytest

from bench.faulty_disk import CannotBuild, FaultyDisk
from server import watchdog
from server.data_folder import DataFolder
from server.process_options import ProcessOptions
from server.shared_page import SLOTS, WATCHDOG_KILLS, SharedPage
from server.watchdog import GRACE_SECONDS, Watchdog, is_stopped, nudge
from server.wire import decision_pb2 as pb
from tests.servers import BANK, Server, children_of, run, serving, wait_until
from tests.test_metrics import samples

RECORDED = pb.ProposeRequest(
    visitor_id="v", spaces=[pb.SpaceRequest(space="web_home_side")]
)
ADMIN = 0


class Sleeper(NamedTuple):
    """A process that does nothing; killed when the watchdog says so."""

    process: "subprocess.Popen[bytes]"
    slot: int
    kind: str = "worker"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process.poll() is None else None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_stopped(self.process.pid))


class Watch:
    """Two processes, and a watchdog with a clock of its own."""

    def __init__(self, page: SharedPage) -> None:
        self.cells = page.cells
        self.seconds = 0.0
        self.one, self.other = (
            Sleeper(subprocess.Popen(["sleep", "600"]), slot) for slot in (0, 1)
        )
        self.dog = Watchdog(page, [self.one, self.other], lambda: self.seconds)

    def mark(self, one: int, other: int = 0) -> None:
        self.cells[SLOTS], self.cells[SLOTS + 1] = one, other

    def look(self, after: float) -> None:
        self.seconds += after
        self.dog.look()


@pytest.fixture
def watch(tmp_path: Path) -> Generator[Watch]:
    found = Watch(SharedPage.create(tmp_path / "page"))
    yield found
    for each in (found.one, found.other):
        each.kill()


INSIDE, WAITING, OUTSIDE = 5, -5, 0


@pytest.mark.parametrize(
    ("stopped", "mark", "mark_of_other", "killed"),
    [
        (True, INSIDE, OUTSIDE, True),
        (True, INSIDE, INSIDE, True),
        (True, WAITING, OUTSIDE, True),
        (True, WAITING, WAITING, True),
        (True, WAITING, INSIDE, False),
        (True, OUTSIDE, OUTSIDE, False),
        (True, OUTSIDE, WAITING, False),
        (False, INSIDE, OUTSIDE, False),
        (False, INSIDE, WAITING, False),
        (False, WAITING, OUTSIDE, False),
    ],
)
def test_who_is_killed(
    watch: Watch, stopped: bool, mark: int, mark_of_other: int, killed: bool
) -> None:
    """Who is stopped and may hold the lock; not who is slow, waits, or is outside."""
    watch.mark(mark, mark_of_other)
    if stopped:
        watch.one.stop()
    for _ in range(30):
        watch.look(after=GRACE_SECONDS / 10)

    assert (watch.one.pid is None) is killed
    assert watch.other.pid is not None
    assert watch.cells[WATCHDOG_KILLS] == int(killed)


@pytest.mark.parametrize(
    ("stopped", "mark", "nudged"),
    [
        (False, WAITING, True),
        (False, INSIDE, False),
        (False, OUTSIDE, False),
        (True, WAITING, False),
        (True, OUTSIDE, False),
    ],
)
def test_who_is_nudged(
    watch: Watch,
    stopped: bool,
    mark: int,
    nudged: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who waits, once a second; one that somebody stopped stays stopped."""
    pids: list[int] = []
    monkeypatch.setattr(watchdog, "nudge", pids.append)
    watch.mark(mark, INSIDE)
    pid = watch.one.process.pid
    if stopped:
        watch.one.stop()
    for _ in range(3):
        watch.look(after=0)
        watch.look(after=GRACE_SECONDS * 0.9)
        watch.look(after=GRACE_SECONDS * 0.2)

    assert pids == ([pid] * 3 if nudged else [])


def test_a_nudge_ends_what_a_process_waits_in() -> None:
    """It goes on at once, and looks again at what it waited for."""
    started = subprocess.Popen([sys.executable, "-c", _WAITING], stdout=subprocess.PIPE)
    assert started.stdout is not None
    with started:
        assert started.stdout.readline() == b"waits\n"
        nudge(started.pid)
        assert started.stdout.readline() == b"looked again\n"
        wait_until(lambda: not is_stopped(started.pid))
        started.kill()


#: Waits on a word of memory as a lock does, and says when that was interrupted: the
#: kernel looks at the word again, and gives back that it is another by then.
_WAITING = """
import ctypes, os, platform, threading, time
libc = ctypes.CDLL(None, use_errno=True)
word = ctypes.c_int(1)
def change():
    word.value = 2
    print("waits", flush=True)
threading.Timer(0.2, change).start()
threading.Timer(20, os._exit, [1]).start()
FUTEX, WAIT = {"x86_64": 202, "aarch64": 98}[platform.machine()], 0
libc.syscall(FUTEX, ctypes.byref(word), WAIT, 1, None, None, 0)
print("looked again", flush=True)
time.sleep(600)
"""


def test_somebody_may_let_it_go_on(watch: Watch) -> None:
    """The time begins again with each stop, and with each transaction."""
    watch.mark(INSIDE)
    watch.one.stop()
    watch.look(after=0)
    watch.one.process.send_signal(signal.SIGCONT)
    wait_until(lambda: not is_stopped(watch.one.process.pid))
    watch.look(after=GRACE_SECONDS)
    watch.one.stop()
    watch.look(after=GRACE_SECONDS)
    watch.mark(INSIDE + 1)
    watch.look(after=GRACE_SECONDS)
    watch.look(after=GRACE_SECONDS * 0.9)
    assert watch.one.pid is not None

    watch.look(after=GRACE_SECONDS * 0.2)
    assert watch.one.pid is None


def test_a_process_that_has_ended_is_not_stopped(watch: Watch) -> None:
    """Nor is one of which nothing is left."""
    pid = watch.one.process.pid
    watch.one.process.kill()
    wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z")

    assert not is_stopped(pid)
    watch.one.process.wait()
    assert not is_stopped(pid)


class Bank(NamedTuple):
    """A server of the bank on a disk that can be slow, with a log that can be read."""

    server: Server
    disk: FaultyDisk
    log: Path
    cells: "memoryview[int]"

    def pids(self) -> dict[int, int]:
        """Of workers, by slot."""
        found: dict[int, int] = {}
        for kind, pid in children_of(self.server.process.pid).items():
            if kind.startswith("worker"):
                encoded = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[-2]
                options = msgspec.json.decode(encoded, type=ProcessOptions)
                found[options.writer_slot] = pid
        return found

    def call(self, seconds: float = 5.0) -> bool:
        """Whether a recorded call succeeds, on a connection of its own."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self.server.decisions, options) as channel:
            propose = channel.unary_unary("/propono.v1.DecisionService/Propose")
            with suppress(grpc.RpcError):
                return bool(propose(RECORDED.SerializeToString(), timeout=seconds))
        return False

    def delete(self) -> None:
        """Erase who was proposed to, over the admin port."""
        where = ("--admin-server", self.server.admin, "--data", self.server.data)
        run("contacts", "delete", "v", "--environment", "visitor", "--yes", *where)

    def writer(self) -> int:
        """The slot of a worker that is inside a transaction; 0 while none is."""
        slots = range(SLOTS + 1, SLOTS + 8)
        return next((cell - SLOTS for cell in slots if self.cells[cell] > 0), 0)


@pytest.fixture
def slow_bank(tmp_path: Path) -> Generator[Bank]:
    """Three workers."""
    data, log = tmp_path / "data", tmp_path / "log"
    run("catalog", "publish", BANK, "--data", data)
    try:
        disk = FaultyDisk(data, tmp_path)
    except CannotBuild as reason:
        pytest.skip(f"no disk that is slow: {reason}")
    with (
        log.open("w") as stderr,
        serving(data, 3, stderr=stderr, variables=disk.variables) as server,
    ):
        yield Bank(server, disk, log, SharedPage.open(DataFolder(data).page).cells)


def test_recorded_calls_go_on_when_a_writer_is_stopped(slow_bank: Bank) -> None:
    """It is killed and started again; one stopped outside and the others are not."""
    before = slow_bank.pids()
    slow_bank.disk.slow(flush_ms=20_000)
    found = threading.Event()
    # Once more if the keeper, on the same disk, had the lock for too long.
    calling = threading.Thread(
        target=lambda: wait_until(lambda: slow_bank.call(30.0) or found.is_set())
    )
    calling.start()
    wait_until(lambda: slow_bank.writer() != 0)
    found.set()
    writer = slow_bank.writer()
    idle = next(slot for slot in before if slot != writer)
    for slot in (idle, writer):
        os.kill(before[slot], signal.SIGSTOP)
    slow_bank.disk.heal()
    calling.join()
    # Some connections lead to the one that stays stopped.
    wait_until(lambda: slow_bank.call(seconds=1.0))
    wait_until(lambda: slow_bank.pids().get(writer) not in (None, before[writer]))
    after = slow_bank.pids()
    numbers = samples(slow_bank.server)
    os.kill(before[idle], signal.SIGCONT)

    assert {slot: after[slot] for slot in before if slot != writer} == {
        slot: before[slot] for slot in before if slot != writer
    }
    assert numbers["propono_watchdog_kills_total"] == 1
    assert numbers["propono_process_restarts_total"] == 1
    assert (
        f"the worker process {before[writer]} is stopped" in slow_bank.log.read_text()
    )


def test_a_slow_writer_is_left_alone(slow_bank: Bank) -> None:
    """However long its disk takes, and so is the admin process that waits for it."""
    before = slow_bank.pids()
    assert slow_bank.call()
    # A commit has two flushes, and takes longer than the grace.
    slow_bank.disk.slow(flush_ms=1_000 * GRACE_SECONDS)
    calling = threading.Thread(target=lambda: wait_until(slow_bank.call))
    calling.start()
    wait_until(lambda: slow_bank.writer() != 0)
    deleting = threading.Thread(target=slow_bank.delete)
    deleting.start()
    wait_until(lambda: slow_bank.cells[SLOTS + ADMIN] != 0)
    calling.join()
    deleting.join()

    assert slow_bank.pids() == before
    assert slow_bank.cells[SLOTS + ADMIN] == 0
    assert samples(slow_bank.server)["propono_watchdog_kills_total"] == 0
