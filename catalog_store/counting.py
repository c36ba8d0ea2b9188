"""What presentation rules and quotas count: over which offers, statuses, periods."""

from enum import StrEnum


class Counted(StrEnum):
    """Which of a contact's propositions count against a candidate offer."""

    ALL_OFFERS = "all_offers"
    THIS_OFFER = "this_offer"
    SAME_CATEGORY = "same_category"
    #: Any offer of the rule's own scope: one shared counter.
    SCOPE = "scope"
    #: Offers that have the candidate's value of the rule's `attribute`.
    SAME_ATTRIBUTE = "same_attribute"


class CountedStatus(StrEnum):
    """Which proposition statuses count."""

    ANY = "any"
    #: The contact has seen it, whatever came of it: all but generated.
    PRESENTED = "presented"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ACCEPTED_OR_REJECTED = "accepted_or_rejected"


class CountedFrom(StrEnum):
    """Which moment of a proposition must lie in the period."""

    #: Its event time: when the contact saw it, or will.
    PROPOSITION = "proposition"
    #: When it got the status that it has: "for 30 days after a refusal".
    STATUS = "status"


class QuotaPeriod(StrEnum):
    """The calendar period that a quota counts in; weeks begin on Monday."""

    TOTAL = "total"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class OnFailure(StrEnum):
    """What a quota allows while its counter is damaged."""

    #: Nothing.
    CLOSED = "closed"
    #: Another limit, the quota's `fallback_limit`, with a counter of its own.
    FALL_BACK = "fall_back"
    #: Everything; nothing is counted.
    OPEN = "open"
