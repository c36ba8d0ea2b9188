"""A process that ends by itself is started again, soon, and not in a frenzy."""

from server.child_process import (
    QUICK_SECONDS,
    RESTART_SECONDS,
    RESTART_SECONDS_MAX,
    next_delay,
)


def test_the_first_end_in_a_while_costs_no_wait() -> None:
    """However long the delay was before."""
    assert next_delay(0.0, lived_seconds=0.1) == RESTART_SECONDS
    assert next_delay(0.8, lived_seconds=QUICK_SECONDS + 1) == RESTART_SECONDS


def test_quick_ends_wait_longer_and_never_too_long() -> None:
    """So that within two seconds somebody listens again."""
    delays = [next_delay(0.0, lived_seconds=0.0)]
    for _ in range(9):
        delays.append(next_delay(delays[-1], lived_seconds=0.0))

    assert delays[:4] == [0.1, 0.2, 0.4, 0.8]
    assert max(delays) == RESTART_SECONDS_MAX < 1.0
