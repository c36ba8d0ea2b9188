"""The design methods of AdminService as gRPC handlers."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from catalog_store.design_errors import DesignStoreFailed
from catalog_store.design_store import DesignStore
from catalog_store.records import Environment, UnixMs
from server.data_folder import DataFolder
from server.design.approval_desk import ApprovalDesk
from server.design.approval_methods import approval_methods
from server.design.catalog_methods import catalog_methods
from server.design.due_publications import DuePublications, publish_when_due
from server.design.editing import DesignEditor
from server.design.nouns import NOUNS
from server.design.past import DesignPast
from server.design.publishing import Publisher, publish_handler, published_offers
from server.design.scheduling import Scheduling, scheduling_methods
from server.design.service import NounService
from server.design.switching import switch_handler
from server.design.thread import DesignThread
from server.transport import (
    Context,
    Handler,
    methods_of,
    refusing_handler,
    unary_handler,
)
from server.wire import admin_pb2

_log = logging.getLogger(__name__)

#: Fills the answer to a request of some caller.
Answering = Callable[[Any, Any, str], None]


class DesignService:
    """The design of one data folder, until it is closed.

    One that cannot be opened keeps nobody from revisions, contacts and what is
    scheduled: its own methods answer what is wrong with it.
    """

    def __init__(self, folder: DataFolder, now_ms: Callable[[], UnixMs]) -> None:
        self._store = _opened(folder)
        self._folder = folder
        self._now_ms = now_ms
        self._publisher = Publisher(folder, now_ms, self.environments)
        self._scheduling = Scheduling(folder, self._publisher, now_ms)
        self._due = DuePublications(folder, self._publisher, now_ms)
        self._thread = DesignThread("design")
        # Compiling takes seconds: edits go on meanwhile.
        self._compiling = DesignThread("compiling")

    def methods(self, admit: Callable[[Context], str]) -> dict[str, Handler]:
        """Handlers by the names of their methods."""
        if isinstance(self._store, DesignStoreFailed):
            return {
                **_refusing_methods(self._store, admit),
                **scheduling_methods(self._scheduling, admit),
            }
        published = published_offers(self._folder)
        editor = DesignEditor(self._store, self._now_ms, published)
        thread = self._thread
        publishing = (editor, self._publisher, thread, self._compiling)
        schedule = self._scheduling.schedule
        desk = ApprovalDesk(editor, self._publisher)
        return {
            **_noun_methods(editor, thread, admit),
            **catalog_methods(editor, thread, admit),
            **_past_methods(DesignPast(self._store), thread, admit),
            **scheduling_methods(self._scheduling, admit),
            **approval_methods(desk, *publishing[1:], admit),
            "Publish": publish_handler(*publishing, schedule, admit),
            "SetOfferDisabled": switch_handler(*publishing, admit),
        }

    async def publish_when_due(self) -> None:
        """Publish what is scheduled, until cancelled."""
        await publish_when_due(self._due, self._compiling, self._publisher.switched)

    def environments(self) -> list[Environment]:
        """Their own records; raises DesignStoreFailed and DamagedDesign."""
        if isinstance(self._store, DesignStoreFailed):
            raise self._store.with_traceback(None)
        return self._store.environments()

    def close(self) -> None:
        """Wait for the work that has begun."""
        self._compiling.close()
        self._thread.close()
        if isinstance(self._store, DesignStore):
            self._store.close()


def _opened(folder: DataFolder) -> DesignStore | DesignStoreFailed:
    try:
        return DesignStore(folder.design)
    except DesignStoreFailed as error:
        failure = DesignStoreFailed(
            f"{error}; restore it from a backup, or move it away to begin with an empty"
            " design, and start the server again"
        )
        _log.error("nothing can be designed: %s", failure)
        return failure


def _refusing_methods(
    failure: DesignStoreFailed, admit: Callable[[Context], str]
) -> dict[str, Handler]:
    """All of the service: what works without the design takes its own places again."""
    methods = methods_of(admin_pb2.DESCRIPTOR.services_by_name["AdminService"])
    return {
        name: refusing_handler(method, admit, failure)
        for name, method in methods.items()
    }


def _noun_methods(
    editor: DesignEditor, thread: DesignThread, admit: Callable[[Context], str]
) -> dict[str, Handler]:
    found: dict[str, Handler] = {}
    methods = methods_of(admin_pb2.DESCRIPTOR.services_by_name["AdminService"])
    for noun in NOUNS:
        service = NounService(noun, editor)
        for name, answering in (
            (f"List{noun.plural}", service.list),
            (f"Get{noun.singular}", service.get),
            (f"Create{noun.singular}", service.create),
            (f"Update{noun.singular}", service.update),
            (f"Delete{noun.singular}", service.delete),
        ):
            found[name] = _handler(methods[name], answering, thread, admit)
    return found


def _past_methods(
    past: DesignPast, thread: DesignThread, admit: Callable[[Context], str]
) -> dict[str, Handler]:
    def made(answer: Callable[[Any], Any], request_type: Any) -> Handler:
        return unary_handler(
            request_type,
            lambda request, _: thread.run(lambda: answer(request).SerializeToString()),
            admit,
        )

    return {
        "ListDesignChanges": made(past.list, admin_pb2.ListDesignChangesRequest),
        "GetDesignChange": made(past.get, admin_pb2.GetDesignChangeRequest),
        "GetDesignRecord": made(past.record, admin_pb2.GetDesignRecordRequest),
    }


def _handler(
    method: MethodDescriptor,
    answering: Answering,
    thread: DesignThread,
    admit: Callable[[Context], str],
) -> Handler:
    answer_type = GetMessageClass(method.output_type)

    def answer(request: Any, caller: str) -> Awaitable[bytes]:
        def work() -> bytes:
            made = answer_type()
            answering(request, made, caller)
            return made.SerializeToString()

        return thread.run(work)

    return unary_handler(GetMessageClass(method.input_type), answer, admit)
