"""How much of a batch is done before others have their turn."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from math import inf
from typing import NamedTuple

#: Contacts in one write transaction, at most and in the first one.
GROUP_MAX = 64
GROUP_FIRST = 4
#: Others are there for so long after a call of theirs.
BUSY_SECONDS = 1.0

Seconds = Callable[[], float]


class Turn(NamedTuple):
    """How long others wait."""

    #: For one step that holds no lock: other calls of this worker.
    step_seconds: float
    #: For one write transaction, its flush not included: other workers as well.
    group_seconds: float


# PERF: what a call waits for is one turn, and a flush after it. One worker, one caller
# beside a batch: with ALONE's turns always, dry calls take 1.9 ms beside a dry batch
# and 3.8 ms beside one that records, instead of 0.9 ms alone; with BESIDE's, 1.2 and
# 1.6. But a flush costs as much as three contacts: groups as short as BESIDE's record
# 480 contacts a second, ALONE's 2,500 (CPython 3.11, two busy cores).
ALONE = Turn(0.001, 0.003)
BESIDE = Turn(0.0003, 0.0005)


class Company:
    """Whether others call this worker, so that a batch makes room for them."""

    def __init__(self, seconds: Seconds) -> None:
        self.seconds = seconds
        self._called = -inf

    def called(self) -> None:
        self._called = self.seconds()

    @property
    def turn(self) -> Turn:
        """The one to take now."""
        return BESIDE if self.seconds() - self._called < BUSY_SECONDS else ALONE


class Step:
    """Work that holds no lock."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self.begin()

    def begin(self) -> None:
        self._ends = self._company.seconds() + self._company.turn.step_seconds

    def is_over(self) -> bool:
        return self._company.seconds() >= self._ends


class Ahead:
    """Contacts that come one by one, taken in groups, and given back."""

    def __init__(self, contact_ids: Iterator[str | None], company: Company) -> None:
        """None among them is a pause that may be used for a step."""
        self._contact_ids = contact_ids
        self._company = company
        self._given_back: deque[str] = deque()

    def take(self, count: int) -> Generator[None, None, list[str]]:
        """The next contacts, fewer at the end only; in steps."""
        taken = [
            self._given_back.popleft() for _ in range(min(count, len(self._given_back)))
        ]
        step = Step(self._company)
        while len(taken) < count:
            try:
                contact_id = next(self._contact_ids)
            except StopIteration:
                break
            if contact_id is not None:
                taken.append(contact_id)
            elif step.is_over():
                yield
                step.begin()
        return taken

    def give_back(self, contact_ids: Sequence[str]) -> None:
        """They come first again."""
        self._given_back.extendleft(reversed(contact_ids))


class Pace:
    """Finds out how many contacts are one group's work."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._began = self._budget = 0.0
        #: Contacts for the next group.
        self.group = GROUP_FIRST

    def begin(self) -> None:
        self._began = self._company.seconds()
        self._budget = self._company.turn.group_seconds

    def is_over(self) -> bool:
        return self._company.seconds() - self._began >= self._budget

    def end(self, count: int) -> None:
        """After so many contacts; the next group is at most twice as large."""
        taken = max(self._company.seconds() - self._began, 1e-6)
        fitting = int(count * self._budget / taken)
        self.group = max(1, min(fitting, 2 * max(count, 1), GROUP_MAX))
