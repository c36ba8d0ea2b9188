"""The slots that processes count in: what is counted is what /metrics says."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import metrics
from server.engine.decision import Decision, Shortfall, SpaceDecision
from server.engine.live_offers import LiveSpace
from server.metrics import CallMetrics
from server.metrics_files import FILE_BYTES, map_slots, process_ended, read_all
from server.metrics_layout import BUCKETS, CODES, MARK, METHODS, REFUSALS, SLOTS
from tests.counting import numbers_of
from tests.faulty_disks import fill, small_disk

PLACES = 3
SERIES = "propono_calls_total code=OK method=Propose"


@pytest.fixture(autouse=True)
def _counting_here() -> Iterator[None]:
    """This process counts for itself again when a test has ended."""
    yield
    metrics.HERE.go_on_in(bytearray(FILE_BYTES))


def seen(folder: Path) -> dict[str, float]:
    return numbers_of(read_all(folder))


class Event(NamedTuple):
    """What one process counts, and what that adds to the page."""

    count: Callable[[], None]
    adds: dict[str, float]


def call(method: str, code: str, seconds: float) -> Event:
    name, label = "propono_call_seconds", f"method={method}"
    within = [str(bound) for bound in BUCKETS if seconds <= bound] + ["+Inf"]
    return Event(
        lambda: CallMetrics(method).observe(code, seconds),
        {f"{name}_bucket le={bound} {label}": 1 for bound in within}
        | {
            f"propono_calls_total code={code} {label}": 1,
            f"{name}_count {label}": 1,
            f"{name}_sum {label}": seconds,
        },
    )


def transaction(seconds: float, is_retry: bool) -> Event:
    name = "propono_transaction_seconds"
    within = [str(bound) for bound in BUCKETS if seconds <= bound] + ["+Inf"]
    return Event(
        lambda: metrics.count_transaction(seconds, is_retry=is_retry),
        {f"{name}_bucket le={bound}": 1 for bound in within}
        | {f"{name}_count": 1, f"{name}_sum": seconds}
        | ({"propono_retries_total": 1} if is_retry else {}),
    )


def decision(shortfall: Shortfall, raised: int, exclusions: int, absent: int) -> Event:
    filled = SpaceDecision(cast(LiveSpace, None), (), shortfall)
    made = Decision((filled, filled), raised=raised, quota_exclusions=exclusions)
    adds = {
        f"propono_short_spaces_total reason={shortfall.value}": 2,
        "propono_conditions_raised_total": raised,
        "propono_quota_exclusions_total": exclusions,
        "propono_absent_attributes_total": absent,
    }
    return Event(lambda: metrics.count_decision(made, absent), adds)


#: Exact in binary, so that sums do not depend on their order; on bounds, too.
SECONDS = st.integers(0, 7 << 10).map(lambda number: number / 1024) | st.sampled_from(
    [0.25, 1.0, 5.0]
)
EVENTS = st.one_of(
    st.builds(call, st.sampled_from(METHODS), st.sampled_from(CODES), SECONDS),
    st.builds(transaction, SECONDS, st.booleans()),
    st.builds(
        decision,
        st.sampled_from([one for one in Shortfall if one is not Shortfall.NONE]),
        *[st.integers(0, 9)] * 3,
    ),
    st.sampled_from(REFUSALS).map(
        lambda reason: Event(
            lambda: metrics.count_refusal(reason),
            {f"propono_calls_refused_total reason={reason}": 1},
        )
    ),
)


@given(st.lists(st.tuples(st.integers(0, PLACES - 1), st.booleans(), EVENTS)))
def test_the_page_is_the_sum_of_what_was_counted(
    steps: list[tuple[int, bool, Event]],
) -> None:
    """Over processes that live, that ended and that took the place of another."""
    expected: Counter[str] = Counter()
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for place, has_ended, event in steps:
            metrics.count_in(folder, place)
            event.count()
            expected.update(event.adds)
            if has_ended:
                process_ended(folder, place)
        found = seen(folder)

    assert {k: v for k, v in found.items() if v and "revision" not in k} == {
        k: v for k, v in expected.items() if v
    }


def test_a_process_that_ended_is_only_forgotten_where_it_lived(tmp_path: Path) -> None:
    """Its revision goes; what it counted stays, and the next one adds to it."""
    for place, revision in ((0, 7), (1, 8)):
        metrics.count_in(tmp_path, place)
        metrics.set_revision(revision)
        CallMetrics("Propose").observe("OK", 0.001)
    process_ended(tmp_path, 0)
    lives = [v for k, v in seen(tmp_path).items() if k.startswith("propono_revision")]
    metrics.count_in(tmp_path, 0)
    CallMetrics("Propose").observe("OK", 0.001)

    assert lives == [8]
    assert seen(tmp_path)[SERIES] == 3


@pytest.mark.parametrize("left", [0, 7, FILE_BYTES - 1])
def test_a_file_that_is_not_whole_keeps_no_other_from_the_page(
    tmp_path: Path, left: int
) -> None:
    """It is left out, and the next process of its place begins anew."""
    for place in (0, 1):
        metrics.count_in(tmp_path, place)
        CallMetrics("Propose").observe("OK", 0.001)
    metrics.HERE.go_on_in(bytearray(FILE_BYTES))
    # Cut, as a copy of it would be: nobody has that one mapped.
    whole = (tmp_path / "0.slots").read_bytes()
    (tmp_path / "0.slots").unlink()
    (tmp_path / "0.slots").write_bytes(whole[:left])
    (tmp_path / "9.slots").mkdir()
    cut = seen(tmp_path)
    process_ended(tmp_path, 0)
    metrics.count_in(tmp_path, 0)
    CallMetrics("Propose").observe("OK", 0.001)

    assert cut[SERIES] == 1
    assert seen(tmp_path)[SERIES] == 2


def test_what_another_version_counted_is_not_read_as_ours(tmp_path: Path) -> None:
    """Its slots mean something else; the next process of its place begins anew."""
    metrics.count_in(tmp_path, 0)
    CallMetrics("Propose").observe("OK", 0.001)
    metrics.HERE.numbers[MARK] += 1
    others = seen(tmp_path)
    metrics.count_in(tmp_path, 0)

    assert others == {}
    assert SERIES not in seen(tmp_path)


def test_no_room_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    """And the process counts for itself, as before."""
    with small_disk("tmpfs", tmp_path, 1 << 20) as disk:
        folder = disk / "metrics"
        folder.mkdir()
        fill(disk / "filler")
        with pytest.raises(OSError, match="No space left"):
            map_slots(folder, 0)
        left = list(folder.iterdir())
    CallMetrics("Propose").observe("OK", 0.001)

    assert left == []


def test_every_code_of_grpc_has_its_place() -> None:
    """And every series has another one."""
    assert set(CODES) == {code.name for code in grpc.StatusCode}
    assert FILE_BYTES >= SLOTS * 8
