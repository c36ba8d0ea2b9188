"""Publications that wait for their time: catalogs on disk, and what becomes of them.

    SCHEDULED/<number>.json      when, by whom, made of what; then how it ended
    SCHEDULED/<number>.catalog   the catalog, until it has ended
    SCHEDULED/lock               held while numbers are given and states change
    SCHEDULED/publishing         held from the look at one until it has ended

Each file is replaced as a whole: whatever is interrupted, one is still scheduled or has
ended. That something was published is found out from the revisions: see
`server.design.due_publications`.
"""

import hashlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from catalog_store.durable_files import replace_durably
from catalog_store.publication_lock import publication_lock
from catalog_store.records import Catalog

#: That wait at one time, and that are still listed when they have ended.
SCHEDULED_MAX = 50
ENDED_MAX = 100
#: How far ahead.
AHEAD_MS_MAX = 366 * 86_400_000
#: Characters that are kept of why one was not published.
REASON_CHARACTERS_MAX = 2_000

_HEAD_BYTES_MAX = 64 * 1024
_FORMAT = 1


class ScheduleError(Exception):
    """Any of the errors below; the text is fit for whoever asked."""


class UnknownSchedule(ScheduleError):
    """No scheduled publication has this number, or none any more."""


class ScheduleEnded(ScheduleError):
    """It was published, refused or cancelled already."""


class ScheduleFull(ScheduleError):
    """As many wait as may."""


class DamagedSchedule(ScheduleError):
    """A file does not hold what was written into it."""


class ScheduleState(StrEnum):
    """What became of one."""

    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    #: It could not be published, or no longer as it was meant; the reason is kept.
    REFUSED = "refused"
    CANCELLED = "cancelled"


