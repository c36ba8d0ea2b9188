"""Importing contacts: every good row, every bad cell, and nothing by halves."""

import csv
from pathlib import Path

import pytest

from catalog_store.records import Attribute, AttributeType
from contact_store.profile_reader import ProfileReader
from contact_store.profiles import ProfileStore
from server.files.contact_csv import ROW_CHARACTERS_MAX
from server.files.contact_table import ContactFileError
from server.files.contacts import import_contacts

BANK_FULL = Path(__file__).parent.parent / "../shared/data/bank-full.csv"

AGE = Attribute(name="age", type=AttributeType.INT)
JOB = Attribute(name="job", type=AttributeType.STRING)
MEMBER = Attribute(name="member", type=AttributeType.BOOL)
TYPES = {
    "age": AttributeType.INT,
    "job": AttributeType.STRING,
    "marital": AttributeType.STRING,
    "education": AttributeType.STRING,
    "default": AttributeType.BOOL,
    "housing": AttributeType.BOOL,
    "loan": AttributeType.BOOL,
    "balance": AttributeType.INT,
    "contact": AttributeType.STRING,
    "day": AttributeType.INT,
    "month": AttributeType.STRING,
    "campaign": AttributeType.INT,
    "pdays": AttributeType.INT,
    "previous": AttributeType.INT,
    "poutcome": AttributeType.STRING,
}
BANK_ATTRIBUTES = tuple(Attribute(name=name, type=kind) for name, kind in TYPES.items())


class Importer:
    """A store, and imports into it of texts written to a file."""

    def __init__(self, folder):
        self.path = folder / "contacts.csv"
        self.rejects = folder / "rejects.csv"
        self.store = ProfileStore(folder / "profiles")

    def load(self, content, attributes=(AGE, JOB), key=("id",), **options):
        self.path.write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )
        return self.load_file(self.path, attributes, key, **options)

    def load_file(self, path, attributes, key, progress=lambda *_: None, **options):
        return import_contacts(
            path,
            environment="bank",
            attributes=attributes,
            key=key,
            store=self.store,
            rejects=self.rejects,
            progress=progress,
            **options,
        )

    def contacts(self, attributes=(AGE, JOB)):
        return dict(self.store.scan("bank", attributes, None))

    def rejected(self):
        with self.rejects.open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def importer(tmp_path):
    made = Importer(tmp_path)
    yield made
    made.store.close()


def test_rows_become_profiles(importer):
    """Typed, absent where a cell is empty, and summed up."""
    summary = importer.load("id,age,job,city\nC1,30,clerk,Paris\nC2,,nurse,\n")

    assert importer.contacts() == {"C1": (30, "clerk"), "C2": (None, "nurse")}
    assert (
        summary.rows,
        summary.contacts,
        summary.duplicates,
        summary.rejected_rows,
        summary.loaded,
        summary.rejects,
    ) == (2, 2, 0, 0, True, None)
    assert (summary.ignored_columns, summary.missing_attributes) == (("city",), ())
    assert not importer.rejects.exists()


def test_a_declared_attribute_without_a_column_is_absent_and_named(importer):
    """In the summary, and in every profile."""
    summary = importer.load("id,job\nC1,clerk\n")

    assert summary.missing_attributes == ("age",)
    assert importer.contacts() == {"C1": (None, "clerk")}


def test_a_contact_imported_again_is_replaced_whole(importer):
    """Others stay; an empty cell makes a value absent again."""
    importer.load("id,age,job\nC1,30,clerk\nC2,40,nurse\n")
    importer.load("id,age,job\nC2,41,\nC3,50,cook\n")

    expected = {"C1": (30, "clerk"), "C2": (41, None), "C3": (50, "cook")}
    assert expected == importer.contacts()


def test_the_last_of_rows_with_one_key_wins(importer):
    """And how many were replaced is counted."""
    summary = importer.load("id,age,job\nC1,30,a\nC2,31,b\nC1,32,c\nC1,33,d\n")

    assert importer.contacts() == {"C1": (33, "d"), "C2": (31, "b")}
    assert (summary.rows, summary.contacts, summary.duplicates) == (4, 2, 2)


def test_rows_can_be_their_own_key(importer):
    """From 1; rejected rows are numbered too."""
    importer.load("age,job\n30,a\nx,b\n32,c\n", key=("#row",))

    assert importer.contacts() == {"1": (30, "a"), "3": (32, "c")}


