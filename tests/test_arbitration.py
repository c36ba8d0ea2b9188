"""The draw among equals: from a set as from a list."""

from random import Random

import pytest

from server.engine.arbitration import Draw


@pytest.mark.parametrize("width", [1, 2, 63, 64, 65, 200, 5_000])
@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_a_set_is_drawn_like_the_list_of_its_members(width: int, share: float) -> None:
    """Without replacement, uniform, in catalog order; the last one draws nothing."""
    for seed in range(20):
        random = Random(seed)
        members = [n for n in range(width) if random.random() < share]
        expected, pool, drawn = [], list(members), Random(seed)
        while len(pool) > 1:
            expected.append(pool.pop(drawn.randrange(len(pool))))
        expected += pool
        as_set = sum(1 << member for member in members)

        assert expected == list(Draw(seed).from_set(as_set))
        assert expected == list(Draw(seed).from_list(list(members)))


def test_draws_of_one_call_share_one_sequence() -> None:
    """Two classes of a call go on with the numbers of its seed."""
    random = Random(7)
    draw = Draw(7)
    everyone = (1 << 300) - 1

    assert [random.randrange(300), random.randrange(2)] == [
        next(draw.from_set(everyone)),
        next(draw.from_list([0, 1])),
    ]
