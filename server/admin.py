"""The admin process: the services of the admin port.

Revisions can be read, contacts kept, the design edited and published; what approves,
pushes and rolls back over the wire answers UNIMPLEMENTED until it exists. Every call
but health and reflection needs the token.
"""

import asyncio
import os
import time
from collections.abc import Callable

from catalog_store.records import UnixMs
from catalog_store.revisions import NothingPublished, Revisions, UnknownRevision
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.addresses import split_address
from server.contact_catalog import ContactCatalog
from server.contact_service import ContactService, ContactStores
from server.contact_stream import taking_handler
from server.design.handlers import DesignService
from server.metrics_listener import metrics_served
from server.process_options import ProcessOptions
from server.requests import InvalidRequest, Violation
from server.revision_message import revision_message
from server.standard_services import Health, reflection_handlers
from server.transport import (
    Context,
    Handler,
    Handlers,
    bearer_of,
    build_server,
    handlers,
    methods_of,
    unary_handler,
    unimplemented,
)
from server.wire import admin_pb2 as pb
from server.wire import contact_pb2

ADMIN_SERVICE = "propono.v1.AdminService"
CONTACT_SERVICE = "propono.v1.ContactService"

_PAGE_SIZE = 100
_PAGE_SIZE_MAX = 1_000


async def run_admin(
    options: ProcessOptions, stop: asyncio.Event, ready: Callable[..., None]
) -> None:
    """Serve until `stop` is set; `ready` is told both ports once it listens."""
    admit = bearer_of(options.folder.admin_token())
    names = [ADMIN_SERVICE, CONTACT_SERVICE]
    folder = options.folder
    stores = ContactStores(
        ContactCatalog(Revisions(folder.catalog)),
        HistoryStore(folder.history),
        ProfileStore(folder.profiles),
    )
    contacts = ContactService(stores, _now_ms, os.urandom)
    design = DesignService(folder, _now_ms)
    health = Health(names)
    await health.set(serving=True)
    services = [
        admin_handlers(Revisions(options.folder.catalog), admit, design.methods(admit)),
        contact_handlers(contacts, admit),
        health.rpc_handlers(),
    ]
    if options.reflection:
        services.append(reflection_handlers(names))
    server = build_server(services, reuse_port=False)
    port = server.add_insecure_port(options.listen)
    await server.start()
    host, metrics_port = split_address(options.metrics_listen)
    with metrics_served(host, metrics_port, folder.metrics, folder.root) as at:
        ready(port, at)
        await stop.wait()
        await health.set(serving=False)
        await server.stop(1.0)
    design.close()
    stores.history.close()
    stores.profiles.close()


def admin_handlers(
    revisions: Revisions,
    admit: Callable[[Context], str],
    designing: dict[str, Handler],
) -> Handlers:
    reader = RevisionReader(revisions)
    methods = methods_of(pb.DESCRIPTOR.services_by_name["AdminService"])
    rpc = {name: unimplemented(method, admit) for name, method in methods.items()}
    rpc |= designing
    rpc["ListRevisions"] = unary_handler(
        pb.ListRevisionsRequest, reader.list_revisions, admit
    )
    rpc["GetRevision"] = unary_handler(
        pb.GetRevisionRequest, reader.get_revision, admit
    )
    return handlers(ADMIN_SERVICE, rpc)


def contact_handlers(
    service: ContactService, admit: Callable[[Context], str]
) -> Handlers:
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
                contact_pb2.DeleteContactRequest, service.delete_contact, admit
            ),
            "MergeContacts": unary_handler(
                contact_pb2.MergeContactsRequest, service.merge_contacts, admit
            ),
        },
    )


class RevisionReader:
    """ListRevisions and GetRevision."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions

    def list_revisions(self, request: pb.ListRevisionsRequest, caller: str) -> bytes:
        if not 0 <= request.page_size <= _PAGE_SIZE_MAX:
            text = f"is {request.page_size}; send 0 to {_PAGE_SIZE_MAX}"
            raise InvalidRequest([Violation("page_size", text)])
        before = _before(request.page_token)
        size = request.page_size or _PAGE_SIZE
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
        except NothingPublished:
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
