"""One process of the supervisor, started again when it ends by itself."""

import asyncio
import logging
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from server.addresses import CannotServe
from server.metrics_files import process_ended
from server.process_options import ProcessOptions
from server.shared_page import RESTARTS, SLOTS, SharedPage

#: Time for a process to say that it listens; loading is included.
READY_SECONDS = 60.0
#: Time for a process to end after SIGTERM before it is killed.
STOP_SECONDS = 10.0
#: Wait before a process that ended is started again, doubled at each quick end. A
#: worker listens 0.8 s after that: within two of its end, however often it ends.
RESTART_SECONDS = 0.1
RESTART_SECONDS_MAX = 0.8
#: Whoever ran longer than that has not ended quickly.
QUICK_SECONDS = 5.0

_log = logging.getLogger(__name__)


class ChildProcess:
    """Started by `start`, kept up by `keep_up`, ended by `stop`."""

    def __init__(
        self, kind: str, options: ProcessOptions, page: SharedPage, metrics: Path
    ) -> None:
        """`metrics` is the folder that the process counts in."""
        self.kind = kind
        self.slot = options.writer_slot
        self._options = options
        self._cells = page.cells
        self._metrics = metrics
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> list[int]:
        """Start, wait until it listens, and return its ports. Raises CannotServe."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "server.process",
            self.kind,
            msgspec.json.encode(self._options).decode(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(READY_SECONDS):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line.startswith(b"ready "):
            await self.stop()
            raise CannotServe(f"the {self.kind} process did not start; see its log")
        return [int(word) for word in line.split()[1:]]

    async def keep_up(self) -> None:
        """Start the process again whenever it ends, for ever."""
        delay = 0.0
        while True:
            assert self._process is not None
            started = time.monotonic()
            status = await self._process.wait()
            _log.error("the %s process ended with %s", self.kind, status)
            # What it said last is true no more.
            self._cells[SLOTS + self.slot] = 0
            self._cells[RESTARTS] += 1
            process_ended(self._metrics, self._options.writer_slot)
            delay = next_delay(delay, time.monotonic() - started)
            await asyncio.sleep(delay)
            try:
                await self.start()
            except (CannotServe, OSError):
                _log.exception("the %s process cannot be started", self.kind)

    def kill(self) -> None:
        """End it at once; `keep_up` starts it again."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def stop(self) -> None:
        """Let it drain, then end it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def next_delay(before: float, lived_seconds: float) -> float:
    """Until a process is started again that ran so long, after the delay before."""
    if before == 0.0 or lived_seconds > QUICK_SECONDS:
        return RESTART_SECONDS
    return min(2 * before, RESTART_SECONDS_MAX)
