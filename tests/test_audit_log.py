"""The audit log on disk: each line holds the one before; nothing of it can be lost."""

import json
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.audit.entries import (
    LINE_BYTES_MAX,
    NO_SHA256,
    AuditFailed,
    Entry,
    entry_of,
    hash_of_line,
    line_of,
)
from server.audit.log import AuditLog, log_files
from server.audit.reading import Broken, Line, read_log
from tests.servers import DEADLINE_SECONDS

#: A time whose microseconds are not zero, so that all digits are seen.
AT = datetime(2026, 5, 31, 9, 30, 0, 123_000, UTC)


def act(resource: str = "revisions", **fields: object) -> Entry:
    known = {"who": "ann", "role": "offer_manager", "known_by": "token 0001"}
    said = {**known, "at": AT, "method": "/x.Y/Z", "result": "OK", **fields}
    return Entry(resource=resource, **said)  # type: ignore[arg-type]


def log_in(folder: Path, file_bytes_max: int = 1 << 20) -> AuditLog:
    return AuditLog(folder, lambda: 0, file_bytes_max)


def fill(folder: Path, count: int, file_bytes_max: int = 1 << 20) -> list[Line]:
    log = log_in(folder, file_bytes_max)
    for number in range(count):
        log.record(act(f"revisions/{number}"))
    return list(read_log(folder))


def test_each_line_holds_the_hash_of_the_line_before(tmp_path: Path) -> None:
    """Numbers without a gap, zeros in front, and JSON that any program reads."""
    written = fill(tmp_path, 3)
    lines = log_files(tmp_path)[0].read_bytes().splitlines()
    decoded = [json.loads(line) for line in lines]

    assert [each["number"] for each in decoded] == [1, 2, 3]
    assert [each.get("previous", NO_SHA256) for each in decoded] == [
        NO_SHA256,
        hash_of_line(lines[0]),
        hash_of_line(lines[1]),
    ]
    assert decoded[0]["at"] == "2026-05-31T09:30:00.123000Z"
    assert [each.sha256 for each in written] == [hash_of_line(line) for line in lines]


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """The folder as well."""
    fill(tmp_path / "audit", 1)

    modes = {p.name: p.stat().st_mode & 0o777 for p in tmp_path.rglob("*")}
    assert modes == {"audit": 0o700, "lock": 0o600, "000000000001.jsonl": 0o600}


def test_files_are_bounded_and_named_by_their_first_line(tmp_path: Path) -> None:
    """The chain goes on from one to the next."""
    written = fill(tmp_path, 40, file_bytes_max=2_000)
    files = log_files(tmp_path)

    assert len(files) > 3
    assert all(path.stat().st_size <= 2_000 for path in files)
    assert [each.entry.number for each in written] == list(range(1, 41))
    for path in files:
        first = entry_of(path.read_bytes().splitlines()[0])
        assert int(path.stem) == first.number


