"""Tokens and identities: made once, kept as hashes, listed and taken back."""

import json
import re
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.access.access_list import (
    IDENTITIES_MAX,
    LIST_BYTES_MAX,
    TOKENS_MAX,
    AccessError,
    AccessList,
    Identity,
    Token,
    change_access_list,
    read_access_list,
    with_identity,
    with_token,
    without_identity,
    without_token,
)
from server.access.roles import Role
from server.access.tokens import hash_of, id_of, is_text_of, new_token
from tests.servers import run


def token(number: int = 1, name: str = "web", role: Role = Role.AUDITOR) -> Token:
    return Token(f"{number:012x}", name, role, "0" * 64, 0, None)


def identity(certificate: str = "spiffe://bank/web", name: str = "web") -> Identity:
    return Identity(certificate, name, Role.AUDITOR, 0)


def test_a_token_names_itself_and_its_id_and_has_256_random_bits() -> None:
    """A scanner for secrets finds it; the id is the part that may be shown."""
    asked = list[int]()

    def counting(size: int) -> bytes:
        asked.append(size)
        return bytes(range(size))

    made = new_token(counting)

    assert asked == [6, 32]
    assert made.id == "000102030405"
    assert re.fullmatch(f"propono_{made.id}_[0-9a-f]{{64}}", made.text)
    assert id_of(made.text) == made.id


def test_only_the_whole_text_is_the_token() -> None:
    """Another secret, a shorter one, or the text of a token nobody has, is not."""
    made = new_token(bytes)
    kept = Token(made.id, "web", Role.AUDITOR, hash_of(made.text), 0, None)
    other = made.text[:-1] + "1"

    assert is_text_of(made.text, kept)
    assert not is_text_of(other, kept)
    assert not is_text_of(made.text, None)
    assert [id_of(made.text[:-1]), id_of(made.text + "\n"), id_of("")] == [None] * 3


@given(st.text(max_size=200))
@settings(derandomize=True)
def test_whatever_is_sent_is_not_a_token(text: str) -> None:
    """Any text is answered, and none by an error."""
    assert id_of(text) is None
    assert not is_text_of(text, token())


def test_several_tokens_of_one_name_are_good_at_once() -> None:
    """That is how they rotate: the next, and then without the first."""
    access = with_token(with_token(AccessList(), token(1)), token(2))

    assert without_token(access, token(1).id).tokens == (token(2),)


def test_a_caller_has_one_role() -> None:
    """Of tokens and certificates together."""
    access = with_token(AccessList(), token(role=Role.DECISION_CLIENT))
    with pytest.raises(AccessError, match="'web' is decision_client already"):
        with_token(access, token(2, role=Role.AUDITOR))
    with pytest.raises(AccessError, match="'web' is decision_client already"):
        with_identity(access, identity())


@pytest.mark.parametrize("name", ["", "admin", "anyone", "Web", "-a", "a" * 65, "a b"])
def test_names_of_callers_are_short_and_not_taken(name: str) -> None:
    """They stand in logs, and beside the names of those who need no token."""
    with pytest.raises(AccessError, match="cannot name a caller"):
        with_token(AccessList(), token(name=name))


@pytest.mark.parametrize("certificate", ["", "a" * 513, "a\nb"])
def test_names_of_certificates_are_bounded(certificate: str) -> None:
    """And printable."""
    with pytest.raises(AccessError, match="printable"):
        with_identity(AccessList(), identity(certificate))


def test_the_list_is_bounded() -> None:
    """Servers hold all of it in memory; whatever is legal can be read again."""
    tokens = tuple(token(number, "n" * 64) for number in range(TOKENS_MAX))
    identities = tuple(
        identity(f"{number:0512}", "n" * 64) for number in range(IDENTITIES_MAX)
    )
    full = AccessList(tokens, identities)
    with pytest.raises(AccessError, match="revoke one first"):
        with_token(full, token(TOKENS_MAX, "n" * 64))
    with pytest.raises(AccessError, match="remove one first"):
        with_identity(full, identity())

    assert len(json.dumps(json.loads(_encoded(full)), indent=2)) < LIST_BYTES_MAX


def _encoded(access: AccessList) -> bytes:
    import msgspec

    return msgspec.json.encode(access)


def test_what_is_not_there_cannot_be_taken_away() -> None:
    """The mistake is named, with where to look."""
    with pytest.raises(AccessError, match="propono tokens list"):
        without_token(AccessList(), "000000000001")
    with pytest.raises(AccessError, match="propono identities list"):
        without_identity(AccessList(), "spiffe://bank/web")


