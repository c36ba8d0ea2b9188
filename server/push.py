"""PushArtifact and Rollback: what publishes over the wire.

An artifact is verified while it arrives: its signature before its file is taken, the
file's bytes as they are written into the private folder. Only then is it opened, tried
and published, in a thread, since that takes a core for a moment. The answer comes when
every worker has switched.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from catalog_store.installation import Installation
from catalog_store.manifest import Manifest
from catalog_store.records import Environment, UnixMs
from catalog_store.revisions import (
    CatalogFolderFailed,
    DamagedRevision,
    NothingPublished,
    PublicationBusy,
    Revisions,
)
from server.audit.publications import tell_current
from server.data_folder import DataFolder
from server.publication import publish_installed, roll_back
from server.requests import InvalidRequest, Violation
from server.revision_message import revision_message
from server.sources import Accept, accept_for
from server.switching import SWITCH_SECONDS, all_switched
from server.wire import admin_pb2 as pb

#: Bytes in one part of an artifact.
CHUNK_BYTES_MAX = 131_072

Result = TypeVar("Result")


class PublicationService:
    """Publishes one thing at a time into a data folder."""

    def __init__(
        self,
        data: DataFolder,
        now_ms: Callable[[], UnixMs],
        switch_seconds: float = SWITCH_SECONDS,
        designed: Callable[[], Iterable[Environment]] = tuple,
    ) -> None:
        """`designed` gives the environments of the design."""
        self._data = data
        self._revisions = Revisions(data.catalog)
        self._signal = self._revisions.signal()
        self._now_ms = now_ms
        self._designed = designed
        self._switch_seconds = switch_seconds
        self._busy = False
        #: The sha256 of files that workers of this server decided with.
        self._served: set[str] = set()

    @contextmanager
    def push(self, caller: str) -> Generator["Push"]:
        """An artifact in parts.

        Raises PublicationBusy beside another publication, and OtherSource.
        """
        self._begin()
        push: Push | None = None
        try:
            # Before all of it is sent; and again when it is there.
            self._accept()(())
            begin = partial(self._revisions.begin_artifact, self._now_ms())
            with self._revisions.preparing():
                push = Push(self, _folder_failures(begin)(), caller)
                yield push
        finally:
            # A publication that began goes on when its caller has gone away.
            if push is None or not push.is_publishing:
                self._busy = False
                if push is not None:
                    push.installation.close()

    async def rollback(self, request: pb.RollbackRequest, caller: str) -> bytes:
        """The encoded RollbackResponse.

        Raises InvalidRequest, UnknownRevision, DamagedRevision, PublicationBusy and
        WorkersBehind.
        """
        if not request.revision:
            text = "is 0; send the number of a revision"
            raise InvalidRequest([Violation("revision", text)])
        self._begin()
        publish = partial(
            roll_back,
            self._data,
            request.revision,
            publisher=caller,
            now_ms=self._now_ms(),
            served=self._served,
        )
        manifest = await self.published(publish)
        answer = pb.RollbackResponse(
            revision=revision_message(manifest, manifest.number)
        )
        return answer.SerializeToString()

    async def published(self, publish: Callable[[], Manifest]) -> Manifest:
        """Publish in a thread, and wait until all workers have switched."""

        async def to_the_end() -> Manifest:
            try:
                return await asyncio.to_thread(_folder_failures(publish))
            finally:
                self._busy = False

        self._note_served()
        tell_current(self._revisions)
        manifest = await asyncio.shield(asyncio.create_task(to_the_end()))
        await all_switched(self._signal, manifest.number, self._switch_seconds)
        self._note_served()
        return manifest

    def _note_served(self) -> None:
        """Remember what decides now, so that a rollback to it need not be tried."""
        try:
            current = self._revisions.current()
        except (NothingPublished, DamagedRevision):
            return
        if any(w.serving == current.number for w in self._signal.workers()):
            self._served.add(current.file_sha256)

    def publish_artifact(self, installation: Installation, caller: str) -> Manifest:
        """What a push does once all parts are there; raises ArtifactError."""
        with installation, self._revisions.preparing():
            installed = installation.finish()
            return publish_installed(
                self._revisions,
                installed,
                publisher=caller,
                now_ms=self._now_ms(),
                accept=self._accept(),
            )

    def _accept(self) -> Accept:
        return accept_for(self._designed(), self._revisions)

    def _begin(self) -> None:
        if self._busy:
            raise PublicationBusy("another publication is under way; try again")
        self._busy = True


class Push:
    """One artifact that arrives."""

    def __init__(
        self, service: PublicationService, installation: Installation, caller: str
    ) -> None:
        self.installation = installation
        self.is_publishing = False
        self._service = service
        self._caller = caller

    def add(self, request: pb.PushArtifactRequest) -> None:
        """Take a part; raises InvalidRequest, ArtifactError and CatalogFolderFailed."""
        size = len(request.chunk)
        if not 0 < size <= CHUNK_BYTES_MAX:
            text = f"has {size} bytes; send 1 to {CHUNK_BYTES_MAX}"
            raise InvalidRequest([Violation("chunk", text)])
        _folder_failures(partial(self.installation.feed, request.chunk))()

    async def finish(self) -> bytes:
        """The encoded PushArtifactResponse, when all workers have switched.

        Raises ArtifactError, CatalogFolderFailed, PublicationBusy and WorkersBehind.
        """
        self.is_publishing = True
        manifest = await self._service.published(
            partial(self._service.publish_artifact, self.installation, self._caller)
        )
        answer = pb.PushArtifactResponse(
            revision=revision_message(manifest, manifest.number)
        )
        return answer.SerializeToString()


def _folder_failures(work: Callable[[], Result]) -> Callable[[], Result]:
    """The same work; raises CatalogFolderFailed when the disk is full, or fails."""

    def done() -> Result:
        try:
            return work()
        except OSError as error:
            raise CatalogFolderFailed(
                f"the catalog's folder cannot be written: {error.strerror or error}"
            ) from error

    return done
