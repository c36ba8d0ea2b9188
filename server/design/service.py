"""AdminService's List, Get, Create, Update and Delete, for every noun alike.

Each call is plain code for one thread: what it reads does not change under it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from catalog_store.design_records import Deleted, Design, Ref, Stored
from catalog_store.records import Record
from server.design.approval_messages import designed_message, etag_of
from server.design.editing import Changes, DesignEditor, RefusedChange
from server.design.filters import filter_of
from server.design.masks import merge
from server.design.nouns import ENVIRONMENTS, Noun, is_id, resource_of
from server.design.refusals import in_use, refused
from server.design.rights import require_right
from server.design.translation import message_of, record_of
from server.paging import page_size
from server.requests import (
    InvalidRequest,
    NameTaken,
    StaleEtag,
    StillInUse,
    UnknownName,
    Violation,
)

#: Bytes of a page of several; clients take 4 MiB unless they are told otherwise.
PAGE_BYTES_MAX = 2 << 20


class NounService:
    """The five methods of one noun; requests and answers are messages."""

    def __init__(self, noun: Noun, editor: DesignEditor) -> None:
        self._noun = noun
        self._editor = editor

    def list(self, request: Any, answer: Any, caller: str) -> None:
        noun = self._noun
        size = page_size(request.page_size)
        if request.page_token and not is_id(request.page_token):
            text = "is not a token of an earlier page"
            raise InvalidRequest([Violation("page_token", text)])
        is_wanted = filter_of(request.filter, noun.message())
        environment = ""
        if noun.kind:
            environment = ENVIRONMENTS.ref_of(request.parent, "parent").environment
            self._known_environment(self._editor.design(), environment)
        listed = getattr(answer, noun.fields)
        left, last = PAGE_BYTES_MAX, ""
        for name, message in self._messages(environment, request):
            if not is_wanted(message):
                continue
            left -= message.ByteSize()
            if len(listed) == size or (left < 0 and last):
                answer.next_page_token = last
                return
            listed.append(message)
            last = name

    def get(self, request: Any, answer: Any, caller: str) -> None:
        """What was deleted lately is read as well, with its delete_time."""
        ref = self._noun.ref_of(request.name)
        design = self._editor.design()
        if ref in design.records:
            self._fill(answer, designed_message(design, ref))
            return
        gone = self._editor.deleted().get(ref)
        if gone is None:
            raise self._unknown(design, ref)
        self._fill(answer, message_of(ref, *gone))

    def create(self, request: Any, answer: Any, caller: str) -> None:
        noun = self._noun
        environment = ""
        if noun.kind:
            environment = ENVIRONMENTS.ref_of(request.parent, "parent").environment
        name = getattr(request, f"{noun.field}_id")
        if not is_id(name):
            text = (
                "is not a name; write a small letter and then at most 62 small"
                " letters, digits and underscores"
            )
            raise InvalidRequest([Violation(f"{noun.field}_id", text)])
        ref = Ref(environment, noun.kind, name) if noun.kind else Ref(name)
        record = self._record(request, ref)

        def edit(design: Design) -> Changes:
            self._known_environment(design, environment)
            if ref in design.records:
                raise NameTaken(noun.name_of(ref))
            return {ref: record}

        self._change(request, answer, caller, ref, edit)

    def update(self, request: Any, answer: Any, caller: str) -> None:
        noun = self._noun
        sent = getattr(request, noun.field)
        ref = noun.ref_of(sent.name, f"{noun.field}.name")
        paths = request.update_mask.paths

        def edit(design: Design) -> Changes:
            stored = self._stored(design, ref, sent.etag)
            message = sent
            if paths:
                message = message_of(ref, stored)
                merge(sent, message, paths)
            record = record_of(noun, message, ref, f"{noun.field}.")
            require_right(stored.record, record)
            return {ref: record}

        self._change(request, answer, caller, ref, edit)

    def delete(self, request: Any, answer: Any, caller: str) -> None:
        noun = self._noun
        ref = noun.ref_of(request.name)

        def edit(design: Design) -> Changes:
            self._stored(design, ref, request.etag)
            held = [
                r
                for r in design.records
                if r[0] == ref.environment and r.kind not in ("", "approvals")
            ]
            if not noun.kind and held:
                names = sorted(map(resource_of, held))[:100]
                text = "is in the environment"
                raise StillInUse(noun.name_of(ref), [Violation(n, text) for n in names])
            return {ref: None}

        try:
            self._editor.change(caller, f"Delete{noun.singular}", edit)
        except RefusedChange as error:
            raise in_use(noun.name_of(ref), error) from None

    def _change(
        self,
        request: Any,
        answer: Any,
        caller: str,
        ref: Ref,
        edit: Callable[[Design], Changes],
    ) -> None:
        noun = self._noun
        method = f"{type(request).__name__.removesuffix('Request')}"
        try:
            edited = self._editor.change(
                caller, method, edit, validate_only=request.validate_only
            )
        except RefusedChange as error:
            raise refused(error, {ref.resource: f"{noun.field}."}) from None
        self._fill(answer, designed_message(edited.design, ref))

    def _record(self, request: Any, ref: Ref) -> Record:
        field = self._noun.field
        return record_of(self._noun, getattr(request, field), ref, f"{field}.")

    def _fill(self, answer: Any, message: Any) -> None:
        getattr(answer, self._noun.field).CopyFrom(message)

    def _messages(self, environment: str, request: Any) -> Iterator[tuple[str, Any]]:
        """Names and messages after the token, in order of name."""
        noun = self._noun
        design = self._editor.design()
        found: dict[Ref, Deleted | None] = dict.fromkeys(
            ref for ref, _ in design.of_kind(environment, noun.kind)
        )
        if request.show_deleted:
            for ref, deleted in self._editor.deleted().items():
                is_here = not noun.kind or ref.environment == environment
                if ref.kind == noun.kind and is_here:
                    found[ref] = deleted
        for ref in sorted(found):
            name = ref.name or ref.environment
            if name > request.page_token:
                gone = found[ref]
                yield (
                    name,
                    designed_message(design, ref)
                    if gone is None
                    else message_of(ref, *gone),
                )

    def _stored(self, design: Design, ref: Ref, etag: str) -> Stored:
        """The record that is to be changed, if it is the one that the caller read."""
        stored = design.records.get(ref)
        if stored is None:
            raise self._unknown(design, ref)
        if etag and etag != etag_of(design, ref):
            raise StaleEtag(self._noun.name_of(ref))
        return stored

    def _unknown(self, design: Design, ref: Ref) -> UnknownName:
        known = [r for r, _ in design.of_kind(ref.environment, ref.kind)]
        names = [r.name or r.environment for r in known]
        return UnknownName(self._noun.words, ref.name or ref.environment, names)

    def _known_environment(self, design: Design, environment: str) -> None:
        if self._noun.kind and Ref(environment) not in design.records:
            names = [one.name for one in design.catalog.environments]
            raise UnknownName("environment", environment, names)
