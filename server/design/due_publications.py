"""What was scheduled is published when it is time: the admin process looks.

    scheduled ── its time comes ──► published         its publisher's name, audited
        │                     ├───► refused           it cannot be published, or would
        │                     │                       take back what was since
        │                     └───► later             the disk, or another publication
        └─── somebody ──────────► cancelled

What was missed because no server ran is published at the start, unless it is older than
LATE_MS_MAX. Killed at any moment it is published once: what the revisions say already
is not published again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec.structs import replace

from catalog_store.design_errors import DesignStoreFailed
from catalog_store.manifest import Manifest
from catalog_store.records import UnixMs
from catalog_store.revisions import (
    DamagedRevision,
    NothingPublished,
    PublicationBusy,
    Revisions,
)
from catalog_store.scheduled_publications import (
    DamagedSchedule,
    ScheduledPublication,
    ScheduledPublications,
    ScheduleState,
    UnknownSchedule,
    is_outdated,
)
from server.audit.entries import ASKED, AuditFailed, Entry
from server.audit.log import AuditLog
from server.data_folder import DataFolder
from server.design.publishing import Publisher
from server.design.thread import DesignThread
from server.requests import NotPublishable, OtherSource

#: A moment that was missed by more is over: what was meant for it may harm by now.
LATE_MS_MAX = 24 * 3_600_000
#: Between two looks at the clock, which may be set, and at what commands scheduled.
LOOK_SECONDS = 1.0
#: From one that failed, of a full disk for example, to the next: this, and then twice
#: as long each time. Each try is in the audit log.
RETRY_MS = 1_000
RETRY_MS_MAX = 300_000
#: In the audit log: the method that would have done it at once.
METHOD = "/propono.v1.AdminService/Publish"

_log = logging.getLogger(__name__)


async def publish_when_due(
    due: "DuePublications",
    compiling: DesignThread,
    switched: Callable[[], Awaitable[None]],
    look_seconds: float = LOOK_SECONDS,
) -> None:
    """Look until cancelled; nothing that goes wrong ends it."""
    while True:
        try:
            if await compiling.run(due.publish):
                await switched()
        except Exception:
            _log.exception("what is scheduled cannot be looked at; it is tried again")
        await asyncio.sleep(look_seconds)


class DuePublications:
    """Those of one data folder; for one thread."""

    def __init__(
        self, folder: DataFolder, publisher: Publisher, now_ms: Callable[[], UnixMs]
    ) -> None:
        self._scheduled = ScheduledPublications(folder.scheduled)
        self._revisions = Revisions(folder.catalog)
        self._publisher = publisher
        self._audit = AuditLog(folder.audit, now_ms)
        self._now_ms = now_ms
        #: What was said of each, so that it is not said with every look.
        self._said: dict[int, str] = {}
        #: Those that could not be published: how often, and when it is tried again.
        self._tried: dict[int, tuple[int, int]] = {}

    def publish(self) -> list[ScheduledPublication]:
        """Publish what is due, in the order of its times; gives what has ended."""
        now_ms = self._now_ms()
        waiting = [
            one
            for one in self._waiting()
            if max(one.publish_at_ms, self._tried.get(one.number, (0, 0))[1]) <= now_ms
        ]
        waiting.sort(key=lambda one: (one.publish_at_ms, one.number))
        found = [self._publish(one.number) for one in waiting]
        return [one for one in found if one is not None]

    def _waiting(self) -> list[ScheduledPublication]:
        found: list[ScheduledPublication] = []
        for number in self._scheduled.numbers():
            try:
                one = self._scheduled.get(number)
            except DamagedSchedule as error:
                self._say(number, str(error))
            except UnknownSchedule:
                # Forgotten by a command, meanwhile.
                continue
            else:
                found += [one] if one.is_waiting else []
        return found

    def _publish(self, number: int) -> ScheduledPublication | None:
        """None when it still waits, or somebody cancelled it."""
        try:
            with self._scheduled.publishing():
                one = self._scheduled.get(number)
                return self._ended(one) if one.is_waiting else None
        except (
            PublicationBusy,
            DesignStoreFailed,
            DamagedRevision,
            AuditFailed,
            OSError,
        ) as error:
            # It may be possible in a moment: until LATE_MS_MAX it stays scheduled.
            self._say(number, f"is not published yet: {error}")
            tries = self._tried.get(number, (0, 0))[0] + 1
            pause_ms = min(RETRY_MS << min(tries - 1, 20), RETRY_MS_MAX)
            self._tried[number] = tries, self._now_ms() + pause_ms
            return None

    def _ended(self, one: ScheduledPublication) -> ScheduledPublication:
        already = self._published_already(one)
        if already is not None:
            return self._end(one, ScheduleState.PUBLISHED, revision=already.number)
        late_ms = self._now_ms() - one.publish_at_ms
        if late_ms > LATE_MS_MAX:
            return self._end(
                one,
                ScheduleState.REFUSED,
                reason=f"its time was missed by {late_ms // 3_600_000} hours",
            )
        current, digest = self._current()
        if is_outdated(one, digest, self._scheduled.readable()):
            return self._end(
                one,
                ScheduleState.REFUSED,
                reason="something else was published since it was scheduled, which it"
                " would have taken back: schedule what is designed now",
            )
        if late_ms > 60_000:
            _log.warning("%s is %d s late: no server ran", one.name, late_ms // 1_000)
        return self._published(one, current)

    def _published(
        self, one: ScheduledPublication, current: int | None
    ) -> ScheduledPublication:
        """Over the revision that decides now; raises what can be tried again."""
        entry = Entry(
            at=self._audit.now(),
            who=one.publisher,
            known_by=one.name,
            method=METHOD,
            resource=one.name,
            result=ASKED,
        )
        asked = self._audit.record(entry)
        entry = replace(entry, asked=asked)
        try:
            catalog = self._scheduled.catalog(one)
            answer = self._publisher.publish(
                catalog, one.publisher, validate_only=False, after=current
            )
        except (NotPublishable, OtherSource, DamagedSchedule) as error:
            self._record(replace(entry, result="FAILED_PRECONDITION"))
            return self._end(one, ScheduleState.REFUSED, reason=str(error))
        except Exception:
            self._record(replace(entry, result="UNAVAILABLE"))
            raise
        number = answer.revision.number
        after = {"revision": number, "digest": answer.revision.digest}
        resource = f"revisions/{number}"
        self._record(replace(entry, result="OK", resource=resource, after=after))
        return self._end(one, ScheduleState.PUBLISHED, revision=number)

    def _published_already(self, one: ScheduledPublication) -> Manifest | None:
        """The revision that it is: whoever made it was killed before they said so.

        Or what decides is the same anyway.
        """
        with suppress(NothingPublished):
            current = self._revisions.current()
            if current.digest == one.digest:
                return current
            for manifest in self._revisions.history():
                if manifest.number <= one.base_revision:
                    break
                if (
                    # A higher one is of a publication that was interrupted.
                    manifest.number <= current.number
                    and manifest.digest == one.digest
                    and manifest.publisher == one.publisher
                    and manifest.published_at_ms >= one.publish_at_ms
                ):
                    return manifest
        return None

    def _current(self) -> tuple[int | None, str]:
        """The number and the digest of what decides now."""
        try:
            current = self._revisions.current()
        except NothingPublished:
            return None, ""
        return current.number, current.digest

    def _end(
        self,
        one: ScheduledPublication,
        state: ScheduleState,
        *,
        reason: str = "",
        revision: int = 0,
    ) -> ScheduledPublication:
        ended = self._scheduled.end(
            one.number, state, self._now_ms(), reason=reason, revision=revision
        )
        self._said.pop(one.number, None)
        self._tried.pop(one.number, None)
        if state is ScheduleState.PUBLISHED:
            _log.info("%s is revision %d", one.name, revision)
        else:
            _log.error("%s of %s is refused: %s", one.name, one.publisher, reason)
        return ended

    def _record(self, entry: Entry) -> None:
        """How it ended; that it did cannot be refused any more."""
        try:
            self._audit.record(replace(entry, at=self._audit.now()))
        except AuditFailed as error:
            _log.error("%s is not in the audit log: %s", entry.resource, error)

    def _say(self, number: int, text: str) -> None:
        if self._said.get(number) != text:
            self._said[number] = text
            _log.warning("scheduled publication %d: %s", number, text)
