"""Contacts from Parquet, and export to both formats and back."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog_store.records import Attribute, AttributeType
from contact_store.profiles import ProfileStore
from server.files.contact_export import export_contacts
from server.files.contact_table import ContactFileError
from tests.test_contact_import import AGE, JOB, Importer

ALL = tuple(
    Attribute(name=f"a{place}", type=kind) for place, kind in enumerate(AttributeType)
)
FULL = (
    True,
    -(2**63),
    2.5,
    "naïve; text",
    1_767_225_600_000_001,
    -1_500_000,
    (True, False),
    (1, 2),
    (0.5,),
    ("a", "b"),
)


@pytest.fixture
def importer(tmp_path):
    made = Importer(tmp_path)
    made.path = tmp_path / "contacts.parquet"
    yield made
    made.store.close()


def load(importer, columns, attributes, key=("id",)):
    pq.write_table(pa.table(columns), importer.path)
    return importer.load_file(importer.path, attributes, key)


def test_columns_become_attributes_by_type(importer):
    """Every Arrow type that an attribute's values can come from."""
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    micros = int(moment.timestamp()) * 1_000_000
    day = micros - 43_200_000_000
    columns = {
        "id": pa.array([1, 2], pa.int32()),
        "u8": pa.array([200, None], pa.uint8()),
        "f32": pa.array([0.5, None], pa.float32()),
        "whole": pa.array([3, None], pa.int64()),
        "big": pa.array(["x", None], pa.large_string()),
        "coded": pa.array(["y", None]).dictionary_encode(),
        "ns": pa.array([moment, None], pa.timestamp("ns", "Europe/Paris")),
        "plain": pa.array([moment.replace(tzinfo=None), None], pa.timestamp("s")),
        "date": pa.array([date(2026, 1, 31), None], pa.date32()),
        "span": pa.array([timedelta(seconds=90), None], pa.duration("ms")),
        "list": pa.array([[1, 2], None], pa.list_(pa.int16())),
        "doubles": pa.array([[1, 2], None], pa.list_(pa.int16())),
    }
    kinds = [
        ("u8", AttributeType.INT),
        ("f32", AttributeType.DOUBLE),
        ("whole", AttributeType.DOUBLE),
        ("big", AttributeType.STRING),
        ("coded", AttributeType.STRING),
        ("ns", AttributeType.TIMESTAMP),
        ("plain", AttributeType.TIMESTAMP),
        ("date", AttributeType.TIMESTAMP),
        ("span", AttributeType.DURATION),
        ("list", AttributeType.INT_LIST),
        ("doubles", AttributeType.DOUBLE_LIST),
    ]
    attributes = [Attribute(name=name, type=kind) for name, kind in kinds]

    summary = load(importer, columns, attributes)

    expected = (
        *(200, 0.5, 3.0, "x", "y"),
        *(micros, micros, day, 90_000_000, (1, 2), (1.0, 2.0)),
    )
    assert {"1": expected, "2": (None,) * 11} == importer.contacts(attributes)
    assert (summary.contacts, summary.rejected_rows) == (2, 0)


def test_a_column_of_another_type_is_refused_and_all_are_named(importer):
    """Nothing is loaded: no row of it could be right."""
    columns = {"id": ["C1"], "age": ["30"], "job": [1.5]}

    with pytest.raises(ContactFileError, match=r"'age' is a string.*'job' is a double"):
        load(importer, columns, (AGE, JOB))


def test_a_key_of_another_type_is_refused(importer):
    """A float has no one way to be written."""
    with pytest.raises(ContactFileError, match="key column 'id' is a double"):
        load(importer, {"id": [1.5], "age": [30]}, (AGE,))


