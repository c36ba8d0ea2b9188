"""Proposition ids: they lead back to their propositions, and nobody can make one up."""

import hmac
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.proposition_ids import (
    PROPOSITION_ID_CHARACTERS,
    PropositionPlace,
    decode_proposition_id,
    encode_proposition_id,
)
from contact_store.records import PropositionStatus
from tests.test_history import NEW

KEYS = {1: b"one" * 11, 7: b"two" * 11}
PLACE = PropositionPlace(3, 2**40, 17)
GOOD = encode_proposition_id(PLACE, 7, KEYS[7])
ALPHABET = string.ascii_letters + string.digits + "-_"

places = st.builds(
    PropositionPlace,
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
)
repeatable = settings(derandomize=True, deadline=None)


@repeatable
@given(place=places, key_id=st.sampled_from(sorted(KEYS)))
def test_an_id_leads_back_to_its_place(place, key_id):
    """Whichever of the keys made it; it needs no escaping anywhere."""
    made = encode_proposition_id(place, key_id, KEYS[key_id])

    assert place == decode_proposition_id(made, KEYS)
    assert len(made) == PROPOSITION_ID_CHARACTERS
    assert set(made) <= set(ALPHABET)
    assert made.startswith("AQ")


def test_no_other_character_anywhere_is_accepted():
    """Every character at every position counts, so every bit does."""
    accepted = [
        GOOD[:position] + other + GOOD[position + 1 :]
        for position in range(len(GOOD))
        for other in {*ALPHABET, "+", "/", "=", " ", "\n", "é"} - {GOOD[position]}
        if _is_known(GOOD[:position] + other + GOOD[position + 1 :])
    ]

    assert accepted == []


@repeatable
@given(text=st.text() | st.text(ALPHABET, min_size=32, max_size=32))
@example(text=GOOD + "=")
@example(text=GOOD + "\n")
@example(text=" " + GOOD)
@example(text=GOOD[:-1])
@example(text=GOOD.replace("A", "\u0410"))
@example(text="")
def test_no_other_text_is_accepted(text):
    """Random texts, and near misses that a lenient decoder would let pass."""
    assume(text != GOOD)

    assert not _is_known(text)


@repeatable
@given(place=places, key=st.binary(min_size=32, max_size=32))
def test_an_id_made_with_another_key_is_not_accepted(place, key):
    """The shape is right and the tag is not."""
    assume(key not in KEYS.values())

    assert not _is_known(encode_proposition_id(place, 7, key))
    assert not _is_known(encode_proposition_id(place, 8, key))


def test_another_version_is_not_accepted():
    """Its bytes would mean something else, though the key be ours."""
    packed = b"\x02" + urlsafe_b64decode(GOOD)[1:16]
    tag = hmac.digest(KEYS[7], packed, "sha256")[:8]

    assert not _is_known(urlsafe_b64encode(packed + tag).decode())


def test_an_id_of_a_sequence_that_is_not_there_is_unknown(tmp_path):
    """Though its tag is good: the proposition may have been erased."""
    with HistoryStore(tmp_path, random_bytes=lambda count: b"k" * count) as store:
        with store.transaction() as txn:
            txn.append("bank", "C1", NEW, NEW)
        for place in ((1, 1, 0), (1, 1, 3), (1, 2, 1), (2, 1, 1)):
            made = encode_proposition_id(PropositionPlace(*place), 1, b"k" * 32)
            with pytest.raises(UnknownProposition), store.transaction() as txn:
                txn.update(made, PropositionStatus.ACCEPTED, None, 2_000)


def test_another_store_does_not_know_the_id(tmp_path):
    """Each store has its own random key."""
    with (
        HistoryStore(tmp_path / "one") as one,
        HistoryStore(tmp_path / "two") as two,
    ):
        for store in (one, two):
            with store.transaction() as txn:
                made = txn.append("bank", "C1", NEW)
        with pytest.raises(UnknownProposition), one.transaction() as txn:
            _accept(txn, made)
        with two.transaction() as txn:
            _accept(txn, made)


def test_old_ids_stay_good_when_a_key_is_added(tmp_path):
    """In the process that adds it, and after opening the store again."""
    with HistoryStore(tmp_path) as store:
        with store.transaction() as txn:
            txn.decided_at(NEW.decided_at_ms)
            old = txn.append("bank", "C1", NEW)
        store.begin_again()
        with store.transaction() as txn:
            new = txn.append("bank", "C1", NEW)
    with HistoryStore(tmp_path) as store, store.transaction() as txn:
        statuses = [_accept(txn, made).status for made in (old, new)]

    assert statuses == [PropositionStatus.ACCEPTED] * 2
    assert old[0].proposition_id[:4] != new[0].proposition_id[:4]


def test_keys_come_from_the_given_source(tmp_path):
    """Randomness is injected, and asked for once per key."""
    asked = []

    def random_bytes(count):
        asked.append(count)
        return b"k" * count

    for _ in range(2):
        with (
            HistoryStore(tmp_path, random_bytes=random_bytes) as store,
            store.transaction() as txn,
        ):
            ((proposition_id, _),) = txn.append("bank", "C1", NEW)

    assert asked == [32]
    assert PropositionPlace(1, 1, 2) == decode_proposition_id(
        proposition_id, {1: b"k" * 32}
    )


def _is_known(text):
    try:
        decode_proposition_id(text, KEYS)
    except UnknownProposition:
        return False
    return True


def _accept(txn, made):
    return txn.update(made[0].proposition_id, PropositionStatus.ACCEPTED, None, 2_000)
