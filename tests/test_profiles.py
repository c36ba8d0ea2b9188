"""Profiles: what is stored is what is read, whatever layout and layer it is in."""

import subprocess
import sys
from pathlib import Path

import pytest

from catalog_store.records import Attribute, AttributeType
from contact_store.contact_ids import CONTACT_ID_BYTES_MAX
from contact_store.errors import (
    CorruptRecord,
    ImportInProgress,
    InvalidContactId,
    InvalidProfile,
)
from contact_store.profile_layers import read_layers
from contact_store.profile_reader import ProfileReader
from contact_store.profiles import ProfileStore
from contact_store.slots import DURATION_MAX_US, LIST_MAX, STRING_BYTES_MAX

ROOT = Path(__file__).parent.parent
ABSENT = object()
AGE = Attribute(name="age", type=AttributeType.INT)
JOB = Attribute(name="job", type=AttributeType.STRING)
TAGS = Attribute(name="tags", type=AttributeType.STRING_LIST)


@pytest.fixture
def store(tmp_path):
    with ProfileStore(tmp_path / "profiles") as opened:
        yield opened


def read(store, attributes, contact_id, environment="bank"):
    return ProfileReader(store, environment, attributes, ABSENT).get(contact_id)


def stored_entries(store):
    return store.lmdb_env.stat()["entries"]


def test_a_profile_is_read_as_it_was_stored(store):
    """Each type comes back as itself; lists come back as tuples."""
    values = {
        AttributeType.BOOL: False,
        AttributeType.INT: -(2**63),
        AttributeType.DOUBLE: 5.0,
        AttributeType.STRING: "naïve",
        AttributeType.TIMESTAMP: -62_135_596_800_000_000,
        AttributeType.DURATION: DURATION_MAX_US,
        AttributeType.BOOL_LIST: (True, False),
        AttributeType.INT_LIST: (2**63 - 1,),
        AttributeType.DOUBLE_LIST: (),
        AttributeType.STRING_LIST: ("a", ""),
    }
    attributes = [
        Attribute(name=f"a{place}", type=kind) for place, kind in enumerate(values)
    ]

    store.upsert("bank", "C1", attributes, list(values.values()))

    slots = read(store, attributes, "C1")
    assert tuple(values.values()) == slots
    assert [type(value) for value in values.values()] == [type(slot) for slot in slots]


def test_absent_values_are_the_sentinel(store):
    """None is stored, and what the reader declared absent is read."""
    store.upsert("bank", "C1", [AGE, JOB], [None, "clerk"])

    assert read(store, [AGE, JOB], "C1") == (ABSENT, "clerk")


def test_a_reader_takes_its_own_attributes_in_its_own_order(store):
    """Another layout is reordered; what it lacks, and other types, are absent."""
    store.upsert("bank", "C1", [AGE, JOB, TAGS], [30, "clerk", ["x"]])
    age_as_text = Attribute(name="age", type=AttributeType.STRING)
    city = Attribute(name="city", type=AttributeType.STRING)

    assert read(store, [TAGS, JOB], "C1") == (("x",), "clerk")
    assert read(store, [age_as_text, city], "C1") == (ABSENT, ABSENT)


def test_profiles_of_several_layouts_are_read_by_one_reader(store):
    """Each profile keeps the layout it was stored with."""
    store.upsert("bank", "C1", [AGE, JOB], [30, "clerk"])
    store.upsert("bank", "C2", [JOB, AGE], ["nurse", 40])
    store.upsert("bank", "C3", [AGE], [50])
    reader = ProfileReader(store, "bank", [AGE, JOB], ABSENT)

    read_back = [reader.get(contact) for contact in ("C1", "C2", "C3", "C1")]

    assert read_back == [(30, "clerk"), (40, "nurse"), (50, ABSENT), (30, "clerk")]


def test_no_profile_is_none(store):
    """Unknown contacts and unknown environments have none, nor have prefixes."""
    store.upsert("bank", "C1", [AGE], [30])

    assert read(store, [AGE], "C2") is None
    assert read(store, [AGE], "C1", environment="shop") is None
    assert read(store, [AGE], "C", environment="bank") is None


def test_an_old_reader_sees_a_new_environment(store):
    """A reader made before the first profile finds it later."""
    reader = ProfileReader(store, "bank", [AGE], ABSENT)
    before = reader.get("C1")

    store.upsert("bank", "C1", [AGE], [30])

    assert before is None
    assert reader.get("C1") == (30,)


def test_delete_says_whether_there_was_a_profile(store):
    """A deleted profile is gone, and deleting it again is told."""
    store.upsert("bank", "C1", [AGE], [30])

    assert [store.delete("bank", "C1"), store.delete("bank", "C1")] == [True, False]
    assert store.delete("shop", "C1") is False
    assert read(store, [AGE], "C1") is None
    assert store.count("bank") == 0


