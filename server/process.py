"""One child process of the supervisor: `python -m server.process KIND OPTIONS`.

Its standard input is its lifeline: when the supervisor is gone, whatever the reason,
it reads the end of the stream and stops. Its standard output says `ready PORT` once,
and the admin process the port of the metrics after it.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable

import msgspec

from contact_store.errors import ContactStoreError
from server.log_lines import log_to_stderr
from server.metrics import count_in
from server.process_options import ProcessOptions
from server.shared_page import SharedPage
from server.writer_slot import WriterSlot

_log = logging.getLogger("server.process")


def main() -> None:
    kind, encoded = sys.argv[1:]
    options = msgspec.json.decode(encoded, type=ProcessOptions)
    log_to_stderr(kind, options.log_format)
    _count_where_there_is_room(options)
    try:
        with asyncio.Runner(loop_factory=_loop_factory(kind)) as runner:
            runner.run(_run(kind, options))
    except (ContactStoreError, OSError) as error:
        _log.error("the %s process cannot serve %s: %s", kind, options.data, error)
        sys.exit(1)


def _loop_factory(kind: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop of a process; None where any will do."""
    if kind != "worker":
        return None
    from server.rpc.queue_loop import QueueLoop

    return QueueLoop


def _count_where_there_is_room(options: ProcessOptions) -> None:
    try:
        count_in(options.folder.metrics, options.writer_slot)
    except OSError as error:
        # Deciding matters more than counting.
        _log.error("what this process counts is not in /metrics: %s", error)


async def _run(kind: str, options: ProcessOptions) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # The terminal's Ctrl-C reaches us as well: the supervisor decides when to stop.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def lifeline() -> None:
        if not os.read(sys.stdin.fileno(), 1):
            loop.remove_reader(sys.stdin.fileno())
            stop.set()

    loop.add_reader(sys.stdin.fileno(), lifeline)
    if kind == "admin":
        from server.admin import run_admin

        await run_admin(options, stop, _say_ready)
    elif kind == "keeper":
        from server.keeper import KeeperOptions, run_keeper
        from server.worker import system_sources

        keeper = KeeperOptions(options.folder, options.retention_days)
        page = SharedPage.open(options.folder.page)
        slot = WriterSlot.of(page, options.writer_slot)
        now_ms = system_sources().now_ms
        await run_keeper(keeper, stop, _say_ready, now_ms, slot=slot)
    else:
        from server.worker import run_worker, system_sources

        await run_worker(options, system_sources(), stop, _say_ready)


def _say_ready(*ports: int) -> None:
    print("ready", *ports, flush=True)


if __name__ == "__main__":
    main()