def test_a_certificate_has_one_role() -> None:
    """The second one is refused, not chosen among."""
    access = with_identity(AccessList(), identity())
    with pytest.raises(AccessError, match="has a role already"):
        with_identity(access, identity(name="other"))

    assert without_identity(access, identity().certificate) == AccessList()


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    """The list on disk stays as it was."""
    folder = tmp_path / "access"
    change_access_list(folder, lambda access: with_token(access, token()))
    before = (folder / "list.json").read_bytes()
    with pytest.raises(AccessError):
        change_access_list(folder, lambda access: without_token(access, "x"))

    assert (folder / "list.json").read_bytes() == before
    assert read_access_list(folder).tokens == (token(),)


def _add_tokens(folder: Path, first: int, count: int) -> None:
    for number in range(first, first + count):
        change_access_list(folder, lambda a, n=number: with_token(a, token(n)))


def test_changes_by_several_processes_are_all_kept(tmp_path: Path) -> None:
    """One after the other, whoever makes them."""
    spawn = get_context("spawn")
    folder = tmp_path / "access"
    processes = [
        spawn.Process(target=_add_tokens, args=(folder, 100 * p, 20)) for p in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    expected = {token(100 * p + n).id for p in range(3) for n in range(20)}
    assert {each.id for each in read_access_list(folder).tokens} == expected


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"tokens":[{}]}', '{"format":2}', '{"extra":1}', "[]", "x" * 5_000_000],
)
def test_a_damaged_list_is_an_error_not_an_empty_one(tmp_path: Path, text: str) -> None:
    """Or a bad file would take away, or give, what nobody decided."""
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(AccessError, match=r"list\.json"):
        read_access_list(tmp_path)


def test_commands_make_list_and_revoke_tokens(tmp_path: Path) -> None:
    """The secret is printed once, and is nowhere on the disk."""
    made = run(
        "tokens", "create", "--role", "auditor", "--name", "eve", "--data", tmp_path
    )
    text = made.strip()
    again = json.loads(
        run(
            *("tokens", "create", "--role", "auditor", "--expires", "never"),
            *("--data", tmp_path, "--output", "json"),
        )
    )
    listed = run("tokens", "list", "--data", tmp_path, "--output", "json")
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    stored = b"".join(p.read_bytes() for p in files)

    assert again["expires"] == "never"
    assert [row["id"] for row in json.loads(listed)] == [id_of(text), again["id"]]
    assert text.rpartition("_")[2] not in listed
    assert text.rpartition("_")[2].encode() not in stored
    assert hash_of(text).encode() in stored
    assert {p.stat().st_mode & 0o777 for p in files} == {0o600}

    run("tokens", "revoke", id_of(text), "--data", tmp_path)
    left = json.loads(run("tokens", "list", "--data", tmp_path, "--output", "json"))
    assert [row["id"] for row in left] == [again["id"]]


def test_commands_give_certificates_a_role(tmp_path: Path) -> None:
    """And take it away."""
    name = "spiffe://bank/web"
    data = ("--data", tmp_path)
    run("identities", "add", name, "--role", "decision_client", "--name", "web", *data)
    listed = json.loads(run("identities", "list", *data, "--output", "json"))
    run("identities", "remove", name, *data)
    left = json.loads(run("identities", "list", *data, "--output", "json"))

    assert [(row["certificate"], row["role"]) for row in listed] == [
        (name, "decision_client")
    ]
    assert left == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--role", "king"), 2),
        (("--role", "auditor", "--expires", "0d"), 2),
        (("--role", "auditor", "--expires", "3651d"), 2),
        (("--role", "auditor", "--expires", "soon"), 2),
        (("--role", "auditor", "--name", "admin"), 1),
        (("--role", "auditor", "--name", ""), 1),
    ],
)
def test_commands_refuse_what_cannot_be(
    tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    """Wrong usage is 2, a refusal 1; nothing is stored."""
    run("tokens", "create", *arguments, "--data", tmp_path, status=status)

    assert not (tmp_path / "access" / "list.json").exists()


def test_no_data_folder_is_made_up(tmp_path: Path) -> None:
    """A token in a folder that nobody serves would be a riddle."""
    said = run(
        *("tokens", "create", "--role", "auditor", "--data", tmp_path / "typo"),
        status=1,
    )

    assert "give a server's data folder" in said