def test_keys_can_have_parts(importer):
    """Joined in the order given; a part cannot hold the separator or be empty."""
    importer.load(
        "branch,client,age\nb1,7,30\nb|1,8,31\nb1,,32\n", key=("client", "branch")
    )

    assert importer.contacts() == {"7|b1": (30, None)}
    assert [(r["line"], r["column"], r["value"]) for r in importer.rejected()] == [
        ("3", "client|branch", "8|b|1"),
        ("4", "client|branch", "|b1"),
    ]


def test_a_single_key_may_hold_the_separator(importer):
    """A file may hold composite keys already joined."""
    importer.load("id,age\na|b,30\n")

    assert importer.contacts() == {"a|b": (30, None)}


def test_all_bad_cells_of_a_row_are_listed_with_its_line(importer):
    """Lines are the file's, whatever a quoted cell spans; good rows are loaded."""
    summary = importer.load(
        "id,age,job,member\n"
        'C1,30,"two\nlines",yes\n'
        'C2,x,"two\nlines",maybe\n'
        "\n"
        ",31,c,no\n"
        f"{'k' * 257},32,d,no\n"
        "C5,99999999999999999999,e,\n"
        "C6,33,f,1\n",
        (AGE, JOB, MEMBER),
    )

    assert list(importer.contacts()) == ["C1", "C6"]
    assert (summary.rows, summary.contacts, summary.rejected_rows) == (6, 2, 4)
    assert summary.rejects == str(importer.rejects)
    assert [(r["line"], r["column"], r["value"]) for r in importer.rejected()] == [
        ("4", "age", "x"),
        ("4", "member", "maybe"),
        ("7", "id", ""),
        ("8", "id", "k" * 200),
        ("9", "age", "99999999999999999999"),
    ]
    assert all(reject["reason"] for reject in importer.rejected())


def test_strict_loads_nothing_when_a_row_is_bad(importer):
    """The rejects are listed all the same."""
    importer.load("id,age\nC1,30\n")
    summary = importer.load("id,age\nC2,31\nC3,x\n", strict=True)

    assert importer.contacts() == {"C1": (30, None)}
    assert (summary.loaded, summary.contacts, summary.rejected_rows) == (False, 0, 1)
    assert len(importer.rejected()) == 1


def test_strict_loads_when_all_rows_are_good(importer):
    """Strictness is about bad rows only."""
    assert importer.load("id,age\nC2,31\n", strict=True).loaded
    assert importer.contacts() == {"C2": (31, None)}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(importer, delimiter):
    """The one that gives the header the key."""
    text = "id,age,job\nC1,30,x\n".replace(",", delimiter)

    importer.load("\ufeff" + text)

    assert importer.contacts() == {"C1": (30, "x")}


def test_a_given_delimiter_is_taken(importer):
    """Whatever the header looks like."""
    importer.load("id:age:job\nC1:30:a,b\n", delimiter=":")

    assert importer.contacts() == {"C1": (30, "a,b")}


HEAD = b"id,age,job\nC1,30,x\n"
HOSTILE = {
    "empty": (b"", "empty"),
    "blank": (b"\n\n", "empty"),
    "latin-1": (HEAD + b"C2,31,caf\xe9\n", "not UTF-8"),
    "utf-16": ("id,age\nC1,30\n".encode("utf-16"), "not UTF-8"),
    "gzip": (b"\x1f\x8b\x08\x00" + HEAD, "not UTF-8"),
    "NUL": (HEAD + b"C2,31,a\0b\n", "3: not CSV: it holds NUL"),
    "NUL in header": (b"id,\0age\n", "1: not CSV: it holds NUL"),
    "no header": (b"C1,30,x\nC2,31,y\n", "no column 'id' .* header missing"),
    "no attribute": (b"id,city\nC1,Paris\n", "is the header missing"),
    "column twice": (b"id,age,age\nC1,1,2\n", "2 columns named 'age'"),
    "short row": (HEAD + b'C2,"3\n1",y\nC3,32\n', ":5: the row has 2 cells"),
    "long row": (HEAD + b"C2,31,y,z\n", ":3: the row has 4 cells"),
    "open quote": (HEAD + b'C2,31,"y\n', "unexpected end"),
    "stray quote": (HEAD + b'C2,31,"y"z\n', "not CSV"),
    "big cell": (HEAD + b"C2,31," + b"x" * 200_000 + b"\n", "field larger"),
    "big line": (HEAD + b"C2,31," + b"x" * (ROW_CHARACTERS_MAX + 9), "more than"),
    "big row": (HEAD + b'C2,31,"' + b'x","\n' * ROW_CHARACTERS_MAX, "more than"),
}


