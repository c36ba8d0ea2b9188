"""The keeper: what a server does beside deciding, a little at a time.

    purge           propositions older than the retention; see `contact_store.purge`
    reader_check    slots of readers that were killed, or the file would only grow

Each step takes some milliseconds, and the keeper rests after it for several times as
long: decisions wait for one of its write transactions at most, and seldom for that. It
follows the published rules, since they say what leaves a mark; without a catalog that
can be read nothing is purged.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from catalog_store.records import UnixMs
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from contact_store.purge import Purge, PurgeStep
from contact_store.retention import DAY_MS, RETENTION_DAYS, Counting
from server.countings import countings_of
from server.data_folder import DataFolder
from server.live_loading import load_in_steps
from server.writer_slot import WriterSlot

_log = logging.getLogger(__name__)


class KeeperOptions(NamedTuple):
    """What the keeper does, and how gently."""

    data: DataFolder
    retention_days: int = RETENTION_DAYS
    #: Between two steps: as many times as the step took, and at least so long.
    rest_factor: float = 4.0
    rest_seconds: float = 0.02
    #: Between two walks over all records.
    pause_seconds: float = 3_600.0
    #: Between two looks at the slots of readers.
    reader_check_seconds: float = 10.0


async def run_keeper(
    options: KeeperOptions,
    stop: asyncio.Event,
    ready: Callable[[int], None],
    now_ms: Callable[[], UnixMs],
    purged: Callable[[PurgeStep], None] = lambda _: None,
    slot: WriterSlot | None = None,
) -> None:
    """Work until `stop` is set, which ends it within a step.

    `ready` is told 0 once the stores are open: the keeper has no port. `purged` learns
    what each step of the purge did, and `slot` when it may be writing. Raises
    StoreFailed, after which the stores must be opened anew: whoever started the process
    starts it again.
    """
    slot = slot or WriterSlot.unwatched()
    with (
        # Opening writes.
        slot.around(HistoryStore)(options.data.history) as history,
        ProfileStore(options.data.profiles) as profiles,
    ):
        purge_step = slot.around(Purge(history).step)
        rules = _Rules(Revisions(options.data.catalog))
        checked = -options.reader_check_seconds
        ready(0)
        while not stop.is_set():
            began = time.monotonic()
            if began - checked >= options.reader_check_seconds:
                checked = began
                for lmdb_env in (history.lmdb_env, profiles.lmdb_env):
                    # LMDB's own errors say nothing that can be done here.
                    lmdb_env.reader_check()
            countings = await rules.countings(stop)
            step = PurgeStep(is_last=True)
            began = time.monotonic()
            if countings is not None:
                period_ms = options.retention_days * DAY_MS
                step = purge_step(now_ms(), period_ms, countings)
                purged(step)
            took = time.monotonic() - began
            rest = max(options.rest_seconds, options.rest_factor * took)
            await _wait(stop, options.pause_seconds if step.is_last else rest, rules)


async def _wait(stop: asyncio.Event, seconds: float, rules: "_Rules") -> None:
    """Until it is time, or to stop, or other rules are published."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not rules.have_changed():
        try:
            await asyncio.wait_for(stop.wait(), min(left, 1.0))
        except TimeoutError:
            continue
        return


class _Rules:
    """What the rules in force may count, as published."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions
        self._signal = revisions.signal()
        self._seen: bytes | None = None
        self._countings: tuple[Counting, ...] | None = None

    def have_changed(self) -> bool:
        return self._signal.value() != self._seen

    async def countings(self, stop: asyncio.Event) -> tuple[Counting, ...] | None:
        """None when nothing is published, it cannot be read, or `stop` is set."""
        if self.have_changed() or self._countings is None:
            self._seen = self._signal.value()
            self._countings = None
            try:
                self._countings = await self._load(stop)
            except NothingPublished:
                pass
            except (DamagedRevision, OSError):
                _log.exception("the revision cannot be loaded; nothing is purged")
        return self._countings

    async def _load(self, stop: asyncio.Event) -> tuple[Counting, ...] | None:
        manifest = self._revisions.current()
        revision = self._revisions.open(manifest)
        try:
            steps = load_in_steps(revision, manifest)
            while not stop.is_set():
                try:
                    next(steps)
                except StopIteration as done:
                    return countings_of(done.value)
                await asyncio.sleep(0)
            return None
        finally:
            revision.close()
