"""Loading a revision in small steps, and giving it back in small steps."""

import asyncio
import gc
import logging
import os
import sys
import weakref
from collections.abc import Generator
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.records import Window
from catalog_store.revision_file.windows import OpenWindow, ends, window_parts
from compiler.runtime.linker import LinkedRule
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.decision_service import DecisionService
from server.engine.decision import decide
from server.live.collector import full_collections_put_off
from server.live.released import release_in_steps
from server.live.windows import OpenSets
from server.live_loading import load_in_steps
from server.resource_names import known_names
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell, follow, load_current, system_sources
from tests.bank import (
    NOON_MS,
    call,
    chosen,
    environment,
    live,
    names,
    offer,
    publish,
    row,
    space,
)

#: Objects that one step may make or free; 16 bytes to some kilobytes each.
BLOCKS_MAX = 8_000


def _offers(count: int) -> list[Any]:
    # Equal rules compile once: these catalogs are about offers.
    return [
        offer(f"offer_{n}", row(n + 1, rule="contact.age >= 18")) for n in range(count)
    ]


def _blocks_of(steps: Generator[None, None, Any]) -> tuple[Any, list[int]]:
    """What a generator returns, and how many objects came or went in each step."""
    blocks: list[int] = []
    before = sys.getallocatedblocks()
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value, blocks
        finally:
            after = sys.getallocatedblocks()
            blocks.append(abs(after - before))
            before = after


def test_no_step_makes_many_objects(tmp_path: Path) -> None:
    """Twice the offers are twice the steps, not longer ones; giving back likewise."""
    counts: list[int] = []
    for size in (3_000, 6_000):
        revisions, manifest = publish(tmp_path / str(size), environment(_offers(size)))
        revision = revisions.open(manifest)
        gc.collect()
        gc.disable()
        try:
            catalog, made = _blocks_of(load_in_steps(revision, manifest))
            held = [catalog]
            del catalog
            _, freed = _blocks_of(release_in_steps(held))
        finally:
            gc.enable()
            revision.close()

        assert held == []
        assert max(made) < BLOCKS_MAX
        assert max(freed) < BLOCKS_MAX
        assert sum(made) > 8 * size
        assert sum(freed) > 6 * size
        counts.append(len(made))

    assert counts[1] > 1.7 * counts[0]


def test_a_large_container_is_copied_and_dropped_a_bit_in_a_step() -> None:
    """Two steps for each 512 of its members, and none of them is left."""
    members = [str(number) for number in range(51_200)]
    before = sys.getallocatedblocks()
    held: list[Any] = [tuple(members)]
    del members
    steps = sum(1 for _ in release_in_steps(held))

    assert sys.getallocatedblocks() < before - 50_000
    assert 200 <= steps <= 220


def test_whoever_still_decides_keeps_what_was_given_back(tmp_path: Path) -> None:
    """A call in progress holds its environment, and nothing in it has changed."""
    catalog = live(tmp_path, environment(_offers(600)))
    asked = call(catalog.environments["bank"], ("banner", 3), contact={"age": 30})
    before = chosen(decide(asked))
    held = [catalog]
    del catalog
    for _ in release_in_steps(held):
        pass

    assert chosen(decide(asked)) == before == [["offer_599", "offer_598", "offer_597"]]


def test_the_names_of_an_environment_go_with_it(tmp_path: Path) -> None:
    """Whoever forgets them last frees nothing: `known_names` holds them weakly."""
    catalog = live(tmp_path, environment(_offers(3)))
    known = known_names(catalog.environments["bank"])
    names_of_bank = weakref.ref(known.of_hash())
    found = set(known.of_hash().values())
    held = [catalog]
    del catalog
    for _ in release_in_steps(held):
        pass

    assert {"offer_0", "offer_1", "offer_2", "all", "banner", "side"} == found
    assert names_of_bank() is None


