"""What a contact's past costs a decision, and what everybody's past costs it.

    python -m bench.history
    python -m bench.history --propositions 10000000 --folder /tmp
    python -m bench.history --part 32 --part 64 --part 128

In this process, without engine and wire. First single calls: work in a transaction that
is open, without its flush. Then transactions as they are, durable, in a store of so
many propositions and in one of a thousand contacts, in turn; contacts of both have the
same pasts: of a hundred one has 400 propositions, the others 16.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
from msgspec.structs import replace

from bench.timing import Times, report
from catalog_store.records import Attribute, AttributeType, UnixMs
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from contact_store.profile_reader import ProfileReader
from contact_store.profiles import ProfileStore
from contact_store.reach import Look, Reach
from contact_store.records import (
    PART_PROPOSITIONS,
    Proposition,
    PropositionStatus,
)

ENVIRONMENT = "recipient"
NOW_MS = UnixMs(1_800_000_000_000)
HOUR_MS = 3_600_000
WEEK = Reach((Look(7 * 24 * HOUR_MS),), NOW_MS)
FOR_EVER = Reach((Look(float("inf")),), NOW_MS)

#: Propositions of the contacts of single calls; one is made every eight hours.
PASTS = (20, 200, 4_000)
#: Of every hundred contacts one has many propositions, the others few.
MANY, FEW = 400, 16
SMALL_CONTACTS = 1_000
#: Contacts made in one transaction.
MADE_AT_ONCE = 2_000
ROUNDS = 5
#: Contacts of single calls with a past of one length.
ALIKE = 40

ATTRIBUTES = tuple(
    Attribute(name=f"a{number}", type=AttributeType.INT) for number in range(20)
)


class _Aborted(Exception):
    """Nothing that was timed is kept."""


@click.command()
@click.option("--propositions", default=20_000, show_default=True)
@click.option("--part", "sizes", type=int, multiple=True, default=(PART_PROPOSITIONS,))
@click.option("--seconds", default=1.0, show_default=True, help="For each figure.")
@click.option("--folder", type=click.Path(exists=True), help="For the data.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    propositions: int,
    sizes: tuple[int, ...],
    seconds: float,
    folder: str | None,
    output: str,
) -> None:
    """Time what history costs; the data is removed at the end."""
    with TemporaryDirectory(dir=folder) as scratch:
        for size in sizes:
            rows = single_calls(Path(scratch) / f"parts-{size}", size, seconds)
            report(f"one call, parts of {size} propositions", rows, output)
        rows = full_and_small(Path(scratch), propositions, seconds, output)
        report(
            f"{propositions:,} propositions against {SMALL_CONTACTS:,} contacts",
            rows,
            output,
        )


def single_calls(path: Path, size: int, seconds: float) -> list[dict[str, object]]:
    """Times of reads, appends and answers by the length of a contact's past."""
    rows: list[dict[str, object]] = []

    def told(what: str, times: Times) -> None:
        rows.append({"what": what, "p50_us": times.p50_us, "p99_us": times.p99_us})

    with (
        HistoryStore(path / "history", part_propositions=size) as store,
        ProfileStore(path / "profiles") as profiles,
    ):
        slots = tuple(range(len(ATTRIBUTES)))
        profiles.upsert(ENVIRONMENT, "c20-0", ATTRIBUTES, slots)
        reader = ProfileReader(profiles, ENVIRONMENT, ATTRIBUTES, "")
        oldest = {count: _made(store, count) for count in PASTS}
        profile = Times.of(reader.get, ["c20-0"], seconds)
        told("read a profile of 20 attributes", profile)
        for count in PASTS:
            names = [f"c{count}-{number}" for number in range(ALIKE)]
            for how_far, reach in (("a week", WEEK), ("for ever", FOR_EVER)):
                read = partial(_read, store, reach)
                told(f"read {count}, {how_far}", Times.of(read, names, seconds))
            with suppress(_Aborted), store.transaction() as txn:
                # Each becomes longer by as much as a part: one of them makes one.
                append = partial(_append, txn)
                told(f"append to {count}", Times.of(append, names * size, 0))
                raise _Aborted
            with suppress(_Aborted), store.transaction() as txn:
                answer = partial(_answer, txn)
                told(
                    f"answer an old one of {count}", Times.of(answer, oldest[count], 0)
                )
                raise _Aborted
    return rows