@pytest.mark.parametrize(
    "contact_id",
    ["", "x" * (CONTACT_ID_BYTES_MAX + 1), "é" * 129, "a\nb", "\0", "\ud800"],
)
def test_what_cannot_be_a_contact_id_is_refused(store, contact_id):
    """Empty, too long in bytes, control characters and lone surrogates."""
    with pytest.raises(InvalidContactId):
        store.upsert("bank", contact_id, [AGE], [30])
    with pytest.raises(InvalidContactId):
        read(store, [AGE], contact_id)


def test_the_longest_contact_id_is_stored(store):
    """256 bytes are allowed."""
    contact_id = "é" * (CONTACT_ID_BYTES_MAX // 2)

    store.upsert("bank", contact_id, [AGE], [30])

    assert read(store, [AGE], contact_id) == (30,)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (AttributeType.BOOL, 1),
        (AttributeType.INT, True),
        (AttributeType.INT, 2**63),
        (AttributeType.INT, 1.0),
        (AttributeType.DOUBLE, 1),
        (AttributeType.DOUBLE, float("nan")),
        (AttributeType.DOUBLE, float("inf")),
        (AttributeType.STRING, b"x"),
        (AttributeType.STRING, "\ud800"),
        (AttributeType.STRING, "é" * (STRING_BYTES_MAX // 2 + 1)),
        (AttributeType.TIMESTAMP, 253_402_300_800_000_000),
        (AttributeType.DURATION, DURATION_MAX_US + 1),
        (AttributeType.INT_LIST, ["x"]),
        (AttributeType.INT_LIST, 1),
        (AttributeType.INT_LIST, [None]),
        (AttributeType.INT_LIST, [1] * (LIST_MAX + 1)),
    ],
)
def test_a_value_of_another_type_is_refused(store, kind, value):
    """Nothing enters a profile that its attribute's type does not allow."""
    with pytest.raises(InvalidProfile, match="wrong: not a "):
        store.upsert("bank", "C1", [Attribute(name="wrong", type=kind)], [value])
    assert store.count("bank") == 0


def test_all_wrong_values_are_named_at_once(store):
    """One refusal lists every attribute at fault."""
    with pytest.raises(InvalidProfile, match=r"^age: not a int; job: not a string$"):
        store.upsert("bank", "C1", [AGE, JOB], ["x", 1])


def test_a_profile_too_big_is_refused(store):
    """The whole is bounded, not only each value."""
    texts = [Attribute(name=f"t{n}", type=AttributeType.STRING) for n in range(17)]

    with pytest.raises(InvalidProfile, match="65536"):
        store.upsert("bank", "C1", texts, ["x" * STRING_BYTES_MAX] * 17)


def test_a_damaged_profile_is_never_used(tmp_path):
    """One flipped bit in the file is an error that names the key."""
    path = tmp_path / "profiles"
    with ProfileStore(path) as store:
        store.upsert("bank", "C1", [JOB], ["unmistakable"])
    data = (path / "data.mdb").read_bytes()
    assert b"unmistakable" in data
    (path / "data.mdb").write_bytes(data.replace(b"unmistakable", b"unmistakabme"))

    with (
        ProfileStore(path) as store,
        pytest.raises(CorruptRecord, match=b"C1".hex()),
    ):
        read(store, [JOB], "C1")


def test_an_import_is_invisible_until_it_is_published(store):
    """All of it appears at once, over what was there."""
    store.upsert("bank", "C1", [AGE], [30])
    reader = ProfileReader(store, "bank", [AGE], ABSENT)

    with store.importing("bank", [AGE]) as into:
        for number in range(1, 6_001):
            into.put(f"C{number}", [number])
        unpublished = [reader.get("C1"), reader.get("C2"), store.count("bank")]
        into.publish()

    assert unpublished == [(30,), None, 1]
    assert [
        reader.get("C1"),
        reader.get("C6000"),
        store.count("bank"),
    ] == [(1,), (6_000,), 6_000]


def test_an_import_left_without_publishing_leaves_no_trace(store):
    """Neither a profile nor a byte of one."""
    store.upsert("bank", "C1", [AGE], [30])
    with store.importing("bank", [AGE]) as into:
        into.publish()
    before = stored_entries(store)

    def import_and_fail():
        with store.importing("bank", [AGE]) as into:
            for number in range(12_000):
                into.put(f"C{number}", [number])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_and_fail()

    assert before == stored_entries(store)
    assert store.count("bank") == 1


def test_a_contact_put_twice_is_as_the_last_put_said(store):
    """Within a batch and across batches; both are counted."""
    with store.importing("bank", [AGE]) as into:
        for number in range(6_000):
            into.put(f"C{number % 5_500}", [number])
        into.publish()

    assert (into.contacts, into.duplicates) == (5_500, 500)
    assert read(store, [AGE], "C499") == (5_999,)


def test_an_interrupted_fold_shows_each_contact_once_and_is_resumed(store):
    """Two layers read as one, and the next import makes one of them."""
    for number in range(10):
        store.upsert("bank", f"C{number}", [AGE], [number])

    def stop(_):
        raise KeyboardInterrupt

    def import_and_stop():
        with store.importing("bank", [AGE]) as into:
            for number in range(5, 15):
                into.put(f"C{number}", [100 + number])
            into.publish(stop)

    with pytest.raises(KeyboardInterrupt):
        import_and_stop()

    with store.lmdb_env.begin() as txn:
        assert len(read_layers(txn).visible) == 2
    assert store.count("bank") == 15
    assert [read(store, [AGE], c) for c in ("C4", "C5")] == [(4,), (105,)]

    store.upsert("bank", "C5", [AGE], [7])
    store.delete("bank", "C6")
    store.fold()

    with store.lmdb_env.begin() as txn:
        assert len(read_layers(txn).visible) == 1
    assert [read(store, [AGE], contact) for contact in ("C5", "C6")] == [(7,), None]
    assert store.count("bank") == 14


def test_only_one_import_at_a_time(store):
    """A second import into the same store is told to wait."""
    with store.importing("bank", [AGE]) as into:
        with pytest.raises(ImportInProgress), store.importing("shop", [AGE]):
            pass
        into.put("C1", [1])
        into.publish()

    assert store.count("bank") == 1


def test_a_scan_is_in_order_and_spans_batches(store):
    """Every contact once, over layers and over the limits of a read transaction."""
    with store.importing("bank", [AGE]) as into:
        for number in range(2_500):
            into.put(f"C{number:05d}", [number])
        into.publish()

    scanned = list(store.scan("bank", [AGE, JOB], ABSENT))

    assert [(f"C{n:05d}", (n, ABSENT)) for n in range(2_500)] == scanned


def test_a_scan_over_two_layers_misses_nobody(store):
    """Where one layer's batch ends before the other's begins."""

    def stop(_):
        raise KeyboardInterrupt

    def load(numbers, on_moved):
        with store.importing("bank", [AGE]) as into:
            for number in numbers:
                into.put(f"C{number:05d}", [number])
            into.publish(on_moved)

    load(range(0, 6_000, 2), stop)
    with pytest.raises(KeyboardInterrupt):
        load(range(1_401, 5_601, 4), stop)

    expected = sorted({*range(0, 6_000, 2), *range(1_401, 5_601, 4)})
    assert [number for _, (number,) in store.scan("bank", [AGE], None)] == expected


KILLED_IMPORT = """
import sys
from pathlib import Path
from catalog_store.records import Attribute, AttributeType
from contact_store.profiles import ProfileStore

age = Attribute(name="age", type=AttributeType.INT)
with ProfileStore(Path(sys.argv[1])) as store, store.importing("bank", [age]) as into:
    for number in range(12_000):
        into.put(f"C{number}", [-1])
    print("written", flush=True)
    sys.stdin.read()
"""

PUBLISHED_IMPORT = """
import sys
from pathlib import Path
from catalog_store.records import Attribute, AttributeType
from contact_store.profiles import ProfileStore

age = Attribute(name="age", type=AttributeType.INT)
with ProfileStore(Path(sys.argv[1])) as store, store.importing("bank", [age]) as into:
    for number in range(100):
        into.put(f"C{number}", [number + 1_000])
    into.publish()
"""


def test_a_killed_import_leaves_nothing_visible_and_the_next_drops_it(tmp_path):
    """kill -9 in the middle of an import; the next import starts from the old state."""
    path = tmp_path / "profiles"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED_IMPORT, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"written\n"
        child.kill()

    with ProfileStore(path) as store:
        left = stored_entries(store)
        visible = store.count("bank")
        with store.importing("bank", [AGE]) as into:
            into.put("C1", [1])
            into.publish()

        assert left > 10_000
        assert visible == 0
        assert read(store, [AGE], "C1") == (1,)
        assert stored_entries(store) < 20


def test_a_reader_sees_an_import_of_another_process(store):
    """Without being opened again."""
    store.upsert("bank", "C1", [AGE], [30])
    reader = ProfileReader(store, "bank", [AGE], ABSENT)
    before = reader.get("C1")

    subprocess.run(
        [sys.executable, "-c", PUBLISHED_IMPORT, str(store.path)], cwd=ROOT, check=True
    )

    assert before == (30,)
    assert [reader.get("C1"), reader.get("C99")] == [(1_001,), (1_099,)]
