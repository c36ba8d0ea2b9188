"""Peers behind their ports answer as the judge does; see test_bench_peers."""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from bench.peers import cerbos, naive, opa, propono, same_stack
from bench.peers.__main__ import main
from bench.peers.catalog import Attributes, publish
from bench.peers.in_process import WrongAnswer
from bench.peers.installation import CERBOS, OPA, ZEN, NotInstalled, Package
from bench.peers.processes import NotStarted, first_answer, memory_mb, running
from bench.peers.served import check_all
from bench.peers.target import Target
from bench.peers.work import work
from tests.servers import is_alive

WORK = work(90, 30)
RIGHT = [naive.eligible(WORK.best_first, contact) for contact in WORK.contacts]


def test_some_have_more_eligible_offers_than_are_answered() -> None:
    """So that the best of them must be told from the others."""
    assert any(len(names) > 3 for names in RIGHT)
    assert any(names == [] for names in RIGHT)


@pytest.mark.parametrize("attributes", Attributes)
def test_propono_agrees_with_the_judge(attributes: Attributes, tmp_path: Path) -> None:
    """Whether it keeps the attributes of contacts or is sent them."""
    with propono.served(WORK, attributes, tmp_path / "data") as target:
        check_all(target, RIGHT)
        assert memory_mb(target.pid) > 30

    assert not is_alive(target.pid)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("sent")
    publish(WORK, Attributes.SENT, data)
    return data


@pytest.mark.parametrize("kind", same_stack.KINDS)
def test_engines_agree_with_the_judge(
    kind: str, published: Path, tmp_path: Path
) -> None:
    """Behind the same stack."""
    if kind == "zen":
        _skip_unless_there(ZEN)
    with same_stack.served(WORK, kind, published, tmp_path / kind) as target:
        check_all(target, RIGHT)

        assert target.setup_seconds > 0

    assert not is_alive(target.pid)


@pytest.mark.parametrize("way", ["outputs", "resources"])
def test_cerbos_agrees_with_the_judge(way: str, tmp_path: Path) -> None:
    """Whether offers are rules or resources."""
    _skip_unless_there(CERBOS)
    with cerbos.served(WORK, way, tmp_path / way) as target:
        check_all(target, RIGHT)

    assert not is_alive(target.pid)


def test_opa_agrees_with_the_judge(tmp_path: Path) -> None:
    """And can be loaded with any number of calls in flight."""
    _skip_unless_there(OPA)
    with opa.served(WORK, tmp_path / "opa") as target:
        check_all(target, RIGHT)
        rate = target.load(4, 0.1)

    assert rate.errors == 0
    assert rate.answers > 0
    assert 0 < rate.p50_ms <= rate.p99_ms
    assert not is_alive(target.pid)


def test_all_eligible_offers_may_come_in_any_order() -> None:
    """But none too many, and none too few; the best come in order."""

    def target(answers: list[list[str]], answers_all: bool) -> Target:
        return Target("it", 0, 0, answers.__getitem__, answers_all, _never)

    right = [["a", "b", "c", "d"]]
    check_all(target([["d", "b", "c", "a"]], answers_all=True), right)
    check_all(target([["a", "b", "c"]], answers_all=False), right)

    for wrong in (["a", "b", "c"], ["a", "b", "c", "d", "d"]):
        with pytest.raises(WrongAnswer):
            check_all(target([wrong], answers_all=True), right)
    for wrong in (["b", "a", "c"], ["a", "b", "c", "d"]):
        with pytest.raises(WrongAnswer):
            check_all(target([wrong], answers_all=False), right)


def test_a_server_that_ends_is_given_up_with_what_it_said(tmp_path: Path) -> None:
    """Instead of waiting for it."""
    command = (sys.executable, "-c", "print('no such policy')")

    def ask() -> None:
        raise RuntimeError

    with ExitStack() as opened:
        process = opened.enter_context(running(command, tmp_path))
        with pytest.raises(NotStarted, match="no such policy"):
            first_answer(process, tmp_path, ask)


@pytest.mark.skipif(shutil.which("ghz") is None, reason="ghz is not on the PATH")
def test_every_server_is_loaded() -> None:
    """A line each, with ratios to Propono and to the loop, and no errors."""
    arguments = ["--offers", "40", "--contacts", "9", "--seconds", "0.2"]
    options = ["--repeats", "1", "--output", "json"]
    done = CliRunner().invoke(main, [*arguments, *options])
    _, table, _ = map(msgspec.json.decode, done.stdout.splitlines())
    lines = {line["what"]: line for line in table["results"]}

    assert done.exit_code == 0, done.output
    assert lines[propono.CALL]["x propono"] == 1
    assert lines[same_stack.KINDS["loop"]]["x loop"] == 1
    assert all(line["errors"] == 0 for line in lines.values())
    assert all(line["64: calls/s"] > 0 for line in lines.values())


def _never(in_flight: int, seconds: float) -> object:
    raise AssertionError


def _skip_unless_there(package: Package) -> None:
    try:
        package.found()
    except NotInstalled as absent:
        pytest.skip(str(absent))
