"""ApplyCatalog and ExportCatalog: a whole catalog in, and out.

What is sent is kept as messages until all of it is there; the rest is the design's
thread's.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from catalog_store.design_records import DESIGN_ONLY, Design, Ref
from catalog_store.records import Record
from server.contact_stream import taking_handler
from server.design.applying import Applied, ApplyOptions, apply_catalog
from server.design.comparing import Action
from server.design.editing import DesignEditor, RefusedChange
from server.design.nouns import NOUN_OF_FIELD
from server.design.refusals import refused
from server.design.thread import DesignThread
from server.design.translation import message_of, record_of
from server.requests import InvalidRequest, Violation
from server.transport import AnswerSteps, Context, Handler, stream_handler
from server.wire import admin_pb2 as pb

#: Bytes of all messages of one call.
CATALOG_BYTES_MAX = 64 << 20
#: Of an answer, as of a page of a list.
PART_BYTES_MAX = 2 << 20
#: Differences and diagnostics in an answer.
CHANGES_MAX = 1_000
DIAGNOSTICS_MAX = 100

_ACTION = {
    Action.CREATE: pb.DESIGN_ACTION_CREATE,
    Action.UPDATE: pb.DESIGN_ACTION_UPDATE,
    Action.DELETE: pb.DESIGN_ACTION_DELETE,
}


def catalog_methods(
    editor: DesignEditor, thread: DesignThread, admit: Callable[[Context], str]
) -> dict[str, Handler]:
    """Handlers by the names of their methods."""

    def begin(caller: str) -> "_SentCatalog":
        return _SentCatalog(editor, thread, caller)

    def export(request: pb.ExportCatalogRequest, caller: str) -> AnswerSteps:
        version = request.design_version
        design = thread.run(
            partial(editor.design_at, version) if version else editor.design
        )
        yield design
        parts = _parts(design.result())
        while True:
            # Encoding a part takes a few milliseconds: not on the event loop.
            part = thread.run(lambda: next(parts, None))
            yield part
            encoded = part.result()
            if encoded is None:
                return
            yield encoded

    return {
        "ApplyCatalog": taking_handler(pb.ApplyCatalogRequest, begin, admit),
        "ExportCatalog": stream_handler(pb.ExportCatalogRequest, export, admit),
    }


class _SentCatalog:
    """What one call of ApplyCatalog sends."""

    def __init__(self, editor: DesignEditor, thread: DesignThread, caller: str) -> None:
        self._editor = editor
        self._thread = thread
        self._caller = caller
        self._requests: list[pb.ApplyCatalogRequest] = []
        self._left_bytes = CATALOG_BYTES_MAX

    def add(self, request: pb.ApplyCatalogRequest) -> None:
        self._left_bytes -= request.ByteSize()
        if self._left_bytes < 0:
            text = (
                f"are more than {CATALOG_BYTES_MAX} bytes in all; apply fewer at once"
            )
            raise InvalidRequest([Violation("records", text)])
        if self._requests and request.HasField("options"):
            text = "stand in the first message only"
            raise InvalidRequest([Violation("options", text)])
        self._requests.append(request)

    def finish(self) -> Awaitable[bytes]:
        return self._thread.run(self._applied)

    def _applied(self) -> bytes:
        sent = self._requests[0].options if self._requests else pb.ApplyOptions()
        version = sent.design_version if sent.HasField("design_version") else None
        options = ApplyOptions(sent.prune, sent.validate_only, version)
        records = _records(self._requests)
        self._requests.clear()
        try:
            applied = apply_catalog(self._editor, self._caller, records, options)
        except RefusedChange as error:
            raise refused(error, {}) from None
        return answer_of(applied).SerializeToString()


def answer_of(applied: Applied) -> pb.ApplyCatalogResponse:
    """What was changed, as a message."""
    counts = {action: 0 for action in Action}
    for one in applied.differences:
        counts[one.action] += 1
    return pb.ApplyCatalogResponse(
        design_version=applied.design_version,
        changes=[
            pb.DesignChange(
                action=_ACTION[one.action], name=one.name, fields=one.fields
            )
            for one in applied.differences[:CHANGES_MAX]
        ],
        create_count=counts[Action.CREATE],
        update_count=counts[Action.UPDATE],
        delete_count=counts[Action.DELETE],
        unchanged_count=applied.unchanged_count,
        diagnostics=[one.render() for one in applied.diagnostics[:DIAGNOSTICS_MAX]],
    )


def _records(requests: list[pb.ApplyCatalogRequest]) -> dict[Ref, Record]:
    """Raises InvalidRequest with the mistakes of all records."""
    records: dict[Ref, Record] = {}
    found: list[Violation] = []
    place = 0
    for request in requests:
        for sent in request.records:
            try:
                ref, record = record_sent(sent, f"records[{place}]")
            except InvalidRequest as error:
                found += error.violations
            else:
                if ref in records:
                    text = "is sent twice; send each record once"
                    found.append(Violation(f"records[{place}]", text))
                records[ref] = record
            place += 1
    if found:
        raise InvalidRequest(found)
    return records


def record_sent(sent: pb.DesignRecord, path: str) -> tuple[Ref, Record]:
    field = sent.WhichOneof("record")
    if field is None:
        raise InvalidRequest([Violation(path, "is empty; send one noun")])
    noun, message = NOUN_OF_FIELD[field], getattr(sent, field)
    ref = noun.ref_of(message.name, f"{path}.{field}.name")
    return ref, record_of(noun, message, ref, f"{path}.{field}.")


def _parts(design: Design) -> Iterator[bytes]:
    """Answers of at most PART_BYTES_MAX, but for a record that is longer."""
    part = pb.ExportCatalogResponse(design_version=design.version)
    size = 0
    for sent in _sent_records(design):
        if size and size + sent.ByteSize() > PART_BYTES_MAX:
            yield part.SerializeToString()
            part = pb.ExportCatalogResponse(design_version=design.version)
            size = 0
        part.records.append(sent)
        size += sent.ByteSize()
    yield part.SerializeToString()


def _sent_records(design: Design) -> Iterator[Any]:
    for ref in sorted(design.records):
        if ref.kind not in DESIGN_ONLY:
            yield design_record(ref, message_of(ref, design.records[ref]))


def design_record(ref: Ref, message: Any) -> pb.DesignRecord:
    """One noun as a part of a catalog."""
    field = next(f for f, noun in NOUN_OF_FIELD.items() if noun.kind == ref.kind)
    return pb.DesignRecord(**{field: message})