@given(
    st.integers(0, 11),
    st.integers(0, 400),
    st.integers(1, 255),
    st.sampled_from(["flip", "insert", "delete"]),
)
@settings(
    derandomize=True,
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_byte_can_be_altered_unseen(
    tmp_path: Path, line: int, at: int, mask: int, how: str
) -> None:
    """Of any line but the last: flipped, inserted or deleted."""
    folder = tmp_path / "audit"
    if not folder.exists():
        fill(folder, 13, file_bytes_max=1_500)
    path, begin, size = _places(folder)[line]
    whole = path.read_bytes()
    place = begin + at % size
    changed = bytes([whole[place] ^ mask])
    middle = {"flip": changed, "insert": changed + whole[place : place + 1]}
    path.write_bytes(whole[:place] + middle.get(how, b"") + whole[place + 1 :])
    try:
        with pytest.raises(Broken, match=r"\d+\.jsonl:\d+: "):
            list(read_log(folder))
    finally:
        path.write_bytes(whole)
    assert len(list(read_log(folder))) == 13


def _places(folder: Path) -> list[tuple[Path, int, int]]:
    """Each line's file, where it begins, and its size with its end."""
    found: list[tuple[Path, int, int]] = []
    for path in log_files(folder):
        begin = 0
        for line in path.read_bytes().splitlines(keepends=True):
            found.append((path, begin, len(line)))
            begin += len(line)
    return found


def test_a_line_or_a_file_that_is_gone_is_seen(tmp_path: Path) -> None:
    """In the middle; the broken place is named."""
    fill(tmp_path, 20, file_bytes_max=2_000)
    files = log_files(tmp_path)
    whole = files[0].read_bytes()
    lines = whole.splitlines(keepends=True)
    files[0].write_bytes(b"".join([*lines[:1], *lines[2:]]))
    with pytest.raises(Broken, match=f"{files[0].name}:2: is number 3 where 2"):
        list(read_log(tmp_path))
    files[0].write_bytes(whole)

    files[1].unlink()
    with pytest.raises(Broken, match=f"{files[2].name}:1: .* lines are gone"):
        list(read_log(tmp_path))


def test_the_beginning_may_be_moved_away(tmp_path: Path) -> None:
    """Whoever archives old files verifies them there; the rest is whole."""
    written = fill(tmp_path, 20, file_bytes_max=2_000)
    gone = log_files(tmp_path)[0]
    count = gone.read_bytes().count(b"\n")
    gone.unlink()

    assert list(read_log(tmp_path)) == written[count:]


@pytest.mark.parametrize("rest", [b"{", b'{"number":4', b"\0" * 3_000, b"x" * 60_000])
def test_a_line_that_was_cut_short_is_written_over(tmp_path: Path, rest: bytes) -> None:
    """The process was killed before anybody was answered; the chain is whole."""
    written = fill(tmp_path, 3)
    with log_files(tmp_path)[0].open("ab") as file:
        file.write(rest)
    assert list(read_log(tmp_path)) == written

    assert log_in(tmp_path).record(act()) == 4
    assert log_files(tmp_path)[0].read_bytes().endswith(b"}\n")
    assert [each.entry.number for each in read_log(tmp_path)] == [1, 2, 3, 4]


def test_a_file_of_which_no_line_was_finished_is_no_end(tmp_path: Path) -> None:
    """The process was killed when it began the next file."""
    fill(tmp_path, 3, file_bytes_max=2_000)
    (tmp_path / "000000000004.jsonl").write_bytes(b'{"num')
    log_in(tmp_path, 10).record(act())

    assert [each.entry.number for each in read_log(tmp_path)] == [1, 2, 3, 4]


def test_a_damaged_end_stops_the_log_and_says_what_to_do(tmp_path: Path) -> None:
    """What follows could not be trusted."""
    fill(tmp_path, 2)
    with log_files(tmp_path)[0].open("ab") as file:
        file.write(b"rubbish\n")
    with pytest.raises(AuditFailed, match=r"moving .* away begins another log"):
        log_in(tmp_path).record(act())


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """No folder, or a file in its place."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "gone" / "audit", tmp_path / "file"):
        with pytest.raises(AuditFailed, match="cannot be written"):
            log_in(folder).record(act())


def test_a_line_that_does_not_fit_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk takes half of a line; it is taken back."""
    import os

    written = fill(tmp_path, 2)
    real = os.pwrite

    def full(descriptor: int, data: bytes, at: int) -> int:
        if len(data) > 100:
            return real(descriptor, data[:100], at)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(AuditFailed, match="No space"):
            log_in(tmp_path).record(act("x" * 100))

    assert log_files(tmp_path)[0].read_bytes().endswith(b"\n")
    assert list(read_log(tmp_path)) == written


def test_content_that_is_too_long_is_replaced_by_its_hash(tmp_path: Path) -> None:
    """What was before and after stays as long as there is room for it."""
    long = {"text": "x" * LINE_BYTES_MAX}
    log = log_in(tmp_path)
    log.record(act(request=long, before={"a": 1}, after=long))
    entry = next(read_log(tmp_path)).entry

    assert entry.before == {"a": 1}
    assert entry.request["left_out_bytes"] == LINE_BYTES_MAX + 11
    assert entry.after == entry.request
    assert len(entry.request["sha256"]) == 64


@pytest.mark.parametrize(
    "content", [object(), {"a": object()}, "\ud800", {1.5j: 1}, 1 << 70, float("nan")]
)
def test_what_is_no_json_is_never_an_error(tmp_path: Path, content: object) -> None:
    """The change that it belongs to was made already."""
    log_in(tmp_path).record(act(before=content, after={"a": 1}))
    entry = next(read_log(tmp_path)).entry

    assert entry.before in ({"not_json": type(content).__name__}, None, 1 << 70)
    assert entry.after == {"a": 1}


@given(
    st.builds(
        Entry,
        at=st.datetimes(timezones=st.just(UTC)),
        who=st.text(max_size=64),
        role=st.text(max_size=64),
        known_by=st.text(max_size=512),
        peer=st.text(max_size=512),
        method=st.text(max_size=512),
        resource=st.text(max_size=512),
        result=st.text(max_size=20),
        request=st.recursive(
            st.none() | st.integers(-(2**53), 2**53) | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
@settings(derandomize=True, max_examples=100)
def test_any_entry_is_one_line_that_can_be_read_again(entry: Entry) -> None:
    """Whatever callers put into names: no line break, no other entry."""
    line = line_of(entry)

    assert b"\n" not in line
    assert len(line) <= LINE_BYTES_MAX
    assert entry_of(line) == entry


def _record(folder: Path, count: int, begin: Barrier) -> None:
    begin.wait(DEADLINE_SECONDS)
    for number in range(count):
        log_in(folder, 3_000).record(act(f"revisions/{number}"))


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    """The server's, and commands on the data folder."""
    spawn = get_context("spawn")
    begin = spawn.Barrier(3)
    writers = [
        spawn.Process(target=_record, args=(tmp_path, 100, begin)) for _ in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert [each.entry.number for each in read_log(tmp_path)] == list(range(1, 301))


def test_the_clock_is_given(tmp_path: Path) -> None:
    """In milliseconds of UTC."""
    log = AuditLog(tmp_path, lambda: 1_500)

    assert log.now() == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=1.5)
