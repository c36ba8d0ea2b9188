"""All that is used of grpcio's inside; nothing else of ours imports it.

gRPC's core gives what happens to whoever asks its completion queue. grpcio wraps that
for its own servers, which hand each event to another thread or to a future, in a module
that promises nothing. What is relied on is held by tests/test_rpc_core.py, which fails
when another grpcio is installed than the one that it was written for.
"""

import os
from importlib import import_module
from typing import Any, Final

#: What gRPC is not to try out in a process that serves by its completion queue: files
#: that threads of its own look at, which then wake whoever waits for the queue.
#:
#: PERF: without it who waits for the queue looks at the files himself, and 1,293 dry
#: runs a second are answered instead of 962 (bench.echo, two busy cores).
ENVIRONMENT: Final = {"GRPC_EXPERIMENTS": "-event_engine_listener"}

# Read when grpc is imported for the first time; the environment may say otherwise.
for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

# Private, hence untyped: its stub says that everything is Any.
_cygrpc: Any = import_module("grpc._cython.cygrpc")

#: The version that this was tested with, pinned in constraints.txt.
GRPCIO: Final = "1.85.1"

#: Gives events: `queue.poll(deadline)` waits until then, a time as of `time.time()`;
#: 0 does not wait. Each event has the tag that it was asked for with.
CompletionQueue: Any = _cygrpc.CompletionQueue
#: What an event is when there was none.
TIMEOUT: Any = _cygrpc.CompletionType.queue_timeout

#: gRPC's time after all others is 2**63 seconds.
_NEVER = 2.0**62

_OK = 0
_SendInitialMetadata: Any = _cygrpc.SendInitialMetadataOperation
_SendMessage: Any = _cygrpc.SendMessageOperation
_SendStatus: Any = _cygrpc.SendStatusFromServerOperation
_ReceiveMessage: Any = _cygrpc.ReceiveMessageOperation
_ReceiveClose: Any = _cygrpc.ReceiveCloseOnServerOperation


def new_server(options: tuple[tuple[str, int], ...], queue: Any) -> Any:
    """A server that gives its events to a queue, not yet started."""
    server = _cygrpc.Server(options, False)
    server.register_completion_queue(queue)
    return server


def ring(call: Any, tag: Any) -> None:
    """Put an event into the queue of a call, from any thread; the call may be over."""
    call.start_server_batch((), tag)


def deadline_of(event: Any) -> float | None:
    """Of an announced call, a time as of `time.time()`; None when there is none."""
    deadline: float = event.call_details.deadline
    return deadline if deadline < _NEVER else None


def receive_message(call: Any, tag: Any) -> None:
    """Ask for the next message; the event's `message_of` is None at the end."""
    call.start_server_batch((_ReceiveMessage(0),), tag)


def message_of(event: Any) -> bytes | None:
    return event.batch_operations[0].message()


def receive_close(call: Any, tag: Any) -> None:
    """Ask to be told once that a call is over; see `was_cancelled`."""
    call.start_server_batch((_ReceiveClose(0),), tag)


def was_cancelled(event: Any) -> bool:
    """Whether the caller went away or its deadline passed, of `receive_close`."""
    return event.batch_operations[0].cancelled()


def send_message(call: Any, message: bytes, tag: Any, *, is_first: bool) -> None:
    """One of many answers."""
    operations = (_SendMessage(message, 0),)
    if is_first:
        operations = (_SendInitialMetadata(None, 0), *operations)
    call.start_server_batch(operations, tag)


def send_answer(call: Any, message: bytes, tag: Any, *, is_last: bool) -> None:
    """The one answer of a call, which ends it.

    `is_last` where `receive_close` was not asked for, as gRPC wants it once of each
    call: the event then comes when the call is over.
    """
    operations = (
        _SendInitialMetadata(None, 0),
        _SendMessage(message, 0),
        _SendStatus(None, _OK, b"", 0),
    )
    if is_last:
        operations = (*operations, _ReceiveClose(0))
    call.start_server_batch(operations, tag)


def send_end(call: Any, tag: Any, *, is_first: bool) -> None:
    """End a call that has had all of its answers."""
    _send_status(call, _SendStatus(None, _OK, b"", 0), tag, is_first=is_first)


def send_status(call: Any, status: Any, tag: Any, *, is_first: bool) -> None:
    """End a call with a status of grpc's, as `server.status` makes it."""
    number, details = status.code.value[0], status.details.encode()
    operation = _SendStatus(status.trailing_metadata or None, number, details, 0)
    _send_status(call, operation, tag, is_first=is_first)


def _send_status(call: Any, operation: Any, tag: Any, *, is_first: bool) -> None:
    operations = (operation,)
    if is_first:
        operations = (_SendInitialMetadata(None, 0), *operations)
    call.start_server_batch(operations, tag)


def peer_identities(call: Any) -> Any:
    return _cygrpc.peer_identities(call)