def test_only_rules_that_decisions_ask_are_linked(tmp_path: Path) -> None:
    """The index answers for the others; those are linked when somebody asks."""
    record = environment(
        [
            offer("plain", row(1, rule="contact.age >= 18")),
            offer("formula", row("contact.balance * 2", rule="contact.age >= 21")),
        ],
        weights=(row(1, rule="contact.job == 'x'"),),
        rule="contact.age > 1",
    )
    bank = live(tmp_path, record).environments["bank"]
    asked = {
        "contact.balance * 2",
        "contact.job == 'x'",
        "contact.age > 1",
    }
    linked = {_text(rule) for rule in bank.rules if _is_linked(rule)}
    waiting = [rule for rule in bank.rules if not _is_linked(rule)]
    slots = {"contact": (30, 5, "x"), "context": (NOON_MS * 1_000, None, None, None)}
    answers = [rule.holds(**slots) for rule in waiting]

    assert asked <= linked
    assert answers == [True] * len(waiting)
    assert len(waiting) == 2
    assert all(map(_is_linked, bank.rules))


def _is_linked(rule: LinkedRule) -> bool:
    slot: Any = LinkedRule.__dict__["fast"]
    try:
        slot.__get__(rule)
    except AttributeError:
        return False
    return True


def _text(rule: LinkedRule) -> str:
    return rule.tree.sources[0][1]


def test_rows_of_weight_0_are_known_and_never_propose(tmp_path: Path) -> None:
    """The index leaves them out; explanations find them in the record's order."""
    card = offer("card", row(0, label="a"), row(2, label="b"), row(3, label="c"))
    idle = offer("idle", row(0, label="d"))
    bank = live(tmp_path, environment([idle, card])).environments["bank"]
    rows = [[own.label for own in rows] for rows in bank.nouns.offer_rows]

    assert rows == [["d"], ["a", "b", "c"]]
    assert list(bank.live_index.rows_of_offer) == [(), (0, 1)]
    assert [own.label for own in bank.live_index.live_rows] == ["c", "b"]
    assert names(bank, ("banner", 5)) == [["card"]]


def test_contents_are_the_fields_of_the_space(tmp_path: Path) -> None:
    """Decoded when asked for, and only of offers that the space can show."""
    from catalog_store.records import ContentField

    fields = (ContentField(name="title", required=True), ContentField(name="image"))
    record = environment(
        [
            offer("a", content={"title": "A", "image": "", "other": "x"}),
            offer("b", content={"image": "b.png"}),
            offer("c", content={"image": "c.png", "title": "C"}),
        ],
        spaces=(space("banner", fields=fields), space("side")),
    )
    contents = live(tmp_path, record).environments["bank"].spaces["banner"].contents

    assert {number: one.fields for number, one in contents.items()} == {
        0: {"title": "A"},
        2: {"title": "C", "image": "c.png"},
    }
    assert (1 in contents, 2 in contents, len(contents)) == (False, True, 2)
    with pytest.raises(KeyError):
        contents[1]


moments = st.none() | st.integers(0, 6)
windows = st.lists(st.tuples(moments, moments), max_size=12)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(windows, st.sampled_from([1, 300]))
def test_open_rows_are_those_whose_window_includes_the_moment(
    drawn: list[tuple[Any, Any]], times: int
) -> None:
    """Whether a window has few rows or many, and whether it ever opens."""
    rows = [ends(Window(start=s, end=e)) for s, e in drawn * times]
    parts = {part.name: list(part.items) for part in window_parts("open", rows)}
    found: list[OpenWindow] = parts["open"]  # type: ignore[assignment]
    (always,) = parts["open.always"]
    sets = OpenSets(always, parts["open.moments"], found, len(rows))  # type: ignore
    for moment in (*range(-1, 8), 3):
        expected = sum(
            1 << number
            for number, (start, end) in enumerate(rows)
            if start <= moment < end
        )

        assert expected == sets.at(moment)
    assert all(window != (-inf, inf) for window in parts["open"])


