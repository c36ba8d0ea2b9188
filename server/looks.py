"""How far back the rules of an environment look, for whoever reads a history."""

from contact_store.reach import ALL_STATUSES, Look, needed_looks
from server.engine.live_catalog import LiveEnvironment


def looks_of(environment: LiveEnvironment) -> tuple[Look, ...]:
    """What its presentation rules may count, and no more than they may.

    Rules and formulas over `history` ask for the newest propositions by themselves.
    """
    return needed_looks(
        Look(
            rule.period_ms,
            ALL_STATUSES
            if rule.counted_statuses is None
            else sum(1 << status for status in rule.counted_statuses),
        )
        for rule in environment.presentation_rules
    )
