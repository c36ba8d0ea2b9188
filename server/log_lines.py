"""What is logged, on standard error: one JSON object a line, or text for a terminal.

    time, level, logger, message    of every line; time is UTC
    process, pid                    who says it: supervisor, worker, admin, keeper
    method, caller, request_id      of the call that it is about, if it is about one
    exception                       its text and stack, in one string

Nothing that a caller sends is logged but its name and its request's id: no token, no
context, no contact. What gRPC's core would write by itself, which is no JSON, is left
out of it.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, TypeAlias

LogFormat: TypeAlias = Literal["json", "text"]

#: The attribute of a record that holds what is known of its call.
CALL = "call"
#: Of each thing that a caller may choose.
CALL_TEXT_MAX = 128

_TEXT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"


def log_to_stderr(process: str, log_format: LogFormat) -> None:
    """From now on, in this process; what ends it is logged as well.

    To be called before grpc is imported, which reads the environment then.
    """
    handler = logging.StreamHandler(sys.stderr)
    formatter = _JsonLines(process) if log_format == "json" else _TextLines()
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _log_the_end
    threading.excepthook = _log_end_of_thread
    if log_format == "json":
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def default_format() -> LogFormat:
    """Text where somebody reads along."""
    return "text" if sys.stderr.isatty() else "json"


def about_call(**known: str) -> Mapping[str, Mapping[str, str]]:
    """For `extra`: the call that a line is about; empty texts are left out."""
    return {CALL: {k: v[:CALL_TEXT_MAX] for k, v in known.items() if v}}


class _JsonLines(logging.Formatter):
    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": self._process,
            "pid": os.getpid(),
            **getattr(record, CALL, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # ASCII: a lone surrogate of somebody's text must not end the line early.
        return json.dumps(line)


class _TextLines(logging.Formatter):
    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__(_TEXT, "%Y-%m-%dT%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        call: Mapping[str, str] = getattr(record, CALL, {})
        about = "".join(f" {name}={value}" for name, value in call.items())
        text = super().formatMessage(record) + about
        # Nobody's text begins a line that looks like ours, or moves the cursor.
        return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _time_of(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03}Z"


def _log_the_end(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    logging.getLogger(__name__).critical(
        "the process ends", exc_info=(kind, error, traceback)
    )


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    error = ended.exc_value
    logging.getLogger(__name__).error("a thread ends", exc_info=error)
