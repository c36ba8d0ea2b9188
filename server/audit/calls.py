"""What the guard of a port tells: each change before and after it is made.

    ASKED      on disk before the method's own code begins
    OK, ...    how it ended, with what was answered; missing where the server was killed
    refused    by the guard itself, see `server.audit.refusals`

That a call failed may reach its caller before the log; that it was done never does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from server.access.callers import Caller
from server.audit.changes import Change, begin_change
from server.audit.content import answered_with, asked_by
from server.audit.entries import ASKED, NAME_CHARACTERS_MAX, AuditFailed, Entry
from server.audit.log import AuditLog
from server.audit.refusals import Refusals
from server.refusals import RateLimited
from server.requests import PermissionDenied, TokenExpired
from server.transport import Context

Behaviour: TypeAlias = Callable[[Any, Context], Awaitable[Any]]

_log = logging.getLogger(__name__)


class AuditedCalls:
    """Those of one port of one process."""

    def __init__(
        self,
        log: AuditLog,
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._log = log
        self._refusals = Refusals(call_later, self._record_or_log)

    async def change(
        self,
        method: str,
        behaviour: Behaviour,
        caller: Caller,
        request: Any,
        rpc_context: Context,
    ) -> Any:
        """The answer of a method that makes a change. Raises AuditFailed before it is
        made, and whatever the method raises."""
        asked = asked_by(method, request if isinstance(request, bytes) else None)
        entry = Entry(
            at=self._log.now(),
            who=caller.name,
            role=caller.role or "",
            known_by=caller.known_by,
            peer=peer_of(rpc_context),
            method=method,
            resource=asked.resource,
            result=ASKED,
            request=asked.content,
        )
        # Beside the event loop: the disk may be slow, and others may append.
        number = await asyncio.to_thread(self._log.record, entry)
        change = Change(asked.resource)
        begin_change(change)
        ended = replace(entry, asked=number, request=None)
        try:
            answer = await behaviour(request, rpc_context)
        except asyncio.CancelledError:
            # Nothing may be awaited any more. What was begun may have been done.
            self._record_or_log(self._ended(ended, change, "CANCELLED"))
            raise
        except Exception:
            await self._end(self._ended(ended, change, _code_in(rpc_context)))
            raise
        if change.after is None:
            change.after = answered_with(method, answer)
        await self._end(self._ended(ended, change, "OK"))
        return answer

    async def refused(
        self, method: str, code: str, error: Exception, peer: str
    ) -> None:
        """A call that never reached its method."""
        who, role, known_by = _known(error)
        entry = Entry(
            at=self._log.now(),
            who=who,
            role=role,
            known_by=known_by,
            peer=peer,
            method=method,
            result=code,
        )
        if self._refusals.is_news(entry):
            await self._end(entry)

    def close(self) -> None:
        """Write the refusals that are counted."""
        self._refusals.close()

    def _ended(self, entry: Entry, change: Change, result: str) -> Entry:
        return replace(
            entry,
            at=self._log.now(),
            resource=change.resource[:NAME_CHARACTERS_MAX],
            result=result,
            before=change.before,
            after=change.after if result == "OK" else None,
        )

    async def _end(self, entry: Entry) -> None:
        loop = asyncio.get_running_loop()
        recording = loop.run_in_executor(None, self._record_or_log, entry)
        # Whoever called may be gone, and the server about to end: it is written still.
        await asyncio.shield(recording)

    def _record_or_log(self, entry: Entry) -> None:
        """For what has happened already: it cannot be refused any more."""
        try:
            self._log.record(entry)
        except AuditFailed as error:
            _log.error(
                "%s of %r was %s, and is not in the audit log: %s",
                entry.method,
                entry.who,
                entry.result,
                error,
            )


def _known(error: Exception) -> tuple[str, str, str]:
    """The name, role and credentials of whom a refusal knows; empty for a stranger."""
    match error:
        case PermissionDenied() | RateLimited():
            return error.name, error.role or "", ""
        case TokenExpired():
            return error.name, "", error.known_by
        case _:
            return "", "", ""


def _code_in(rpc_context: Context) -> str:
    """The code that a call was ended with; one that was not is a mistake of ours."""
    name = str(getattr(rpc_context.code(), "name", "UNKNOWN"))
    return "UNKNOWN" if name == "OK" else name


def peer_of(rpc_context: Context) -> str:
    """From where a call comes."""
    peer: object = rpc_context.peer()
    return str(peer)[:NAME_CHARACTERS_MAX]
