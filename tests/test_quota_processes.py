"""One quota and many processes: exactly its limit, and nobody refused in vain."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest

from catalog_store.records import UnixMs
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from server.watchdog import nudge
from tests.bank import NOON_MS, environment, offer, publish
from tests.quota_bank import quota
from tests.servers import (
    DEADLINE_SECONDS,
    ROOT,
    Server,
    children_of,
    run,
    serving,
    wait_until,
)

#: More than anybody asks for.
ENDLESS = 1_000_000
SCARCE = name_hash("environments/bank/quotas/scarce")
OF_ALL_TIME = QuotaPeriodKey(SCARCE, "total", None)


class Hammer:
    """A process of tests.quota_hammer, and what it said so far."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.quota_hammer", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        #: Contact -> the offer, empty when there was none.
        self.answers: dict[str, str] = {}
        self._reader = Thread(target=self._read)
        self._reader.start()

    def go(self, count: int = ENDLESS) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()

    def proposed(self, offer: str = "gold") -> int:
        return sum(one == offer for one in list(self.answers.values()))

    def end(self) -> None:
        """Let it finish what it asks for, and stop."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.wait()

    def close(self) -> None:
        """End it, whatever it does."""
        assert self.process.stdin is not None
        self.process.kill()
        self.process.stdin.close()
        self.wait()

    def wait(self) -> None:
        self._reader.join(DEADLINE_SECONDS)
        self.process.wait(DEADLINE_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                contact, _, offer = line.strip().partition(" ")
                self.answers[contact] = offer
        self.process.stdout.close()


@contextmanager
def hammers(kind: str, where: object, count: int) -> Generator[list[Hammer]]:
    with ExitStack() as stack:
        started: list[Hammer] = []
        for number in range(count):
            started.append(Hammer(kind, where, f"p{number}"))
            stack.callback(started[-1].close)
        yield started


def nudged(hammer: Hammer) -> Hammer:
    """As a server's watchdog nudges who waits beside a writer that was killed."""
    nudge(hammer.process.pid)
    return hammer


def recount(history: HistoryStore, contacts: Iterable[str]) -> Counter[int]:
    """Offers' hashes in the records of contacts, and how often each is there."""
    found: Counter[int] = Counter()
    for contact in contacts:
        record = history.read("bank", contact)
        if record is not None:
            found.update(proposition.offer for proposition in record.propositions)
    return found


def scarce(limit: int):
    """Gold is limited, and nothing else is there."""
    limited = quota(limit, period="total", offers=("gold",))
    return environment([offer("gold")], quotas=(limited,))


@pytest.mark.parametrize(("processes", "extra"), [(2, 0), (2, 60), (4, 0), (4, 60)])
def test_exactly_the_limit_is_proposed(
    tmp_path: Path, processes: int, extra: int
) -> None:
    """Who asks for all that there is gets all; of those above it all are refused."""
    limit = 200
    publish(tmp_path / "catalog", scarce(limit))
    each = (limit + extra) // processes
    with hammers("store", tmp_path, processes) as started:
        for hammer in started:
            hammer.go(each)
        for hammer in started:
            hammer.wait()
        answers = {k: v for hammer in started for k, v in hammer.answers.items()}

    assert Counter(answers.values()) == Counter(
        {"gold": limit, "": extra} if extra else {"gold": limit}
    )
    with HistoryStore(tmp_path / "history") as history:
        assert history.quota_used(OF_ALL_TIME) == limit
        assert recount(history, answers).total() == limit


def test_processes_that_are_killed_lose_and_add_nothing(tmp_path: Path) -> None:
    """kill -9 in the middle, again and again: the counter is what is stored."""
    limit = 300
    publish(tmp_path / "catalog", scarce(limit))
    answers: dict[str, str] = {}
    asked: set[str] = set()
    with hammers("store", tmp_path, 4) as started:
        for hammer in started:
            hammer.go()
        for victim in started[:3]:
            wait_until(lambda victim=victim: nudged(victim).proposed() >= 20)
            victim.process.kill()
            victim.wait()
        survivor = started[3]
        wait_until(lambda: "" in list(nudged(survivor).answers.values()))
        survivor.end()
        for number, hammer in enumerate(started):
            answers |= hammer.answers
            # The one after the last that it told of may have been recorded.
            asked |= {f"p{number}-{n}" for n in range(1, len(hammer.answers) + 2)}

    with HistoryStore(tmp_path / "history") as history:
        assert history.quota_used(OF_ALL_TIME) == limit
        assert recount(history, asked).total() == limit
    acknowledged = sum(offer == "gold" for offer in answers.values())
    assert limit - 3 <= acknowledged <= limit


CATALOG = """
default: true
categories: {all: {}}
spaces:
  banner: {channel: inbound_web}
offers:
  gold: {label: Gold, category: all, spaces: banner, weights: 1}
quotas:
  scarce: {limit: LIMIT, period: total, offers: gold}
"""


def publish_limit(folder: Path, data: Path, limit: int) -> None:
    (folder / "bank").mkdir(exist_ok=True, parents=True)
    text = CATALOG.replace("LIMIT", str(limit))
    (folder / "bank" / "environment.yaml").write_text(text)
    run("catalog", "publish", folder, "--data", data)


def test_a_server_of_four_workers_keeps_it(tmp_path: Path) -> None:
    """While workers are killed and the limit is raised and lowered."""
    data, files = tmp_path / "data", tmp_path / "catalog"
    publish_limit(files, data, 100)
    with serving(data, 4) as server, hammers("server", server.decisions, 4) as started:

        def proposed() -> int:
            return sum(hammer.proposed() for hammer in started)

        def refused_again() -> bool:
            return all(
                len(hammer.answers) - known > 20
                for hammer, known in zip(started, before, strict=True)
            )

        for hammer in started:
            hammer.go()
        wait_until(lambda: proposed() > 30)
        _kill_a_worker(server)
        wait_until(lambda: proposed() == 100)
        before = [len(hammer.answers) for hammer in started]
        wait_until(refused_again)
        assert proposed() == 100

        publish_limit(files, data, 400)
        wait_until(lambda: proposed() > 200)
        _kill_a_worker(server)
        wait_until(lambda: proposed() == 400)
        publish_limit(files, data, 50)
        before = [len(hammer.answers) for hammer in started]
        wait_until(refused_again)
        for hammer in started:
            hammer.end()
        contacts = [contact for hammer in started for contact in hammer.answers]
        assert proposed() == 400

    with HistoryStore(data / "history") as history:
        assert history.latest_decided_at(UnixMs(0)) > NOON_MS
        assert history.quota_used(OF_ALL_TIME) == 400
        assert recount(history, contacts).total() == 400


def _kill_a_worker(server: Server) -> None:
    workers = {
        k: p for k, p in children_of(server.process.pid).items() if "worker" in k
    }
    os.kill(workers[min(workers)], signal.SIGKILL)
