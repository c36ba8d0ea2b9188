"""Publications for a time to come: made, listed, cancelled.

What is scheduled is compiled at once, as a publication that is only validated, so that
its mistakes show now; `server.design.due_publications` publishes it when it is time.
"""

import asyncio
from collections.abc import Callable, Sequence

from google.protobuf import timestamp_pb2

from catalog_store.design_errors import DesignStoreFailed
from catalog_store.records import Catalog, UnixMs
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from catalog_store.scheduled_publications import (
    AHEAD_MS_MAX,
    ScheduledPublication,
    ScheduledPublications,
    ScheduleState,
    is_outdated,
)
from server.data_folder import DataFolder
from server.design.publishing import Publisher
from server.requests import InvalidRequest, Violation
from server.translation import timestamp
from server.transport import Context, Handler, unary_handler
from server.wire import admin_pb2 as pb
from server.wire import scheduling_pb2

_STATES = {
    ScheduleState.SCHEDULED: scheduling_pb2.SCHEDULE_STATE_SCHEDULED,
    ScheduleState.PUBLISHED: scheduling_pb2.SCHEDULE_STATE_PUBLISHED,
    ScheduleState.REFUSED: scheduling_pb2.SCHEDULE_STATE_REFUSED,
    ScheduleState.CANCELLED: scheduling_pb2.SCHEDULE_STATE_CANCELLED,
}


class Scheduling:
    """What is scheduled in one data folder."""

    def __init__(
        self, folder: DataFolder, publisher: Publisher, now_ms: Callable[[], UnixMs]
    ) -> None:
        self._folder = folder
        self._publisher = publisher
        self._now_ms = now_ms
        self._scheduled = ScheduledPublications(folder.scheduled)

    def schedule(
        self,
        request: pb.PublishRequest,
        catalog: Catalog,
        design_version: int,
        publisher: str,
        progress: Callable[[int, int], None] | None = None,
    ) -> pb.PublishResponse:
        """Compile a catalog and keep it for its time, or only find that this could be.

        Raises InvalidRequest, what `Publisher.publish` raises, ScheduleFull and
        DesignStoreFailed.
        """
        publish_at_ms = self._publish_at(request.publish_time)
        answer = self._publisher.publish(
            catalog,
            publisher,
            validate_only=True,
            progress=progress,
            strict=request.strict,
        )
        if request.validate_only:
            return answer
        base_revision, base_digest = _current(self._folder)
        publication = ScheduledPublication(
            publish_at_ms=publish_at_ms,
            created_at_ms=self._now_ms(),
            publisher=publisher,
            design_version=design_version,
            digest=answer.revision.digest,
            offer_count=answer.revision.offer_count,
            rule_count=answer.revision.rule_count,
            base_revision=base_revision,
            base_digest=base_digest,
        )
        try:
            added = self._scheduled.add(publication, catalog)
        except OSError as error:
            raise DesignStoreFailed(f"nothing was scheduled: {error}") from error
        answer.scheduled_publication.CopyFrom(schedule_message(added, outdated=False))
        return answer

    def _publish_at(self, publish_time: timestamp_pb2.Timestamp) -> UnixMs:
        at_ms = publish_time.seconds * 1_000 + publish_time.nanos // 1_000_000
        ahead_ms = at_ms - self._now_ms()
        if 0 < ahead_ms <= AHEAD_MS_MAX:
            return UnixMs(at_ms)
        text = "is past; leave it out to publish now"
        if ahead_ms > 0:
            days = AHEAD_MS_MAX // 86_400_000
            text = f"is too far ahead; send a time within {days} days"
        raise InvalidRequest([Violation("publish_time", text)])

    def list(self, *, show_ended: bool) -> list[scheduling_pb2.ScheduledPublication]:
        """As `listed` gives them; raises DamagedSchedule."""
        return listed(self._scheduled.all(), self._folder, show_ended=show_ended)

    def cancel(self, name: str, caller: str) -> scheduling_pb2.ScheduledPublication:
        """Raises InvalidRequest, UnknownSchedule, ScheduleEnded, DamagedSchedule,
        PublicationBusy while it is being published, and DesignStoreFailed."""
        number = _number_in(name)
        try:
            with self._scheduled.publishing():
                ended = self._scheduled.end(
                    number,
                    ScheduleState.CANCELLED,
                    self._now_ms(),
                    reason=f"cancelled by {caller}",
                )
        except OSError as error:
            raise DesignStoreFailed(f"nothing was cancelled: {error}") from error
        return schedule_message(ended, outdated=False)