def test_collections_are_as_before_after_loading() -> None:
    """Whether loading ended well or not."""
    before = gc.get_threshold()
    with full_collections_put_off():
        during = gc.get_threshold()
    gc.unfreeze()
    with pytest.raises(ZeroDivisionError), full_collections_put_off():
        raise ZeroDivisionError

    assert gc.get_threshold() == before
    assert during[:2] == before[:2]
    assert during[2] > 1_000_000
    assert gc.get_freeze_count() == 0


def test_decisions_run_while_a_worker_follows(tmp_path: Path) -> None:
    """Between two steps the loop is free, and at the end the new revision decides."""
    revisions, _ = publish(tmp_path, environment(_offers(2_000)))
    cell = CatalogCell()
    load_current(revisions, cell)
    assert cell.current is not None
    first = weakref.ref(cell.current.environments["bank"].offer_numbers)
    publish(tmp_path, environment(_offers(2_001)))
    seen: list[int] = []

    async def run() -> None:
        following = asyncio.create_task(follow(revisions, cell))
        while not following.done():
            assert cell.current is not None
            seen.append(cell.current.revision)
            await asyncio.sleep(0)

    asyncio.run(run())
    gc.unfreeze()

    assert first() is None
    assert seen == sorted(seen)
    assert seen.count(1) > 20
    assert seen.count(2) > 20
    assert len(cell.current.environments["bank"].offers) == 2_001


def test_a_service_keeps_nothing_of_a_catalog_that_was_replaced(
    tmp_path: Path,
) -> None:
    """What it remembers of requests would keep their spaces, and all that they show."""
    revisions, _ = publish(tmp_path, environment(_offers(50)))
    cell = CatalogCell()
    load_current(revisions, cell)
    assert cell.current is not None
    first = weakref.ref(cell.current.environments["bank"].offer_numbers)
    space = weakref.ref(
        cell.current.environments["bank"].spaces["banner"].contents  # type: ignore
    )
    publish(tmp_path, environment(_offers(51)))
    with (
        HistoryStore(tmp_path / "history") as history,
        ProfileStore(tmp_path / "profiles") as profiles,
    ):
        service = DecisionService(cell, history, profiles, system_sources())
        request = pb.ProposeRequest(contact_id="ann", dry_run=True)
        request.spaces.add(space="banner")
        service.propose(request, "anyone")
        asyncio.run(follow(revisions, cell, forget=service.forget))
        gc.unfreeze()

        assert (first(), space()) == (None, None)
        assert service.propose(request, "anyone")


def test_the_revision_that_decides_is_not_loaded_again(tmp_path: Path) -> None:
    """Whoever is told of it twice goes on with it."""
    revisions, _ = publish(tmp_path, environment(_offers(5)))
    cell = CatalogCell()
    load_current(revisions, cell)
    before, told = cell.current, list[tuple[int, int]]()

    asyncio.run(follow(revisions, cell, lambda *one: told.append(one)))

    assert cell.current is before is not None
    assert told == [(before.revision, 0)]


def test_a_damaged_chunk_leaves_the_revision_before_deciding(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Found anywhere in loading it is logged with the remedy, and nothing switches."""
    revisions, _ = publish(tmp_path, environment(_offers(50)))
    cell = CatalogCell()
    load_current(revisions, cell)
    before = cell.current
    _, damaged = publish(tmp_path, environment(_offers(60)))
    path = tmp_path / "files" / f"{damaged.file_sha256}.mdb"
    path.chmod(0o600)
    data = path.read_bytes()
    # In the name of the last offer, wherever its columns stand.
    path.write_bytes(data.replace(b"\xa8offer_59", b"\xa8offer_95"))
    os.truncate(path, damaged.file_bytes)
    with caplog.at_level(logging.ERROR):
        asyncio.run(follow(revisions, cell))
    gc.unfreeze()

    assert cell.current is before is not None
    assert "is damaged; publish the catalog's files again" in caplog.text
    assert names(before.environments["bank"], "banner", contact={"age": 30}) == [
        ["offer_49"]
    ]
