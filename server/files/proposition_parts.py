"""A table of propositions that is written in parts, so that work on it can go on later.

    .OUT.parts/state.json   what is asked for, and how far it is; replaced as a whole
    .OUT.parts/000007.parquet   a finished part; one that the state does not know is not
    OUT                     all parts in one file, when the last one is finished

Whatever is killed at whatever moment, the state is the one before a step or after it.
"""

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from server.files.contact_table import ContactFileError

#: Of the layout of state and parts.
FORMAT = 1

_LOCK = "lock"


class PropositionRow(NamedTuple):
    """One proposition, or a contact without any: then all but the first is null."""

    contact_id: str
    outcome: str
    error: str | None = None
    space: str | None = None
    rank: int | None = None
    offer: str | None = None
    category: str | None = None
    weight: float | None = None
    proposition_id: str | None = None
    #: In UTC milliseconds.
    event_time: int | None = None
    content: list[tuple[str, str]] | None = None
    representation: str | None = None
    acceptance_url: str | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far the work is."""

    format: int = FORMAT
    #: Names the work; its parts are asked for under it.
    batch: str
    #: What was asked for, by name, as people read it.
    arguments: dict[str, str]
    #: Finished ones.
    parts: int = 0
    #: In the finished parts.
    contacts: int = 0
    propositions: int = 0
    outcomes: dict[str, int] = {}
    #: The last contact of the finished parts.
    last_contact_id: str = ""
    #: When the part in flight was first asked for, in UTC milliseconds.
    asked_at_ms: int = 0
    #: Of all runs together, the one that goes on not included.
    seconds: float = 0.0
    #: Whether there is no part to come, and whether OUT is made of them.
    is_complete: bool = False
    is_merged: bool = False


class OtherArguments(Exception):
    """Work was begun with other arguments; says which."""


class PropositionParts:
    """The parts of one output, for `with`: nobody else works on them meanwhile."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._folder = output.with_name(f".{output.name}.parts")
        self._state_path = self._folder / "state.json"
        self.state = State(batch="", arguments={})

    def __enter__(self) -> Self:
        """Raises ContactFileError when somebody else is at work, and OSError."""
        self._folder.mkdir(exist_ok=True)
        # The kernel frees it when the process dies; the file goes with the folder.
        self._lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise ContactFileError(
                self._output, "another command is writing it: wait for its end"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        if not self._state_path.exists():
            (self._folder / _LOCK).unlink(missing_ok=True)
            self._folder.rmdir()
        os.close(self._lock)

    def begin(self, batch: str, arguments: dict[str, str]) -> bool:
        """Go on with work that was begun, or begin; whether it goes on.

        Raises OtherArguments, ContactFileError when there is an output that this work
        did not make, and OSError.
        """
        if not self._state_path.exists():
            if self._output.exists():
                text = "is there already: move it away, or name another output"
                raise ContactFileError(self._output, text)
            self._save(State(batch=batch, arguments=arguments))
            return False
        self.state = self._read_state()
        begun = self.state.arguments
        other = [
            f"{name} was {begun.get(name, '')!r} and is {arguments.get(name, '')!r}"
            for name in sorted(begun.keys() | arguments.keys())
            if begun.get(name) != arguments.get(name)
        ]
        if other:
            raise OtherArguments(
                f"{self._output} was begun with other arguments ({'; '.join(other)}):"
                f" give the same ones to go on, or delete {self._folder} to begin anew"
            )
        return True

    def asking(self, at_ms: int) -> None:
        """The next part is asked for from now on."""
        self._save(msgspec.structs.replace(self.state, asked_at_ms=at_ms))

    def add(self, rows: Sequence[PropositionRow], after: State) -> None:
        """Finish a part; `after` is the state that it leads to."""
        part = self._part(self.state.parts)
        with part.open("wb") as file:
            writer: Any = pq.ParquetWriter(file, SCHEMA)
            with writer:
                writer.write_table(_table(rows))
            _flush(file.fileno())
        self._save(msgspec.structs.replace(after, parts=self.state.parts + 1))

    def finish(self, progress: Callable[[int, int], None]) -> None:
        """Make the output of all parts, which are then gone; raises OSError."""
        if not self.state.is_merged:
            self._merge(progress)
            self._save(msgspec.structs.replace(self.state, is_merged=True))
        kept = (self._state_path.name, _LOCK)
        for path in [path for path in self._folder.iterdir() if path.name not in kept]:
            path.unlink()
        # Last, so that what was begun is known until nothing else is left of it.
        self._state_path.unlink()

    def abandon(self) -> None:
        """Forget work of which nothing was done."""
        self._state_path.unlink()

    def complete(self) -> None:
        """There is no part to come."""
        self._save(msgspec.structs.replace(self.state, is_complete=True))

    def _merge(self, progress: Callable[[int, int], None]) -> None:
        partial = self._folder / "whole.parquet"
        with partial.open("wb") as file:
            writer: Any = pq.ParquetWriter(file, SCHEMA)
            with writer:
                for number in range(self.state.parts):
                    # The stubs leave too much open for a strict checker.
                    writer.write_table(cast(Any, pq).read_table(self._part(number)))
                    progress(number + 1, self.state.parts)
            _flush(file.fileno())
        os.replace(partial, self._output)
        _flush_folder(self._output.parent)

    def _part(self, number: int) -> Path:
        return self._folder / f"{number:06}.parquet"

    def _read_state(self) -> State:
        try:
            state = msgspec.json.decode(self._state_path.read_bytes(), type=State)
        except msgspec.DecodeError as error:
            raise ContactFileError(self._state_path, f"damaged: {error}") from error
        if state.format != FORMAT:
            text = "of another version of Propono: finish with that one, or delete it"
            raise ContactFileError(self._folder, text)
        return state

    def _save(self, state: State) -> None:
        successor = self._folder / "state.json.new"
        with successor.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(state)))
            _flush(file.fileno())
        os.replace(successor, self._state_path)
        _flush_folder(self._folder)
        self.state = state


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """What was renamed in it stays so, whatever fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# The stubs leave too much open for a strict checker.
_arrow: Any = pa
SCHEMA: Any = _arrow.schema(
    [
        ("contact_id", _arrow.string()),
        ("outcome", _arrow.string()),
        ("error", _arrow.string()),
        ("space", _arrow.string()),
        ("rank", _arrow.int32()),
        ("offer", _arrow.string()),
        ("category", _arrow.string()),
        ("weight", _arrow.float64()),
        ("proposition_id", _arrow.string()),
        ("event_time", _arrow.timestamp("ms", tz="UTC")),
        ("content", _arrow.map_(_arrow.string(), _arrow.string())),
        ("representation", _arrow.string()),
        ("acceptance_url", _arrow.string()),
    ]
)


def _table(rows: Sequence[PropositionRow]) -> Any:
    columns = zip(*rows, strict=True) if rows else [()] * len(SCHEMA)
    arrays = [
        _arrow.array(list(column), type=field.type)
        for column, field in zip(columns, SCHEMA, strict=True)
    ]
    return _arrow.table(arrays, schema=SCHEMA)
