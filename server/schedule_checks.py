"""Checks of what is scheduled: a damaged one would not be published at its time."""

from collections.abc import Iterator
from pathlib import Path

from catalog_store.scheduled_publications import (
    DamagedSchedule,
    ScheduledPublications,
    UnknownSchedule,
)
from contact_store.doctor import Finding


def examine_scheduled(folder: Path) -> Iterator[Finding]:
    """Every finding; nothing scheduled is none."""
    scheduled = ScheduledPublications(folder)
    for number in scheduled.numbers():
        try:
            one = scheduled.get(number)
            if one.is_waiting:
                scheduled.catalog(one)
        except UnknownSchedule:
            # Forgotten meanwhile.
            continue
        except DamagedSchedule as error:
            # Unless it has just ended.
            if _is_waiting(scheduled, number):
                what = f"{error}; schedule it again, and remove this one"
                yield Finding("scheduled", "", str(number), what, "")


def _is_waiting(scheduled: ScheduledPublications, number: int) -> bool:
    try:
        return scheduled.get(number).is_waiting
    except UnknownSchedule:
        return False
    except DamagedSchedule:
        return True
