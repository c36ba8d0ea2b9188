"""Keys: made, trusted, revoked; and what signatures they count for."""

import json
from pathlib import Path

import pytest

from catalog_store.keys import InvalidKey, PrivateKey, public_pem, read_public_key
from catalog_store.revisions import Revisions, UntrustedRevision
from catalog_store.signatures import Purpose, sign, verify
from catalog_store.trust import (
    TRUSTED_KEYS_MAX,
    DamagedTrust,
    TrustStore,
    Untrusted,
)
from tests.bank import NOON_MS, environment, offer, publish
from tests.servers import run


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    return TrustStore(tmp_path / "keys")


def trusted(store: TrustStore, **times: int) -> PrivateKey:
    key = PrivateKey.generate()
    store.trust(key.public, name="build", **{"valid_from_ms": 0, **times})
    return key


def test_a_pair_of_keys_is_made_trusted_and_revoked(tmp_path: Path) -> None:
    """The private one is its owner's alone, and nothing is replaced."""
    made = json.loads(run("keys", "generate", "--out", tmp_path, "--output", "json"))
    data = ("--data", tmp_path / "data", "--output", "json")
    public = tmp_path / "propono.pub"

    assert (tmp_path / "propono.key").stat().st_mode & 0o777 == 0o600
    assert PrivateKey.read(tmp_path / "propono.key").public == read_public_key(public)
    assert "nothing is replaced" in run("keys", "generate", "--out", tmp_path, status=1)

    run("keys", "trust", public, "--until", "2099-01-01", *data)
    (listed,) = json.loads(run("keys", "list", *data))
    assert (listed["key_id"], listed["standing"]) == (made["key_id"], "valid")
    assert listed["valid_until"] == "2099-01-01T00:00:00+00:00"

    run("keys", "trust", public, "--until", "2020-01-01", *data)
    (listed,) = json.loads(run("keys", "list", *data))
    assert listed["standing"] == "has expired"

    run("keys", "revoke", made["key_id"][:8], *data)
    (listed,) = json.loads(run("keys", "list", *data))
    assert listed["standing"] == "is revoked"
    said = run("keys", "trust", public, *data, status=1)
    assert "was revoked: it is never trusted again" in said


def test_what_is_no_key_is_refused_by_name(tmp_path: Path) -> None:
    """A private key is not trusted, a public one does not sign, noise is neither."""
    key = PrivateKey.generate()
    key.write(tmp_path / "private")
    (tmp_path / "public").write_bytes(public_pem(key.public))
    (tmp_path / "noise").write_bytes(b"\x00" * 5_000)
    data = ("--data", tmp_path / "data")

    assert "not a public key" in run(
        "keys", "trust", tmp_path / "private", *data, status=1
    )
    assert "larger than 4096 bytes" in run(
        "keys", "trust", tmp_path / "noise", *data, status=1
    )
    with pytest.raises(InvalidKey, match="not a private key"):
        PrivateKey.read(tmp_path / "public")
    assert "is not the id of one key" in run("keys", "revoke", "", *data, status=1)


def test_a_signature_counts_for_one_purpose_and_its_very_bytes(
    store: TrustStore,
) -> None:
    """Whoever may sign artifacts has not signed a revision with it."""
    key = trusted(store)
    data = b"the manifest"
    signature = sign(key, Purpose.ARTIFACT, data)

    assert verify(signature, Purpose.ARTIFACT, data, store.keys()).name == "build"
    with pytest.raises(Untrusted, match="not one of key"):
        verify(signature, Purpose.REVISION, data, store.keys())
    for place in range(len(data) * 8):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Untrusted):
            verify(signature, Purpose.ARTIFACT, bytes(changed), store.keys())
    for place in range(len(signature) * 8):
        forged = bytearray(signature)
        forged[place // 8] ^= 1 << place % 8
        with pytest.raises(Untrusted):
            verify(bytes(forged), Purpose.ARTIFACT, data, store.keys())
    for length in range(len(signature)):
        with pytest.raises(Untrusted):
            verify(signature[:length], Purpose.ARTIFACT, data, store.keys())


def test_a_key_counts_from_its_beginning_to_its_end(store: TrustStore) -> None:
    """Half-open, like all times; a revoked one never does."""
    key = trusted(store, valid_from_ms=100, valid_until_ms=200)
    found = store.keys()[key.key_id]

    for at_ms in (100, 199):
        found.check_valid(at_ms)
    with pytest.raises(Untrusted, match="not valid yet"):
        found.check_valid(99)
    with pytest.raises(Untrusted, match="has expired"):
        found.check_valid(200)
    revoked = store.revoke(key.key_id, 150)
    with pytest.raises(Untrusted, match="is revoked"):
        revoked.check_valid(120)


def test_a_revoked_key_of_the_server_is_replaced(tmp_path: Path) -> None:
    """What it had signed does not count; publishing goes on with another."""
    revisions, _ = publish(tmp_path, environment([offer("card")]))
    first = revisions.trust.own_key()
    assert (tmp_path / "keys" / "own.key").stat().st_mode & 0o777 == 0o600
    revisions.trust.revoke(first.key_id, NOON_MS)
    with pytest.raises(UntrustedRevision, match=r"revision 1: key .* is revoked"):
        revisions.current()

    publish(tmp_path, environment([offer("card")]))

    assert Revisions(tmp_path).current().number == 2
    assert revisions.trust.own_key().key_id != first.key_id
    assert [key.own for key in revisions.trust.keys().values()] == [True, True]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b'{"keys": [{}]}',
        b'{"keys": [], "format": 2}',
        b'{"keys": [], "more": 1}',
        b" " * 70_000,
    ],
)
def test_a_damaged_list_of_keys_trusts_nobody(tmp_path: Path, damage: bytes) -> None:
    """Rather than somebody: the file and the remedy are named."""
    revisions, _ = publish(tmp_path, environment([offer("card")]))
    path = tmp_path / "keys" / "trusted.json"
    path.write_bytes(damage)

    with pytest.raises(DamagedTrust, match=r"trusted.json: .*restore it from a backup"):
        revisions.trust.keys()
    with pytest.raises(UntrustedRevision):
        revisions.current()


def test_a_key_under_another_ones_id_is_damage(store: TrustStore) -> None:
    """Ids are computed, never believed."""
    key = trusted(store)
    path = store.folder / "trusted.json"
    path.write_text(path.read_text().replace(key.key_id, "0" * 32))

    with pytest.raises(DamagedTrust, match="has another public key"):
        store.keys()


def test_the_list_of_keys_and_their_names_are_bounded(store: TrustStore) -> None:
    """More keys than anybody looks at, and names that would move a cursor."""
    for _ in range(TRUSTED_KEYS_MAX):
        key = trusted(store)
    with pytest.raises(InvalidKey, match="which is the most"):
        trusted(store)
    for name in ("", "x" * 101, "a\nb"):
        with pytest.raises(InvalidKey, match="printable"):
            store.trust(key.public, name=name, valid_from_ms=0)
    with pytest.raises(InvalidKey, match="expire before"):
        store.trust(key.public, name="x", valid_from_ms=5, valid_until_ms=5)