def scheduling_methods(
    scheduling: Scheduling, admit: Callable[[Context], str]
) -> dict[str, Handler]:
    """Handlers by the names of their methods; none waits for the design."""

    async def listed(
        request: scheduling_pb2.ListScheduledPublicationsRequest, caller: str
    ) -> bytes:
        found = await asyncio.to_thread(
            lambda: scheduling.list(show_ended=request.show_ended)
        )
        return scheduling_pb2.ListScheduledPublicationsResponse(
            scheduled_publications=found
        ).SerializeToString()

    async def cancelled(
        request: scheduling_pb2.CancelScheduledPublicationRequest, caller: str
    ) -> bytes:
        found = await asyncio.to_thread(scheduling.cancel, request.name, caller)
        return scheduling_pb2.CancelScheduledPublicationResponse(
            scheduled_publication=found
        ).SerializeToString()

    return {
        "ListScheduledPublications": unary_handler(
            scheduling_pb2.ListScheduledPublicationsRequest, listed, admit
        ),
        "CancelScheduledPublication": unary_handler(
            scheduling_pb2.CancelScheduledPublicationRequest, cancelled, admit
        ),
    }


def listed(
    every: Sequence[ScheduledPublication], folder: DataFolder, *, show_ended: bool
) -> list[scheduling_pb2.ScheduledPublication]:
    """Those that wait, the next one first; then the ended ones, the last one first."""
    waiting = [one for one in every if one.is_waiting]
    waiting.sort(key=lambda one: (one.publish_at_ms, one.number))
    ended = [one for one in every if show_ended and not one.is_waiting]
    ended.sort(key=lambda one: (one.ended_at_ms, one.number), reverse=True)
    _, digest = _current(folder)
    return [
        *(
            schedule_message(one, outdated=is_outdated(one, digest, every))
            for one in waiting
        ),
        *(schedule_message(one, outdated=False) for one in ended),
    ]


def schedule_message(
    publication: ScheduledPublication, *, outdated: bool
) -> scheduling_pb2.ScheduledPublication:
    """A scheduled publication as a message."""
    message = scheduling_pb2.ScheduledPublication(
        name=publication.name,
        publish_time=timestamp(UnixMs(publication.publish_at_ms)),
        create_time=timestamp(UnixMs(publication.created_at_ms)),
        publisher=publication.publisher,
        design_version=publication.design_version,
        digest=publication.digest,
        offer_count=publication.offer_count,
        rule_count=publication.rule_count,
        state=_STATES[publication.state],
        reason=publication.reason,
        revision=publication.revision,
        base_revision=publication.base_revision,
        outdated=outdated,
    )
    if not publication.is_waiting:
        message.end_time.CopyFrom(timestamp(UnixMs(publication.ended_at_ms)))
    return message


def _current(folder: DataFolder) -> tuple[int, str]:
    """The number and the digest of what decides now; 0 and empty for nothing."""
    try:
        current = Revisions(folder.catalog).current()
    except (NothingPublished, DamagedRevision):
        return 0, ""
    return current.number, current.digest


def _number_in(name: str) -> int:
    collection, _, number = name.partition("/")
    is_number = number.isascii() and number.isdecimal() and len(number) <= 12
    if collection != "scheduledPublications" or not is_number:
        text = "is not `scheduledPublications/<number>`"
        raise InvalidRequest([Violation("name", text)])
    return int(number)
