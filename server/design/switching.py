"""SetOfferDisabled: an offer is out of every decision at once, or back in.

In the design, so that the next publication says the same; and in the revision that
decides now, which is published again with this one difference.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from catalog_store.design_records import Design, Ref, Stored
from catalog_store.records import Offer
from server.design.approval_messages import designed_message, unknown_offer
from server.design.editing import Changes, DesignEditor, RefusedChange
from server.design.nouns import NOUN_OF_FIELD
from server.design.publishing import Publisher
from server.design.refusals import refused
from server.design.thread import DesignThread
from server.design.translation import message_of
from server.transport import Context, Handler, unary_handler
from server.wire import admin_pb2 as pb


def switch_handler(
    editor: DesignEditor,
    publisher: Publisher,
    thread: DesignThread,
    compiling: DesignThread,
    admit: Callable[[Context], str],
) -> Handler:
    """SetOfferDisabled as a gRPC handler; it may be repeated until it succeeds."""

    async def answer(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        ref = NOUN_OF_FIELD["offer"].ref_of(request.name)
        enabled = not request.disabled
        designed = await thread.run(
            lambda: _switch_design(editor, ref, caller, enabled=enabled)
        )
        # After the design: a publication between the two says the same.
        live = await compiling.run(
            lambda: publisher.switch_offer(ref, caller, enabled=enabled)
        )
        await publisher.switched()
        if designed is not None:
            message = designed
        elif live is not None:
            # Published from a path: there is no design of it to send an etag for.
            message = message_of(ref, Stored(live, 0))
            message.ClearField("etag")
        else:
            raise unknown_offer(await thread.run(editor.design), ref)
        return pb.SetOfferDisabledResponse(offer=message).SerializeToString()

    return unary_handler(pb.SetOfferDisabledRequest, answer, admit)


def _switch_design(
    editor: DesignEditor, ref: Ref, caller: str, *, enabled: bool
) -> Any:
    """The message of the offer as it then is in the design; None if it is not there."""

    def edit(design: Design) -> Changes:
        stored = design.records.get(ref)
        if stored is None:
            return {}
        assert isinstance(stored.record, Offer)
        return {ref: replace(stored.record, enabled=enabled)}

    try:
        edited = editor.change(caller, "SetOfferDisabled", edit)
    except RefusedChange as error:
        raise refused(error, {}) from None
    is_there = ref in edited.design.records
    return designed_message(edited.design, ref) if is_there else None
