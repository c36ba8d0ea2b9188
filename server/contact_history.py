"""A contact's history, as far as one decision looks into it.

Presentation rules count within their periods: that much is read before deciding. Rules
over `history` see the newest propositions whatever their age, and most decisions never
evaluate one: older parts are read for the first that does, in the same snapshot.
"""

from collections.abc import Callable
from typing import TypeAlias

from compiler.runtime.history import HISTORY_MAX
from contact_store.reach import Reach
from contact_store.records import ContactRecord, Proposition

#: Reads a contact's record as far as is asked; raises CorruptRecord and HistoryFull.
ReadRecord: TypeAlias = Callable[[Reach], ContactRecord]


class ContactHistory:
    """What one decision sees; good as long as what it reads from."""

    def __init__(self, read: ReadRecord, reach: Reach) -> None:
        self._read = read
        self._reach = reach
        self._newest: tuple[Proposition, ...] | None = None
        self.record = read(reach)

    @property
    def counted(self) -> tuple[Proposition, ...]:
        """All that presentation rules may count, and maybe more."""
        return self.record.propositions

    def newest(self) -> tuple[Proposition, ...]:
        """All that `counted` has, and the newest HISTORY_MAX of the contact."""
        if self._newest is None:
            if self.record.cold:
                reach = self._reach._replace(newest=HISTORY_MAX)
                self._newest = self._read(reach).propositions
            else:
                self._newest = self.record.propositions
        return self._newest

    def seen(self) -> tuple[Proposition, ...]:
        """What was read so far: the same decision can be made of it again."""
        return self.counted if self._newest is None else self._newest