def test_bad_values_are_rejected_by_row(importer):
    """Numbers beyond 64 bits, NaN, texts too long, missing keys."""
    weight = Attribute(name="weight", type=AttributeType.DOUBLE)
    columns = {
        "id": ["C1", "C2", None, "C4"],
        "age": pa.array([1, 2**63, 3, 4], pa.uint64()),
        "weight": [0.5, float("nan"), 1.0, float("inf")],
    }

    load(importer, columns, (AGE, weight))

    assert importer.contacts((AGE, weight)) == {"C1": (1, 0.5)}
    assert [(r["line"], r["column"], r["value"]) for r in importer.rejected()] == [
        ("2", "age", "9223372036854775808"),
        ("2", "weight", "nan"),
        ("3", "id", ""),
        ("4", "weight", "inf"),
    ]


def test_rows_are_numbered_over_batches(importer):
    """12,000 rows, read 5,000 at a time."""
    ages = [number if number != 6_999 else 2**63 for number in range(12_000)]

    load(importer, {"age": pa.array(ages, pa.uint64())}, (AGE,), ("#row",))

    read = {int(contact): age for contact, (age,) in importer.contacts((AGE,)).items()}
    assert read == {n: n - 1 for n in range(1, 12_001) if n != 7_000}
    assert [reject["line"] for reject in importer.rejected()] == ["7000"]


@pytest.mark.parametrize(
    "content", [b"", b"id,age\nC1,30\n", b"PAR1" + b"\0" * 100 + b"PAR1"]
)
def test_what_is_no_parquet_is_refused(importer, content):
    """By its content, whatever it is called."""
    importer.path.write_bytes(content)

    with pytest.raises(ContactFileError, match="not a Parquet file"):
        importer.load_file(importer.path, (AGE,), ("id",))


def test_a_damaged_page_loads_nothing(importer):
    """Found while it is read, after the schema looked well."""
    columns = {"id": [f"C{n}" for n in range(9_000)], "age": list(range(9_000))}
    pq.write_table(pa.table(columns), importer.path)
    content = bytearray(importer.path.read_bytes())
    content[4:2_000] = b"\xff" * 1_996
    importer.path.write_bytes(content)

    with pytest.raises(ContactFileError, match="damaged Parquet"):
        importer.load_file(importer.path, (AGE,), ("id",))
    assert importer.contacts((AGE,)) == {}


@pytest.mark.parametrize("name", ["contacts.csv", "contacts.parquet"])
def test_an_export_is_imported_as_it_was(tmp_path, name):
    """Every type, absent values, and more contacts than a batch."""
    path = tmp_path / name
    importer = Importer(tmp_path)
    with importer.store as store:
        with store.importing("bank", ALL) as into:
            into.put("full", FULL)
            for number in range(6_000):
                into.put(f"empty{number}", [None] * len(ALL))
            into.publish()
        before = importer.contacts(ALL)
        reports = []

        count = export_contacts(
            path,
            environment="bank",
            attributes=ALL,
            key="client",
            store=store,
            progress=lambda *report: reports.append(report),
        )
    with ProfileStore(tmp_path / "other") as other:
        importer.store = other
        importer.load_file(path, ALL, ("client",))

        assert before == importer.contacts(ALL)
    assert count == 6_001
    assert reports == [(5_000, 6_001), (6_001, 6_001)]


def test_an_export_that_fails_leaves_no_file(tmp_path):
    """Neither half of one nor its beginnings."""
    tags = Attribute(name="tags", type=AttributeType.STRING_LIST)
    with ProfileStore(tmp_path / "profiles") as store:
        store.upsert("bank", "C1", [tags], [("a;b",)])
        for name, key, reason in (
            ("out.csv", "id", "contact 'C1', tags: .*Parquet"),
            ("out.csv", "tags", "name another key"),
            ("out.txt", "id", r"name it \.csv or \.parquet"),
        ):
            with pytest.raises(ContactFileError, match=reason):
                export_contacts(
                    tmp_path / name,
                    environment="bank",
                    attributes=[tags],
                    key=key,
                    store=store,
                    progress=lambda *_: None,
                )

    assert [path.name for path in tmp_path.iterdir()] == ["profiles"]
