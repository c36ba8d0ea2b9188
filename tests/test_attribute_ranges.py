"""The minimum and maximum of an attribute: where values come in, they are held."""

import csv
from pathlib import Path

import pytest
from google.protobuf import json_format, struct_pb2

from catalog_store.records import Attribute, AttributeType, Catalog, Environment
from compiler.catalog_check import check_catalog
from contact_store.errors import InvalidProfile
from contact_store.profiles import ProfileStore
from contact_store.slots import check_slots
from server.context_values import check_context
from server.files import read_catalog
from server.files.contacts import import_contacts

AGE = Attribute(name="age", type=AttributeType.INT, minimum=18, maximum=130)
RATE = Attribute(name="rate", type=AttributeType.DOUBLE, minimum=-0.5)
DEBTS = Attribute(name="debts", type=AttributeType.INT, maximum=0)
ALL = (AGE, RATE, DEBTS)


@pytest.mark.parametrize(
    "values", [(18, -0.5, 0), (130, 1e300, -(2**63)), (None, None, None)]
)
def test_values_in_range_are_taken(values: tuple[object, ...]) -> None:
    """Both ends belong to the range, and absence is no value."""
    check_slots(ALL, values)


def test_every_profile_value_out_of_range_is_named() -> None:
    """The message says which, what it was and where the range ends."""
    with pytest.raises(InvalidProfile) as raised:
        check_slots(ALL, (17, -0.75, 1))

    assert str(raised.value).split("; ") == [
        "age: 17 is below the minimum, 18",
        "rate: -0.75 is below the minimum, -0.5",
        "debts: 1 is above the maximum, 0",
    ]


def test_an_import_rejects_rows_out_of_range(tmp_path: Path) -> None:
    """Other rows are loaded; the file of rejects says what is wrong with this one."""
    table = tmp_path / "clients.csv"
    table.write_text("client,age\nC1,17\nC2,18\n")
    with ProfileStore(tmp_path / "profiles") as store:
        summary = import_contacts(
            path=table,
            environment="bank",
            attributes=[AGE],
            key=["client"],
            store=store,
            rejects=tmp_path / "rejects.csv",
            progress=lambda *_: None,
        )
        assert store.count("bank") == 1
    with (tmp_path / "rejects.csv").open(newline="") as file:
        rejects = list(csv.DictReader(file))

    assert summary.rejected_rows == 1
    assert len(rejects) == 1
    assert "age: 17 is below the minimum, 18" in rejects[0].values()


def test_context_values_out_of_range_are_refused() -> None:
    """A call learns of all of them at once; null is no number."""
    context = struct_pb2.Struct()
    json_format.ParseDict({"age": 131, "rate": -1, "debts": None}, context)
    values, violations = check_context(context, [ALL])

    assert values == {"debts": None}
    # protobuf's maps have no order.
    assert sorted(violations) == [
        ("context.age", "131 is above the maximum, 130"),
        ("context.rate", "-1.0 is below the minimum, -0.5"),
    ]


def test_a_value_must_fit_in_every_environment_that_may_decide() -> None:
    """The anonymous environment can have a narrower range."""
    narrow = Attribute(name="age", type=AttributeType.INT, maximum=20)
    context = struct_pb2.Struct()
    json_format.ParseDict({"age": 30}, context)
    _, violations = check_context(context, [(AGE,), (narrow,)])

    assert [v.description for v in violations] == ["30 is above the maximum, 20"]


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        (Attribute(name="a", type=AttributeType.INT, minimum=3, maximum=3), []),
        (
            Attribute(name="a", type=AttributeType.INT, minimum=3, maximum=2.5),
            ["contact_attributes[0].maximum no value is at most 2.5 and at least the"],
        ),
        (
            Attribute(name="a", type=AttributeType.INT_LIST, minimum=3),
            ["contact_attributes[0].minimum only an int or a double has a minimum and"],
        ),
        (
            Attribute(
                name="a",
                type=AttributeType.DOUBLE,
                minimum=float("nan"),
                maximum=float("inf"),
            ),
            [
                "contact_attributes[0].maximum 'inf' bounds nothing",
                "contact_attributes[0].minimum 'nan' bounds nothing",
            ],
        ),
    ],
)
def test_ranges_that_make_no_sense(attribute: Attribute, expected: list[str]) -> None:
    """A range is of numbers, finite, and not empty."""
    environment = Environment(name="bank", contact_attributes=(attribute,))
    found = [
        f"{each.source.name.partition(':')[2]} {each.message}"
        for each in check_catalog(Catalog(environments=(environment,)))
        if "attributes[" in each.source.name
    ]

    assert len(expected) == len(found)
    for start, message in zip(expected, sorted(found), strict=True):
        assert message.startswith(start)


def test_ranges_are_written_in_catalog_files(tmp_path: Path) -> None:
    """An end that stands there empty is no end."""
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "environment.yaml").write_text(
        "contact_attributes:\n"
        "  age: {type: int, minimum: 18, maximum: 130}\n"
        "  rate: {type: double, minimum: -0.5, maximum: }\n"
        "  debts: {type: int, maximum: 0}\n"
    )
    environment = read_catalog(tmp_path).catalog.environments[0]

    assert environment.contact_attributes == ALL
