"""A decision worker: one process, one event loop, one live catalog at a time.

Opens the stores, loads the current revision, and only then listens. A new revision is
loaded in steps between decisions and swapped in by one assignment, and the one before
is given back in steps; whatever is wrong with the new one, the old one keeps deciding.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from catalog_store.records import UnixMs
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.access.callers import caller_name
from server.access.port import guarded_port
from server.access.tls import listen
from server.admission import Admission
from server.batch import BatchService
from server.decision_service import DecisionService, Sources
from server.engine.live_catalog import LiveCatalog
from server.group_commit import GroupCommit
from server.live.collector import full_collections_put_off
from server.live.released import release_in_steps
from server.live.source import Steps
from server.live_loading import load, load_in_steps
from server.metrics import CallMetrics, count_refusal, set_revision
from server.process_options import ProcessOptions
from server.recording_state import RecordingState
from server.rpc.queue_server import QueueServer
from server.shared_page import SharedPage
from server.standard_services import Health, reflection_handlers
from server.transport import (
    Handlers,
    handlers,
    server_options,
    stream_handler,
    unary_handler,
)
from server.wire import decision_pb2 as pb
from server.writer_slot import WriterSlot

Item = TypeVar("Item")

SERVICE = "propono.v1.DecisionService"
#: In health: whether what is to be recorded can be.
RECORDING_PART = f"{SERVICE}/recording"

#: How often a worker compares eight mapped bytes to see whether a new revision is
#: current; it costs a memory access.
SIGNAL_CHECK_SECONDS = 0.02
#: How long calls in flight may take after SIGTERM.
DRAIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


class CatalogCell:
    """The one mutable thing: the catalog that decides now."""

    def __init__(self) -> None:
        self.current: LiveCatalog | None = None
        #: Why there is none.
        self.absence = "nothing is published yet; publish a catalog first"


def system_sources() -> Sources:
    """The machine's clock and randomness."""
    return Sources(
        now_ms=lambda: UnixMs(time.time_ns() // 1_000_000), random_bytes=os.urandom
    )


async def run_worker(
    options: ProcessOptions,
    sources: Sources,
    stop: asyncio.Event,
    ready: Callable[[int], None],
) -> None:
    """Serve on a QueueLoop until `stop` is set; `ready` is told the port it has."""
    revisions = Revisions(options.folder.catalog)
    page = SharedPage.open(options.folder.page)
    slot = WriterSlot.of(page, options.writer_slot)
    # Opening writes.
    history = slot.around(HistoryStore)(options.folder.history)
    profiles = ProfileStore(options.folder.profiles)
    cell = CatalogCell()
    signal_page = revisions.signal()
    tell = partial(signal_page.tell, options.place)
    # Before CURRENT is read: whoever publishes meanwhile waits for this worker.
    tell(0)
    seen = signal_page.value()
    load_current(revisions, cell)
    if cell.current is not None:
        tell(cell.current.revision)

    health = Health([SERVICE])
    await health.set(serving=cell.current is not None)
    group_commit = GroupCommit(history, slot=slot)
    recording = RecordingState(page, partial(count_refusal, "LOW_DISK"))
    parts = cell, history, profiles, sources, options.kept_share, group_commit.commit
    service = DecisionService(*parts, recording.check)
    batches = BatchService(*parts, check_recording=recording.check)
    admission = Admission(options.calls_max, partial(count_refusal, "OVERLOADED"))
    services = [
        decision_handlers(service, batches, admission),
        health.rpc_handlers(),
    ]
    if options.reflection:
        services.append(reflection_handlers([SERVICE]))
    guarded = guarded_port(options, services)
    age_seconds = options.connection_age_seconds
    server = QueueServer(
        server_options(reuse_port=True, connection_age_seconds=age_seconds)
    )
    server.add_generic_rpc_handlers(guarded.services)
    port = listen(server, options.listen, options.tls)
    await server.start()
    committing = asyncio.create_task(group_commit.run())

    ready(port)
    watching = asyncio.create_task(tell_recording(health, recording))
    while not stop.is_set():
        if signal_page.value() != seen:
            seen = signal_page.value()
            await follow(revisions, cell, tell, service.forget)
            await health.set(serving=cell.current is not None)
        try:
            await asyncio.wait_for(stop.wait(), SIGNAL_CHECK_SECONDS)
        except TimeoutError:
            continue
    watching.cancel()
    await health.end()
    await server.stop(DRAIN_SECONDS)
    guarded.audited.close()
    group_commit.close()
    await committing
    history.close()
    profiles.close()


def decision_handlers(
    service: DecisionService, batches: BatchService, admission: Admission
) -> Handlers:
    return handlers(
        SERVICE,
        {
            "Propose": unary_handler(
                pb.ProposeRequest,
                batches.beside(service.propose),
                caller_name,
                CallMetrics("Propose").observe,
                admission,
            ),
            "UpdateProposition": unary_handler(
                pb.UpdatePropositionRequest,
                batches.beside(service.update_proposition),
                caller_name,
                CallMetrics("UpdateProposition").observe,
                admission,
            ),
            "ProposeBatch": stream_handler(
                pb.ProposeBatchRequest,
                batches.propose_batch,
                caller_name,
                CallMetrics("ProposeBatch").observe,
                admission,
            ),
        },
    )


async def tell_recording(health: Health, recording: RecordingState) -> None:
    """Keep health's word on recording true, for ever."""
    told: bool | None = None
    while True:
        if recording.is_possible != told:
            told = recording.is_possible
            await health.set_part(RECORDING_PART, serving=told)
        await asyncio.sleep(SIGNAL_CHECK_SECONDS)


def load_current(revisions: Revisions, cell: CatalogCell) -> None:
    """Load at start-up, when nobody waits; what cannot be trusted is not loaded."""
    try:
        manifest = revisions.current()
        revision = revisions.open(manifest)
        try:
            with full_collections_put_off():
                cell.current = load(revision, manifest)
            set_revision(manifest.number)
        finally:
            revision.close()
    except NothingPublished:
        return
    except DamagedRevision as error:
        _log.error("there is nothing to decide with: %s", error)
        cell.absence = _unusable(error)


def _unheard(serving: int, refused: int) -> None:
    """For whoever follows alone."""


async def follow(
    revisions: Revisions,
    cell: CatalogCell,
    tell: Callable[[int, int], None] = _unheard,
    forget: Callable[[], None] = lambda: None,
) -> None:
    """Load the current revision beside the one that decides, then replace it.

    Whatever is wrong with it is logged, and the one before keeps deciding. `tell` is
    told which revision decides now, and which one could not be loaded, or 0; `forget`
    makes whoever decides forget what they keep of the one before.
    """
    held: list[object] = [cell.current]
    try:
        manifest = revisions.current()
        if cell.current is not None and cell.current.revision == manifest.number:
            # Whoever published it may have ended, and said it again.
            tell(manifest.number, 0)
            return
        await _between_decisions(revisions.verify_in_steps(manifest))
        revision = revisions.open_installed(manifest)
        try:
            with full_collections_put_off():
                cell.current = await _between_decisions(
                    load_in_steps(revision, manifest)
                )
            set_revision(manifest.number)
        finally:
            revision.close()
    except Exception as error:
        before = cell.current
        if before is None:
            cell.absence = _unusable(error)
        _log.exception("the new revision cannot be loaded; the one before decides")
        tell(0 if before is None else before.revision, revisions.signal().highest())
        return
    tell(manifest.number, 0)
    forget()
    await _between_decisions(release_in_steps(held))


def _unusable(error: Exception) -> str:
    why = error if isinstance(error, DamagedRevision) else "see the server's log"
    return f"what is published cannot be used: {why}"


async def _between_decisions(steps: Steps[Item]) -> Item:
    """Take one step after the other, and let decisions run in between."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
        await asyncio.sleep(0)
