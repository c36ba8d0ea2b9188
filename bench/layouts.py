"""How durable records could be laid out: one environment, several, one writer for all.

    python -m bench.layouts
    python -m bench.layouts --contacts 1000000 --flush-ms 0 --flush-ms 1 --flush-ms 10

Processes store records of contacts as fast as they can, as many at once as calls that
wait together; without engine and wire. Each layout holds the same contacts before.

    one        all in one environment, a transaction for what waits
    shards     contacts hashed over several, a transaction in each that is touched
    committer  one environment; workers send records to one process, which stores what
               all of them sent in one transaction
"""

import multiprocessing
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import lmdb

from bench.faulty_disk import FaultyDisk
from bench.timing import report
from contact_store.lmdb_env import open_lmdb_env

#: Records that wait together, and bytes of one: a contact with 20 propositions.
TOGETHER = 32
RECORD = bytes(1_200)
SHARDS = 8
LAYOUTS = ("one", "shards", "committer")
#: Records stored in one transaction before anything is timed.
STORED_AT_ONCE = 10_000

#: Stores these records of contacts, durably.
Store = Callable[[list[int]], None]


@click.command()
@click.option("--contacts", type=int, default=100_000, show_default=True)
@click.option("--workers", type=int, multiple=True, default=[1, 2], show_default=True)
@click.option(
    "--flush-ms", type=float, multiple=True, default=[0, 1, 10], show_default=True
)
@click.option("--seconds", type=float, default=3.0, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    contacts: int,
    workers: tuple[int, ...],
    flush_ms: tuple[float, ...],
    seconds: float,
    output: str,
) -> None:
    rows: list[dict[str, object]] = []
    for layout in LAYOUTS:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / "data"
            folder.mkdir()
            _fill(layout, folder, contacts)
            disk = FaultyDisk(folder, Path(scratch))
            for count in workers:
                for delay in flush_ms:
                    disk.slow(delay)
                    rate = _rate(layout, folder, contacts, count, seconds, disk)
                    row: dict[str, object] = {"layout": layout, "workers": count}
                    row |= {"flush_ms": delay, "records/s": round(rate)}
                    rows.append(row)
    title = f"{contacts} contacts, {TOGETHER} records at once, {SHARDS} shards"
    report(title, rows, output)


def _rate(
    layout: str,
    folder: Path,
    contacts: int,
    workers: int,
    seconds: float,
    disk: FaultyDisk,
) -> float:
    """Records a second, in a process of its own: the disk is loaded with it."""
    words = (layout, str(folder), str(contacts), str(workers), str(seconds))
    done = subprocess.run(
        [sys.executable, "-m", "bench.layouts", "run", *words],
        env={**os.environ, **disk.variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def run(layout: str, folder: Path, contacts: int, workers: int, seconds: float) -> None:
    fork = multiprocessing.get_context("fork")
    counts = [fork.Value("Q") for _ in range(workers)]
    pipes = [fork.Pipe() for _ in range(workers)]

    def work(number: int) -> None:
        if layout == "committer":
            store = _sending(pipes[number][0])
        else:
            store = _storing(_environments(layout, folder))
        draw = random.Random(number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            store([draw.randrange(contacts) for _ in range(TOGETHER)])
            counts[number].value += TOGETHER
        pipes[number][0].close()

    processes = [fork.Process(target=work, args=(n,)) for n in range(workers)]
    for process in processes:
        process.start()
    for theirs, _ in pipes:
        theirs.close()
    if layout == "committer":
        _commit_for_all([ours for _, ours in pipes], _environments(layout, folder))
    for process in processes:
        process.join()
    click.echo(sum(count.value for count in counts) / seconds)


def _environments(layout: str, folder: Path) -> list[lmdb.Environment]:
    count = SHARDS if layout == "shards" else 1
    return [open_lmdb_env(folder / str(number)) for number in range(count)]


def _storing(environments: list[lmdb.Environment]) -> Store:
    def store(contacts: list[int]) -> None:
        of_shard: dict[int, list[int]] = {}
        for contact in contacts:
            of_shard.setdefault(contact % len(environments), []).append(contact)
        for shard, some in of_shard.items():
            with environments[shard].begin(write=True) as txn:
                for contact in some:
                    txn.put(_key(contact), RECORD)

    return store


def _sending(pipe: Connection) -> Store:
    def store(contacts: list[int]) -> None:
        # As bytes that need no pickling, records included.
        pipe.send_bytes(b"".join([_key(contact) + RECORD for contact in contacts]))
        pipe.recv_bytes()

    return store


def _commit_for_all(
    pipes: list[Connection], environments: list[lmdb.Environment]
) -> None:
    size = len(_key(0)) + len(RECORD)
    while pipes:
        asked: list[Connection] = []
        with environments[0].begin(write=True) as txn:
            for pipe in wait(pipes):
                assert isinstance(pipe, Connection)
                try:
                    sent = pipe.recv_bytes()
                except EOFError:
                    pipes.remove(pipe)
                    continue
                asked.append(pipe)
                for at in range(0, len(sent), size):
                    key, record = sent[at : at + 8], sent[at + 8 : at + size]
                    txn.put(key, record)
        for pipe in asked:
            pipe.send_bytes(b"1")


def _fill(layout: str, folder: Path, contacts: int) -> None:
    environments = _environments(layout, folder)
    for start in range(0, contacts, STORED_AT_ONCE):
        some = list(range(start, min(contacts, start + STORED_AT_ONCE)))
        _storing(environments)(some)
    for environment in environments:
        environment.close()


def _key(contact: int) -> bytes:
    return contact.to_bytes(8, "big")


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        layout, folder, contacts, workers, seconds = sys.argv[2:]
        run(layout, Path(folder), int(contacts), int(workers), float(seconds))
    else:
        main()
