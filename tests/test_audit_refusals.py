"""Refusals in the audit log: the first at once, those like it as one number."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from server.audit.entries import Entry
from server.audit.refusals import KINDS_MAX, WINDOW_SECONDS, Refusals

BEGIN = datetime(2026, 5, 31, tzinfo=UTC)


class Port:
    """Refusals of one port, a clock, and what was written."""

    def __init__(self) -> None:
        self.seconds = 0
        self.written: list[Entry] = []
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.refusals = Refusals(
            lambda seconds, end: self.due.append((self.seconds + seconds, end)),
            self.written.append,
        )

    def refuse(
        self, who: str = "", method: str = "/a.B/C", result: str = "UNAUTHENTICATED"
    ) -> None:
        at = BEGIN + timedelta(seconds=self.seconds)
        entry = Entry(at=at, who=who, method=method, result=result)
        if self.refusals.is_news(entry):
            self.written.append(entry)

    def wait(self, seconds: float) -> None:
        self.seconds += int(seconds)
        due = [end for at, end in self.due if at <= self.seconds]
        self.due = [each for each in self.due if each[0] > self.seconds]
        for end in due:
            end()


def test_the_first_is_written_at_once_and_the_others_as_one() -> None:
    """With how many they were, and from when to when."""
    port = Port()
    for _ in range(1_000):
        port.refuse()
        port.wait(0.0)
    port.wait(5)
    port.refuse()
    assert len(port.written) == 1

    port.wait(WINDOW_SECONDS)
    assert len(port.written) == 2
    assert port.written[1].count == 1_000
    assert port.written[1].since == BEGIN
    assert port.written[1].at == BEGIN + timedelta(seconds=5)


def test_one_alone_is_one_line() -> None:
    """And the next one after ten minutes is news again."""
    port = Port()
    port.refuse()
    port.wait(WINDOW_SECONDS)
    assert len(port.written) == 1

    port.refuse()
    assert len(port.written) == 2
    assert port.due != []


def test_callers_methods_and_results_are_told_apart() -> None:
    """Of callers that are known: each is another line."""
    port = Port()
    for who in ("ann", "bob"):
        for method in ("/a.B/C", "/a.B/D"):
            for result in ("PERMISSION_DENIED", "UNAUTHENTICATED"):
                port.refuse(who, method, result)

    assert len(port.written) == 8


def test_strangers_are_not_told_apart() -> None:
    """Or each method would be a line, for whoever can connect."""
    port = Port()
    for number in range(100):
        port.refuse(method=f"/a.B/C{number}")
    port.wait(WINDOW_SECONDS)

    assert [entry.count for entry in port.written] == [1, 99]


def test_memory_and_disk_are_bounded() -> None:
    """Kinds beyond the limit are counted together."""
    port = Port()
    for number in range(2 * KINDS_MAX):
        port.refuse(f"name{number}")
    assert len(port.written) == KINDS_MAX + 1

    port.wait(WINDOW_SECONDS)
    assert len(port.written) == KINDS_MAX + 2
    assert port.written[-1].count == KINDS_MAX - 1


def test_nothing_counted_is_lost_when_the_server_stops() -> None:
    """It is written then; once."""
    port = Port()
    for _ in range(3):
        port.refuse()
    port.refusals.close()
    assert [entry.count for entry in port.written] == [1, 2]

    port.wait(WINDOW_SECONDS)
    assert len(port.written) == 2