class ScheduledPublication(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """One catalog and the moment at which it is to decide."""

    #: From 1, and never given twice.
    number: int = 0
    publish_at_ms: int
    created_at_ms: int
    #: Who asked for it.
    publisher: str
    #: Of the design that it is.
    design_version: int
    #: Of the catalog: a revision with it decides alike.
    digest: str
    offer_count: int
    rule_count: int
    #: What decided when it was scheduled; 0 and empty for nothing.
    base_revision: int
    base_digest: str
    catalog_sha256: str = ""
    state: ScheduleState = ScheduleState.SCHEDULED
    #: Why it was refused, or who cancelled it.
    reason: str = ""
    #: 0 until it has ended.
    ended_at_ms: int = 0
    #: The revision that it became; 0 for none.
    revision: int = 0
    format: int = _FORMAT

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"scheduledPublications/{self.number}"

    @property
    def is_waiting(self) -> bool:
        return self.state is ScheduleState.SCHEDULED


def is_outdated(
    publication: ScheduledPublication,
    current_digest: str,
    others: Iterable[ScheduledPublication],
) -> bool:
    """Whether something else was published since it was scheduled.

    What decided then still does, or what was itself scheduled, of no later design:
    anything else it would take back without a word.
    """
    expected = {
        each.digest
        for each in others
        if each.state is ScheduleState.PUBLISHED
        and each.ended_at_ms >= publication.created_at_ms
        and each.design_version <= publication.design_version
    }
    return current_digest not in {publication.base_digest, *expected}


class ScheduledPublications:
    """Those of one data folder; for any thread of any process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[ScheduledPublication]:
        """In order of their numbers; raises DamagedSchedule."""
        return [self.get(number) for number in self.numbers()]

    def readable(self) -> list[ScheduledPublication]:
        """The same without those that are damaged: they keep no other from its time."""
        found: list[ScheduledPublication] = []
        for number in self.numbers():
            # One that another process forgot meanwhile is not there either.
            with suppress(DamagedSchedule, UnknownSchedule):
                found.append(self.get(number))
        return found

    def numbers(self) -> list[int]:
        return sorted(
            int(path.stem)
            for path in self.folder.glob("*.json")
            if path.stem.isascii() and path.stem.isdecimal()
        )

    def get(self, number: int) -> ScheduledPublication:
        """Raises UnknownSchedule and DamagedSchedule."""
        path = self._head_path(number)
        try:
            with path.open("rb") as file:
                found = _decode_head(file.read(_HEAD_BYTES_MAX))
        except FileNotFoundError:
            raise UnknownSchedule(
                f"there is no scheduled publication {number}: `propono catalog"
                " scheduled` lists them"
            ) from None
        except (OSError, msgspec.MsgspecError) as error:
            raise DamagedSchedule(f"{path} cannot be read: {error}") from None
        if found.format != _FORMAT or found.number != number:
            raise DamagedSchedule(f"{path} is of another version, or of another one")
        return found

    def catalog(self, publication: ScheduledPublication) -> Catalog:
        """What is to be published; raises DamagedSchedule."""
        path = self._catalog_path(publication.number)
        try:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != publication.catalog_sha256:
                raise DamagedSchedule(f"{path} does not hold what was written into it")
            return _decode_catalog(data)
        except (OSError, msgspec.MsgspecError) as error:
            raise DamagedSchedule(f"{path} cannot be read: {error}") from None

    def add(
        self, publication: ScheduledPublication, catalog: Catalog
    ) -> ScheduledPublication:
        """The same with its number; it is on disk then.

        Raises ScheduleFull, PublicationBusy and OSError.
        """
        data = _encode(catalog)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with publication_lock(self.folder / "lock"):
            if sum(each.is_waiting for each in self.readable()) >= SCHEDULED_MAX:
                raise ScheduleFull(
                    f"{SCHEDULED_MAX} publications are scheduled already: cancel one"
                )
            added = msgspec.structs.replace(
                publication,
                number=max(self.numbers(), default=0) + 1,
                catalog_sha256=hashlib.sha256(data).hexdigest(),
            )
            # Of a crash between the two nobody hears: the number is given again.
            replace_durably(self._catalog_path(added.number), data)
            self._put(added)
        return added

    def end(
        self,
        number: int,
        state: ScheduleState,
        now_ms: int,
        *,
        reason: str = "",
        revision: int = 0,
    ) -> ScheduledPublication:
        """How one ended; whoever says so is `publishing`, so that nobody else does.

        Raises UnknownSchedule, ScheduleEnded, DamagedSchedule, PublicationBusy and
        OSError.
        """
        with publication_lock(self.folder / "lock"):
            known = self.get(number)
            if not known.is_waiting:
                raise ScheduleEnded(f"{known.name} is {known.state} already")
            ended = msgspec.structs.replace(
                known,
                state=state,
                ended_at_ms=now_ms,
                reason=reason[:REASON_CHARACTERS_MAX],
                revision=revision,
            )
            self._put(ended)
            self._forget()
        return ended

    @contextmanager
    def still(self) -> Generator[None]:
        """Nothing is added and nothing ends in the block, for whoever copies the files;
        raises PublicationBusy and OSError."""
        with publication_lock(self.folder / "lock"):
            yield

    @contextmanager
    def publishing(self) -> Generator[None]:
        """Held by who publishes or cancels one; raises PublicationBusy and OSError."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        with publication_lock(self.folder / "publishing"):
            yield

    def _put(self, publication: ScheduledPublication) -> None:
        data = msgspec.json.format(_encode_head(publication))
        replace_durably(self._head_path(publication.number), data)

    def _forget(self) -> None:
        """Catalogs of those that have ended, and the oldest of these."""
        ended = [one.number for one in self.readable() if not one.is_waiting]
        for number in ended:
            self._catalog_path(number).unlink(missing_ok=True)
        # Not the last of all: its number must not be given again.
        for number in ended[:-ENDED_MAX]:
            self._head_path(number).unlink()

    def _head_path(self, number: int) -> Path:
        return self.folder / f"{number}.json"

    def _catalog_path(self, number: int) -> Path:
        return self.folder / f"{number}.catalog"


_encode = msgspec.msgpack.Encoder().encode
_decode_catalog = msgspec.msgpack.Decoder(Catalog).decode
_encode_head = msgspec.json.Encoder().encode
_decode_head = msgspec.json.Decoder(ScheduledPublication).decode
