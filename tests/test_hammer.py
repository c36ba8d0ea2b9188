"""Two workers that are hammered, killed and stopped: every promise is kept.

Revisions are published meanwhile, with other caps each.

    PROPONO_HAMMER_SECONDS=60 PROPONO_HAMMER_SEED=7 pytest -s tests/test_hammer.py
    python -m tests.test_hammer FOLDER

The second checks again what a run left behind.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from string import digits
from threading import Event, Thread

import msgspec

from contact_store.history import HistoryStore
from contact_store.lmdb_env import ReadTxn
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from contact_store.walk import walk
from tests.hammer import (
    EPOCH_NS,
    Cap,
    History,
    Limits,
    ProposeCall,
    Quota,
    StatusUpdate,
    Stored,
    UpdateCall,
    read_calls,
)
from tests.history_checker import violations
from tests.servers import (
    DEADLINE_SECONDS,
    ROOT,
    Server,
    children_of,
    run,
    serving,
    wait_until,
)

CLIENTS = 3
#: Each has a quota, of which a catalog has 1,000 at most.
EPOCHS_MAX = 900
#: Each once; with more time, all again.
FAULTS = (
    *("kill", "publish", "stop", "kill", "publish"),
    *("kill stopped", "publish", "stop long"),
)
#: How often each cap allows what it counts, of one published revision and the next:
#: looser and tighter than before, one as the other.
MAXIMA = ((3, 5), (1, 2), (5, 8), (2, 12))
#: Calls answered before, between and after faults, from the first to the second.
ANSWERS_BETWEEN = (80, 300)

CATALOG = """
default: true
typology: all
context_attributes: {request: string}
spaces:
  home:
    channel: inbound_web
    stored_on_proposition: {request: context.request}
categories:
  flash: {}
  spark: {}
  welcome: {}
  news: {}
offers:
  flash: {label: F, category: flash, spaces: home, weights: 5}
  spark: {label: S, category: spark, spaces: home, weights: 4}
  welcome: {label: W, category: welcome, spaces: home, weights: 3}
  news: {label: N, category: news, spaces: home, weights: 1}
presentation_rules:
  burst: {period: 1s, maximum: BURST, counted: scope, offers: [flash, spark]}
  ever: {period: forever, maximum: EVER, counted: scope, offers: welcome}
typologies: {all: [burst, ever]}
quotas:
  ample: {limit: 1000000, period: total, offers: news}
"""
GOLD = """
categories:
  goldN: {}
offers:
  goldN: {label: G, category: goldN, spaces: home, weights: 2}
quotas:
  scarceN: {limit: 40, period: total, offers: goldN}
"""


def publish_shop(folder: Path, data: Path, epochs: int) -> Limits:
    """A quota for each epoch; returns what the catalog limits."""
    shop = folder / "shop"
    shop.mkdir(parents=True)
    for number in range(epochs):
        (shop / f"gold{number}.yaml").write_text(GOLD.replace("N", str(number)))
    quotas = {f"scarce{n}": Quota(frozenset({f"gold{n}"}), 40) for n in range(epochs)}
    limits = Limits({}, {**quotas, "ample": Quota(frozenset({"news"}), 1_000_000)}, {})
    publish_caps(folder, data, limits)
    return limits._replace(caps=limits.caps_of_revision[1])


def publish_caps(folder: Path, data: Path, limits: Limits) -> None:
    """The next revision, with caps of its own; `limits` learns them before."""
    number = len(limits.caps_of_revision) + 1
    burst, ever = MAXIMA[(number - 1) % len(MAXIMA)]
    catalog = CATALOG.replace("BURST", str(burst)).replace("EVER", str(ever))
    (folder / "shop" / "environment.yaml").write_text(catalog)
    limits.caps_of_revision[number] = {
        "burst": Cap(frozenset({"flash", "spark"}), burst, 1_000),
        "ever": Cap(frozenset({"welcome"}), ever, None),
    }
    said = run("catalog", "publish", folder, "--data", data)
    assert said.startswith(f"revision {number} is published")


class Client:
    """A process of tests.hammer, and how many of its calls were answered so far."""

    def __init__(self, *arguments: object) -> None:
        self.answered = 0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.hammer", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"
        self._reader = Thread(target=self._read)
        self._reader.start()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")

    def end(self) -> int:
        """Let it finish its calls; its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._reader.join(DEADLINE_SECONDS)
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """End it, whatever it does; nothing when it has ended."""
        self.process.kill()
        self.end()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while dots := self.process.stdout.read(4_096):
            self.answered += len(dots)
        self.process.stdout.close()


@contextmanager
def clients(server: Server, logs: Path, *arguments: object) -> Generator[list[Client]]:
    logs.mkdir()
    with ExitStack() as stack:
        started: list[Client] = []
        for number in range(CLIENTS):
            started.append(Client(server.decisions, logs, f"c{number}-", *arguments))
            stack.callback(started[-1].close)
        yield started


def break_a_worker(server: Server, fault: str, random: Random) -> None:
    """The one that has served longest; another serves meanwhile, or will."""
    workers = [p for k, p in children_of(server.process.pid).items() if "worker" in k]
    if "stop" in fault:
        os.kill(min(workers), signal.SIGSTOP)
        # While it holds the write lock, so be it, nobody can decide: there is no
        # progress to wait for.
        longest = 3.0 if "long" in fault else 0.5
        Event().wait(random.uniform(longest / 10, longest))
    is_killed = "kill" in fault
    # Stopped inside a transaction it is killed by the watchdog after a second.
    with suppress(ProcessLookupError):
        os.kill(min(workers), signal.SIGKILL if is_killed else signal.SIGCONT)


