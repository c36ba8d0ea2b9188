"""The admin process: the services of the admin port.

Revisions can be read, pushed and rolled back, contacts kept, the design edited,
approved and published, now or later. `server.access` says who may call what.
"""

import asyncio
import os
import time
from collections.abc import Callable

from catalog_store.records import UnixMs
from catalog_store.revisions import (
    DamagedRevision,
    NothingPublished,
    Revisions,
    UnknownRevision,
)
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.access.callers import caller_name
from server.access.port import guarded_port
from server.access.tls import listen
from server.addresses import split_address
from server.contact_catalog import ContactCatalog
from server.contact_service import ContactService, ContactStores
from server.contact_stream import taking_handler
from server.design.handlers import DesignService
from server.metrics_listener import metrics_served
from server.paging import page_size
from server.process_options import ProcessOptions
from server.push import PublicationService
from server.push_stream import push_handler
from server.requests import InvalidRequest, Violation
from server.revision_message import revision_message
from server.shared_page import SharedPage
from server.standard_services import Health, reflection_handlers
from server.transport import (
    Context,
    Handler,
    Handlers,
    build_server,
    handlers,
    unary_handler,
)
from server.wire import admin_pb2 as pb
from server.wire import contact_pb2
from server.writer_slot import WriterSlot

ADMIN_SERVICE = "propono.v1.AdminService"
CONTACT_SERVICE = "propono.v1.ContactService"


async def run_admin(
    options: ProcessOptions, stop: asyncio.Event, ready: Callable[..., None]
) -> None:
    """Serve until `stop` is set; `ready` is told both ports once it listens."""
    names = [ADMIN_SERVICE, CONTACT_SERVICE]
    folder = options.folder
    page = SharedPage.open(folder.page)
    slot = WriterSlot.of(page, options.writer_slot)
    stores = ContactStores(
        ContactCatalog(Revisions(folder.catalog)),
        # Opening writes.
        slot.around(HistoryStore)(folder.history),
        ProfileStore(folder.profiles),
    )
    contacts = ContactService(stores, _now_ms, os.urandom)
    design = DesignService(folder, _now_ms)
    publications = PublicationService(folder, _now_ms, designed=design.environments)
    health = Health(names)
    await health.set(serving=True)
    services = [
        admin_handlers(
            Revisions(options.folder.catalog),
            publications,
            caller_name,
            design.methods(caller_name),
        ),
        contact_handlers(contacts, caller_name, slot),
        health.rpc_handlers(),
    ]
    if options.reflection:
        services.append(reflection_handlers(names))
    guarded = guarded_port(options, services, options.admin_limits)
    server = build_server(guarded.services, reuse_port=False)
    port = listen(server, options.listen, options.tls)
    await server.start()
    host, metrics_port = split_address(options.metrics_listen)
    with metrics_served(host, metrics_port, folder.metrics, folder.root, page) as at:
        ready(port, at)
        publishing = asyncio.create_task(design.publish_when_due())
        await stop.wait()
        publishing.cancel()
        await health.end()
        await server.stop(1.0)
        guarded.audited.close()
    design.close()
    stores.history.close()
    stores.profiles.close()


def admin_handlers(
    revisions: Revisions,
    publications: PublicationService,
    admit: Callable[[Context], str],
    designing: dict[str, Handler],
) -> Handlers:
    reader = RevisionReader(revisions)
    rpc = dict(designing)
    rpc["ListRevisions"] = unary_handler(
        pb.ListRevisionsRequest, reader.list_revisions, admit
    )
    rpc["GetRevision"] = unary_handler(
        pb.GetRevisionRequest, reader.get_revision, admit
    )
    rpc["PushArtifact"] = push_handler(publications.push, admit)
    rpc["Rollback"] = unary_handler(pb.RollbackRequest, publications.rollback, admit)
    return handlers(ADMIN_SERVICE, rpc)


def contact_handlers(
    service: ContactService, admit: Callable[[Context], str], slot: WriterSlot
) -> Handlers:
    """Upserts write profiles only, for which no decision waits."""
    return handlers(
        CONTACT_SERVICE,
        {
            "UpsertContacts": taking_handler(
                contact_pb2.UpsertContactsRequest, lambda _: service.upserts(), admit
            ),
            "GetContact": unary_handler(
                contact_pb2.GetContactRequest, service.get_contact, admit
            ),
            "ListPropositions": unary_handler(
                contact_pb2.ListPropositionsRequest, service.list_propositions, admit
            ),
            "DeleteContact": unary_handler(
                contact_pb2.DeleteContactRequest,
                slot.around(service.delete_contact),
                admit,
            ),
            "MergeContacts": unary_handler(
                contact_pb2.MergeContactsRequest,
                slot.around(service.merge_contacts),
                admit,
            ),
        },
    )


class RevisionReader:
    """ListRevisions and GetRevision."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions

    def list_revisions(self, request: pb.ListRevisionsRequest, caller: str) -> bytes:
        size = page_size(request.page_size)
        before = _before(request.page_token)
        current = self._current()
        history = [m for m in self._revisions.history() if m.number < before]
        answer = pb.ListRevisionsResponse(
            revisions=[
                revision_message(manifest, current) for manifest in history[:size]
            ]
        )
        if len(history) > size:
            answer.next_page_token = str(history[size - 1].number)
        return answer.SerializeToString()

    def get_revision(self, request: pb.GetRevisionRequest, caller: str) -> bytes:
        prefix, _, number = request.name.partition("/")
        is_number = number.isascii() and number.isdecimal()
        if prefix != "revisions" or not (number == "current" or is_number):
            text = "is not `revisions/<number>` or `revisions/current`"
            raise InvalidRequest([Violation("name", text)])
        if number == "current":
            manifest = self._revisions.current()
        elif len(number) > 18:
            raise UnknownRevision("there is no such revision")
        else:
            manifest = self._revisions.manifest(int(number))
        answer = pb.GetRevisionResponse(
            revision=revision_message(manifest, self._current())
        )
        return answer.SerializeToString()

    def _current(self) -> int:
        try:
            return self._revisions.current().number
        except (NothingPublished, DamagedRevision):
            return 0


def _now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)


def _before(page_token: str) -> float:
    if not page_token:
        return float("inf")
    if not (page_token.isascii() and page_token.isdecimal()) or len(page_token) > 18:
        text = "is not a token of an earlier page"
        raise InvalidRequest([Violation("page_token", text)])
    return int(page_token)