def full_and_small(
    path: Path, propositions: int, seconds: float, output: str
) -> list[dict[str, object]]:
    """Percentiles in both stores, in turn, and how many times the small one's."""
    contacts = max(100, round(propositions / ((MANY + 99 * FEW) / 100)))
    with (
        HistoryStore(path / "full") as full,
        HistoryStore(path / "small") as small,
    ):
        fill(full, contacts, is_told=output == "table")
        fill(small, SMALL_CONTACTS, is_told=False)
        draw = random.Random(7)
        asked = {
            full: [f"c{draw.randrange(contacts)}" for _ in range(500)],
            small: [f"c{draw.randrange(SMALL_CONTACTS)}" for _ in range(500)],
        }
        rows: list[dict[str, object]] = []
        for what, of in (("read", _reading), ("decide and append", _appending)):
            rounds: list[tuple[Times, Times]] = []
            for _ in range(ROUNDS):
                of_full, of_small = (
                    Times.of(of(store), asked[store], seconds)
                    for store in (full, small)
                )
                rounds.append((of_full, of_small))
            rows.append({"what": what, **compared(rounds)})
    size = (path / "full" / "data.mdb").stat().st_size
    if output == "table":
        print(f"{contacts:,} contacts, {size / 1e9:.2f} GB")
    return rows


def compared(rounds: Sequence[tuple[Times, Times]]) -> dict[str, object]:
    """Medians of the rounds, and of their ratios."""
    columns: dict[str, object] = {}
    for name in ("p50", "p99"):
        pairs = [
            (float(getattr(full, f"{name}_us")), float(getattr(small, f"{name}_us")))
            for full, small in rounds
        ]
        columns[f"full_{name}_us"] = median(full for full, _ in pairs)
        columns[f"small_{name}_us"] = median(small for _, small in pairs)
        columns[f"{name}_ratio"] = median(full / small for full, small in pairs)
    return columns


def fill(store: HistoryStore, contacts: int, *, is_told: bool) -> None:
    """Make contacts, each with its past."""
    with click.progressbar(
        range(0, contacts, MADE_AT_ONCE), label="contacts", hidden=not is_told
    ) as firsts:
        for first in firsts:
            with store.transaction() as txn:
                for number in range(first, min(first + MADE_AT_ONCE, contacts)):
                    count = FEW if number % 100 else MANY
                    txn.append(ENVIRONMENT, f"c{number}", *past(count))


def past(count: int) -> list[Proposition]:
    """Oldest first; the newest was made eight hours ago."""
    return [made(8 * HOUR_MS * (count - place)) for place in range(count)]


def made(ago_ms: int) -> Proposition:
    """One of 50 offers in five categories, with names as long as hashes are."""
    at_ms = UnixMs(NOW_MS - ago_ms)
    offer = ago_ms // HOUR_MS % 50
    return replace(
        _PROPOSITION,
        offer=(1 << 63) + offer,
        category=(1 << 62) + offer // 10,
        event_time_ms=at_ms,
        decided_at_ms=at_ms,
    )


_PROPOSITION = Proposition(
    interaction=(1 << 63) + 1,
    offer=0,
    category=0,
    space=(1 << 61) + 1,
    channel=1,
    weight=12.5,
    rank=1,
    status=PropositionStatus.PRESENTED,
    event_time_ms=NOW_MS,
    decided_at_ms=NOW_MS,
)


def _made(store: HistoryStore, count: int) -> list[str]:
    """Contacts with so long a past each; ids of some of their oldest."""
    ids: list[str] = []
    for number in range(ALIKE):
        with store.transaction() as txn:
            stored = txn.append(ENVIRONMENT, f"c{count}-{number}", *past(count))
            ids += [one.proposition_id for one in stored[:20]]
    return ids


def _read(store: HistoryStore, reach: Reach, contact_id: str) -> None:
    store.read(ENVIRONMENT, contact_id, reach)


def _append(txn: HistoryTransaction, contact_id: str) -> None:
    txn.append(ENVIRONMENT, contact_id, made(0))


def _answer(txn: HistoryTransaction, proposition_id: str) -> None:
    txn.update(proposition_id, PropositionStatus.ACCEPTED, None, NOW_MS)


def _reading(store: HistoryStore) -> Callable[[str], object]:
    return lambda contact_id: store.read(ENVIRONMENT, contact_id, WEEK)


def _appending(store: HistoryStore) -> Callable[[str], object]:
    """What a recorded decision does, but for deciding."""

    def append(contact_id: str) -> None:
        with store.transaction() as txn:
            txn.contact(ENVIRONMENT, contact_id, WEEK)
            txn.append(ENVIRONMENT, contact_id, made(0))

    return append


if __name__ == "__main__":
    main()