def hammer(
    server: Server,
    folder: Path,
    seconds: float,
    seed: int,
    limits: Limits,
) -> int:
    """Hammer until the time is over and every fault was there; how many faults."""
    random = Random(seed)
    faults = 0
    epochs = len(limits.quotas) - 1
    with clients(server, folder / "logs", seed, epochs) as started:

        def answered() -> int:
            return sum(client.answered for client in started)

        def wait_for_more() -> None:
            before = answered()
            more = random.randint(*ANSWERS_BETWEEN)
            wait_until(lambda: answered() - before >= more)

        began = time.monotonic()
        for client in started:
            client.go()
        while faults < len(FAULTS) or time.monotonic() - began < seconds:
            wait_for_more()
            fault = FAULTS[faults % len(FAULTS)]
            if fault == "publish":
                publish_caps(folder / "catalog", server.data, limits)
            else:
                break_a_worker(server, fault, random)
            faults += 1
        wait_for_more()
        assert [client.end() for client in started] == [0] * CLIENTS
    return faults


def test_no_promise_is_broken_under_load_and_faults(tmp_path: Path) -> None:
    """Caps and quotas are exact, answers stored once, and nobody denied in vain."""
    seconds = float(os.environ.get("PROPONO_HAMMER_SECONDS", "6"))
    seed = int(os.environ.get("PROPONO_HAMMER_SEED", time.time_ns() % 1_000_000))
    print(f"PROPONO_HAMMER_SEED={seed}; what is left of it is in {tmp_path}")
    epochs = min(EPOCHS_MAX, int(2 * seconds * 1e9 / EPOCH_NS) + 2)
    limits = publish_shop(tmp_path / "catalog", tmp_path / "data", epochs)
    with serving(tmp_path / "data", 2) as server:
        faults = hammer(server, tmp_path, seconds, seed, limits)
    (tmp_path / "limits.json").write_bytes(msgspec.json.encode(limits))
    history = history_of(tmp_path)
    found = violations(history, limits)
    codes = Counter(call.code for call in history.proposes)
    answered = [call for call in history.proposes if call.code == "OK"]
    denied = Counter(c.asked[0].rstrip(digits) for c in answered if not c.proposed)
    again = Counter(call.request_id for call in answered)
    print(f"{faults} faults, {codes}, {len(history.stored)} stored, empty: {denied}")
    print(*found[:20], sep="\n")

    assert found == []
    assert run("doctor", "--data", tmp_path / "data") == "nothing is wrong\n"
    # Nothing of this would have been tested if it had not happened.
    assert set(codes) == {"OK", "CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE"}
    assert set(denied) >= {"flash", "spark", "welcome", "gold"}
    assert max(again.values()) > 1
    assert any(one.updates for one in history.stored)
    published = len(limits.caps_of_revision)
    assert {c.revision for c in answered} == {*range(1, published + 1)} > {1, 2, 3}


def limits_of(folder: Path) -> Limits:
    written = (folder / "limits.json").read_bytes()
    return msgspec.json.decode(written, type=Limits, strict=False)


def history_of(folder: Path) -> History:
    with HistoryStore(folder / "data" / "history") as store:
        return read_history(folder / "logs", store, limits_of(folder))


def read_history(logs: Path, store: HistoryStore, limits: Limits) -> History:
    """What a run left behind, of a catalog whose environment is `shop`."""
    calls = list(read_calls(logs))
    counters = {
        name: QuotaPeriodKey(
            name_hash(f"environments/shop/quotas/{name}"), "total", None
        )
        for name in limits.quotas
    }
    return History(
        [call for call in calls if isinstance(call, ProposeCall)],
        [call for call in calls if isinstance(call, UpdateCall)],
        list(_read_stored(store, limits)),
        {name: store.quota_used(counter) for name, counter in counters.items()},
    )


def _read_stored(store: HistoryStore, limits: Limits) -> Iterator[Stored]:
    """Every proposition of every contact, whoever asked for it."""
    every = frozenset().union(
        *(one.offers for one in (*limits.caps.values(), *limits.quotas.values()))
    )
    names = {name_hash(f"environments/shop/offers/{offer}"): offer for offer in every}
    table = store.lmdb_env.open_db(b"records")
    for record_key, _ in walk(store.lmdb_env, table):
        with ReadTxn(store.lmdb_env) as txn:
            name = store.tables.name_of(txn, record_key)
        known = store.view(name, lambda all_of_them: all_of_them)
        assert known is not None
        for proposition_id, one in known.propositions:
            yield Stored(
                proposition_id=proposition_id,
                contact=name.contact_id,
                sequence=one.sequence,
                request_id=str(one.stored.get("request")),
                interaction=one.interaction,
                offer=names[one.offer],
                rank=one.rank,
                decided_at_ms=one.decided_at_ms,
                status=one.status.name,
                updates=tuple(
                    StatusUpdate(change.status.name, change.event_time_ms)
                    for change in one.changes[1:]
                ),
            )


if __name__ == "__main__":
    left = Path(sys.argv[1])
    found_again = violations(history_of(left), limits_of(left))
    print(*found_again, sep="\n")
    sys.exit(bool(found_again))
