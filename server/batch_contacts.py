"""The decision of a batch for each of its contacts, but for history and time.

What does not depend on the contact is prepared once for each revision that decides:
names, context, spaces. A contact named is identified, in an anonymous environment as a
visitor; where a profile is required and there is none, nobody is identified, and no
anonymous space stands in: an outbound channel reaches contacts, not visitors.
"""

from collections.abc import Iterator

from catalog_store.records import UnixMs
from compiler.runtime.history import HISTORY_MAX
from compiler.runtime.values import MISSING
from contact_store.history import HistoryStore
from contact_store.profile_reader import Profile
from contact_store.profiles import ProfileStore
from contact_store.reach import Reach
from contact_store.records import EMPTY_RECORD
from server.batch_translation import AskedBatch
from server.engine.history_slots import history_slots
from server.engine.live_catalog import LiveCatalog
from server.identification import Identification, Identified
from server.preparation import Preparation, PreparedDecision
from server.requests import InvalidRequest, Violation, near_misses

#: Contacts of a segment looked at between two looks at the clock; 10 us each.
_LOOKED_AT_STEP = 32


class BatchPreparation:
    """One batch, prepared on one revision."""

    def __init__(
        self, asked: AskedBatch, catalog: LiveCatalog, preparation: Preparation
    ) -> None:
        """Raises UnknownName and InvalidRequest."""
        self._asked = asked
        self.catalog = catalog
        self._preparation = preparation
        self.environment = preparation.environment(asked.decision, catalog)
        self._mode = (
            Identification.ANONYMOUS
            if self.environment.anonymous
            else Identification.EXPLICIT
        )
        self._anybody = self._prepared(Identified(self._mode, self.environment, "", ""))
        self._nobody: PreparedDecision | None = None
        self._absent = Profile(self._anybody.contact, self._anybody.absent_count)
        self._segment = self._segment_rule()

    @property
    def records(self) -> bool:
        """Whether a decision of this batch can store anything."""
        return self._anybody.records

    def contact(self, contact_id: str) -> PreparedDecision:
        """For one contact; raises InvalidContactId, CorruptRecord and StoreFailed."""
        environment = self.environment
        profile = self._preparation.profile(environment, contact_id)
        if profile is None:
            if environment.requires_profile:
                return self._for_nobody()
            profile = self._absent
        visitor_id = contact_id if environment.anonymous else ""
        return self._anybody._replace(
            identified=Identified(self._mode, environment, contact_id, visitor_id),
            contact=profile.slots,
            absent_count=profile.absent_count,
            interaction=self._preparation.new_interaction(),
        )

    def contact_ids(
        self, profiles: ProfileStore, history: HistoryStore, now_ms: UnixMs
    ) -> Iterator[str | None]:
        """Who is asked about, in order; of a segment, as this revision has it.

        None comes between them now and then, so that whoever asks can do something
        else. Raises CorruptRecord and StoreFailed.
        """
        if self._segment is None:
            yield from self._asked.contact_ids
            return
        environment = self.environment
        rule = environment.rules[self._segment]
        context = self._anybody.call((), now_ms).context
        scanned = profiles.scan(
            environment.name,
            environment.contact_attributes,
            MISSING,
            after=self._asked.after_contact_id,
        )
        for looked_at, (contact_id, slots) in enumerate(scanned, start=1):
            past = ()
            if rule.reads_history and self._anybody.names is not None:
                reach = Reach((), now_ms, newest=HISTORY_MAX)
                record = history.read(environment.name, contact_id, reach)
                record = record or EMPTY_RECORD
                past = history_slots(record.propositions, self._anybody.names)
            if rule.holds(slots, context, past):
                yield contact_id
            if looked_at % _LOOKED_AT_STEP == 0:
                yield None

    def _for_nobody(self) -> PreparedDecision:
        if self._nobody is None:
            nobody = Identified(Identification.ANONYMOUS, None, "", "")
            self._nobody = self._prepared(nobody)
        return self._nobody._replace(interaction=self._preparation.new_interaction())

    def _prepared(self, identified: Identified) -> PreparedDecision:
        return self._preparation.prepare_as(
            identified, self._asked.decision, self.environment, self.catalog
        )

    def _segment_rule(self) -> int | None:
        """The number of the segment's rule; None when contacts are named."""
        name, known = self._asked.segment, self.environment.segments
        if not name:
            return None
        if name not in known:
            text = f"is an unknown segment, {name!r}{near_misses(name, known)}"
            raise InvalidRequest([Violation("segment", text)])
        return known[name]