@pytest.mark.parametrize(("content", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_whole(importer, content, reason):
    """With the reason; what was there before is still there."""
    importer.load("id,age\nC0,29\n")

    with pytest.raises(ContactFileError, match=reason):
        importer.load(content)

    assert importer.contacts() == {"C0": (29, None)}


def test_only_rows_are_bounded_not_files(importer):
    """A file of many times what a row may have."""
    job = "x" * 1_000
    rows = "".join(f"C{n},{n},{job}\n" for n in range(3_000))

    assert importer.load("id,age,job\n" + rows).contacts == 3_000
    assert len(rows) > 2 * ROW_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ((), "no key"),
        (("nobody",), "no column 'nobody'"),
        (("id", "id"), "twice"),
        (("#row", "id"), "stands alone"),
    ],
)
def test_a_key_that_makes_no_id_is_refused(importer, key, reason):
    """Before a row is read."""
    with pytest.raises(ContactFileError, match=reason):
        importer.load("id,age\nC1,30\n", key=key)


@pytest.mark.parametrize("delimiter", ["ab", "\n", ""])
def test_a_delimiter_is_one_character(importer, delimiter):
    """Empty means that none was given."""
    if delimiter:
        with pytest.raises(ContactFileError, match="delimiter"):
            importer.load("id,age\nC1,30\n", delimiter=delimiter)
    else:
        assert importer.load("id,age\nC1,30\n", delimiter=delimiter).loaded


def test_the_rejects_never_overwrite_the_file(importer):
    """Refused before anything is opened."""
    importer.rejects = importer.path

    with pytest.raises(ContactFileError, match="overwrite"):
        importer.load("id,age\nC1,x\n")
    assert importer.path.read_text() == "id,age\nC1,x\n"


def test_no_such_file(importer, tmp_path):
    """Folders are none either."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ContactFileError, match="no such file"):
            importer.load_file(path, (AGE,), ("id",))


def test_an_interrupted_import_leaves_the_old_state(importer):
    """Wherever it is interrupted before all of it is visible."""
    importer.load("id,age\nC1,30\n")
    importer.path.write_text(
        "id,age\n" + "".join(f"C{n},{n}\n" for n in range(12_000)), "utf-8"
    )

    def stop(_, done, total):
        if done * 2 > total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer.load_file(importer.path, (AGE, JOB), ("id",), progress=stop)

    assert importer.contacts() == {"C1": (30, None)}
    assert importer.load("id,age\nC2,31\n").loaded
    assert importer.contacts() == {"C1": (30, None), "C2": (31, None)}


def test_progress_grows_to_its_total(importer):
    """Reading first, then folding, each to its end."""
    reports = []
    importer.path.write_text("id,age\nC1,30\n")
    importer.load_file(
        importer.path, (AGE,), ("id",), progress=lambda *report: reports.append(report)
    )
    # The first import has nothing to be folded into.
    assert {stage for stage, _, _ in reports} == {"reading"}
    reports.clear()
    rows = "".join(f"C{n},{n}\n" for n in range(11_000))
    importer.path.write_text("id,age\n" + rows, "utf-8")

    importer.load_file(
        importer.path, (AGE,), ("id",), progress=lambda *report: reports.append(report)
    )

    for stage in ("reading", "folding"):
        done = [(done, total) for name, done, total in reports if name == stage]
        assert done == sorted(done)
        assert len(done) > 2
        assert done[-1][0] == done[-1][1]
    assert sorted({name for name, _, _ in reports}) == ["folding", "reading"]


@pytest.mark.skipif(
    not BANK_FULL.exists(), reason=f"the UCI bank data is not at {BANK_FULL}"
)
def test_the_uci_bank_data_is_imported(importer):
    """45,211 clients, none rejected; `duration` and `y` are no attributes of ours."""
    summary = importer.load_file(BANK_FULL, BANK_ATTRIBUTES, ("#row",))

    assert (
        summary.rows,
        summary.contacts,
        summary.duplicates,
        summary.rejected_rows,
    ) == (45_211, 45_211, 0, 0)
    assert (
        summary.ignored_columns,
        summary.missing_attributes,
    ) == (("duration", "y"), ())
    reader = ProfileReader(importer.store, "bank", BANK_ATTRIBUTES, None)
    with BANK_FULL.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number in (1, 2, 20_000, 45_211):
        row = rows[number - 1]
        shown = {True: "yes", False: "no"}
        slots = [
            shown.get(s, s) if type(s) is bool else s for s in reader.get(f"{number}")
        ]
        assert [row[name] for name in TYPES] == [str(slot) for slot in slots]
    ages = [slots[0] for _, slots in importer.store.scan("bank", BANK_ATTRIBUTES, None)]
    assert sum(int(row["age"]) for row in rows) == sum(ages)
