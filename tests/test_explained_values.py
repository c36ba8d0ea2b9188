"""The values that would make an offer eligible: the nearest, and only possible ones."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.records import (
    Attribute,
    AttributeType,
)
from compiler.runtime.values import MISSING
from server.engine.decision import decide
from server.engine.explanation.changes import apply
from tests.bank import (
    call,
    chosen,
    environment,
    live,
    offer,
)
from tests.explained_calls import bank, explained_last


def values(rule: str, folder: Path, **contact: Any) -> list[Any]:
    """The values that attributes should have for a rule, having tried them."""
    made = call(bank(folder, offer("card", rule=rule)), "banner", contact=contact)
    found = explained_last(made, "card")
    assert chosen(decide(apply(made, 0, "card", found.changes))) == [
        ["card"] if found.changes else []
    ]
    return [change.value for change in found.changes]


@pytest.mark.parametrize(
    ("rule", "age", "expected"),
    [
        ("contact.age >= 18", 17, [18]),
        ("contact.age > 18", 17, [19]),
        ("contact.age < 18", 30, [17]),
        ("contact.age == 18", 30, [18]),
        ("contact.age != 18", 18, [17]),
        ("contact.age in [20, 40]", 31, [40]),
        ("contact.age >= 18 && contact.age < 30 && contact.age != 18", 3, [19]),
        ("contact.age < 10 || contact.age > 20", 16, [21]),
        (
            "(contact.age < 10 || contact.age > 40) && contact.age in [41, -15]",
            20,
            [41],
        ),
        ("!has(contact.age)", 16, [MISSING]),
        ("contact.age >= 18", MISSING, [18]),
        ("contact.age * 2 > 60", 16, [59]),
        ("contact.age > 5 && contact.age < 5", 16, []),
        ("contact.age > 9223372036854775807", 16, []),
    ],
)
def test_the_nearest_value(
    tmp_path: Path, rule: str, age: object, expected: list[Any]
) -> None:
    """Of a constant or its neighbours, with all that the rule says of the attribute."""
    found = values(rule, tmp_path, **({} if age is MISSING else {"age": age}))

    assert found == expected


@pytest.mark.parametrize(
    ("rule", "job", "expected"),
    [
        ("contact.job == 'nurse'", "cook", ["nurse"]),
        ("contact.job in ['nurse', 'cook'] && contact.job != 'nurse'", "x", ["cook"]),
        ("contact.job != 'cook'", "cook", ["other"]),
        ("contact.job.startsWith('co') && contact.job != 'co'", "x", []),
        ("contact.job.startsWith('co')", "x", ["co"]),
    ],
)
def test_values_of_texts(
    tmp_path: Path, rule: str, job: str, expected: list[Any]
) -> None:
    """The constants as they are written, or a text that is none of them."""
    assert values(rule, tmp_path, job=job) == expected


TYPED = (
    Attribute(name="income", type=AttributeType.DOUBLE, maximum=5_000),
    Attribute(name="tags", type=AttributeType.STRING_LIST),
    Attribute(name="since", type=AttributeType.TIMESTAMP),
    Attribute(name="retired", type=AttributeType.BOOL),
)
#: 2020-01-01T00:00:00Z
YEAR_2020_US = 1_577_836_800_000_000


@pytest.mark.parametrize(
    ("rule", "slots", "expected"),
    [
        ("contact.income >= 1000.0", (9.0, (), 0, False), 1_000.0),
        ("contact.income > 1000.0", (9.0, (), 0, False), 1_000.01),
        ("contact.income > 1.0 && contact.income < 1.001", (9.0, (), 0, False), 1.0005),
        ("contact.income > 5000.0", (9.0, (), 0, False), None),
        ("'vip' in contact.tags", (9.0, ("a",), 0, False), ("a", "vip")),
        ("!('vip' in contact.tags)", (9.0, ("a", "vip"), 0, False), ("a",)),
        ("size(contact.tags) == 0", (9.0, ("a",), 0, False), ()),
        (
            "contact.since < timestamp('2020-01-01T00:00:00Z')",
            (9.0, (), 2 * YEAR_2020_US, False),
            YEAR_2020_US - 1,
        ),
        ("contact.retired", (9.0, (), 0, False), True),
    ],
)
def test_values_of_every_type(
    tmp_path: Path, rule: str, slots: tuple[Any, ...], expected: Any
) -> None:
    """Within the bounds that the attribute declares."""
    record = replace(environment([offer("card", rule=rule)]), contact_attributes=TYPED)
    decides = live(tmp_path, record).environments["bank"]
    made = call(decides, "banner")._replace(contact=slots)
    found = explained_last(made, "card")

    assert [change.value for change in found.changes] == (
        [] if expected is None else [expected]
    )
    assert decide(apply(made, 0, "card", found.changes)).spaces[0].chosen or (
        expected is None
    )
