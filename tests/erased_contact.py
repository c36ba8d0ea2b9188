"""A contact of whom everything is kept, and a search for what is left of one.

Every text of the contact begins with `gone`, and every text of the others with `stays`,
so that a byte of either can be found in the files.
"""

import re
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from catalog_store.records import Attribute, AttributeType
from contact_store.answers import RequestKey
from contact_store.contact_ids import ContactName
from contact_store.decision_inputs import DecisionInputs
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.profiles import ProfileStore
from tests.test_history import NEW

NAME = (Attribute(name="name", type=AttributeType.STRING),)
DIGEST = b"digest".ljust(16)
NOW_MS = 3_600_000 * 1_000

GONE = ContactName("bank", "gone-contact")
GONE_BEFORE = ContactName("bank", "gone-merged")
GONE_VISITOR = ContactName("web", "gone-visitor")
STAYS = ContactName("bank", "stays-contact")


class Stores(NamedTuple):
    """Both stores of one folder."""

    folder: Path
    history: HistoryStore
    profiles: ProfileStore


def request(text: str) -> RequestKey:
    return RequestKey("web", "Propose", "bank", text)


def decide(stores: Stores, name: ContactName, text: str) -> str:
    """What a recorded decision leaves of a contact; the proposition's id."""
    with stores.history.transaction() as txn:
        key = request(text)
        assert txn.answer(key, DIGEST, NOW_MS) is None
        before = txn.contact(*name)
        proposition = replace(NEW, stored={"note": f"{text}-stored"})
        ((proposition_id, _),) = txn.append(*name, proposition)
        inputs = DecisionInputs(
            interaction=name_hash(text),
            engine_version=1,
            revision=1,
            environment=name.environment,
            contact_id=name.contact_id,
            contact={"name": f"{text}-attribute"},
            context={},
            history=before.propositions,
            history_version=before.version,
            spaces=(),
            at_ms=NOW_MS,
            decided_at_ms=NOW_MS,
            excluded=(),
            allow_duplicates=False,
            record_sha256=b"",
        )
        txn.keep_inputs(*name, inputs)
        answer = f"{proposition_id} {text}-answer".encode()
        txn.keep_answer(key, DIGEST, answer, NOW_MS)
    return proposition_id


def fill(stores: Stores) -> dict[ContactName, list[str]]:
    """A contact, one merged into it, a visitor of both, and somebody else.

    Returns the ids of their propositions.
    """
    names = (GONE, GONE_BEFORE, GONE_VISITOR, STAYS)
    ids: dict[ContactName, list[str]] = {}
    for name in names:
        text = name.contact_id
        stores.profiles.upsert(*name, NAME, [f"{text}-profile"])
        ids[name] = [decide(stores, name, f"{text}-{n}") for n in range(2)]
    with stores.history.transaction() as txn:
        txn.merge(GONE_BEFORE, GONE)
        txn.bind_visitor(*GONE_BEFORE, *GONE_VISITOR, NOW_MS)
    ids[GONE_VISITOR].append(decide(stores, GONE_VISITOR, "gone-visitor-after"))
    return ids


def left_in_files(stores: Stores, texts: list[str]) -> list[str]:
    """Which texts are in the compacted copies of both stores, in any case."""
    found: set[str] = set()
    for store in (stores.history, stores.profiles):
        copy = stores.folder / f"copy-of-{type(store).__name__}"
        copy.mkdir()
        store.lmdb_env.copy(str(copy), compact=True)
        data = (copy / "data.mdb").read_bytes()
        found |= {text for text in texts if text.encode() in data}
        found |= {one.decode() for one in re.findall(rb"gone[\w-]*", data)}
    return sorted(found)
