"""Open Policy Agent: rules in Rego, asked over HTTP, for it has no gRPC of its own.

Every offer is a rule that adds its name to one set. OPA indexes equality and membership
in sets by itself; ranges it does not. Nothing is partially evaluated: everything that a
rule asks about comes with the call.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.peers import http_load, load
from bench.peers.installation import OPA
from bench.peers.processes import (
    START_SECONDS_MAX,
    first_answer,
    free_port,
    running,
)
from bench.peers.target import Target
from bench.peers.work import Among, Between, Condition, Flagged, Known, Offer, Work

_PATH = "/v1/data/offers/eligible"


@contextmanager
def served(work: Work, folder: Path) -> Generator[Target]:
    """Start it for the work; raises NotInstalled and NotStarted."""
    program = OPA.found()
    began = time.perf_counter()
    folder.mkdir()
    (folder / "offers.rego").write_text(policy(work))
    address = f"127.0.0.1:{free_port()}"
    command = (
        *(program, "run", "--server", "--addr", address, "--log-level", "error"),
        *("--skip-version-check", "offers.rego"),
    )
    bodies = [{"input": dict(contact)} for contact in work.contacts]
    ask = _asker(f"http://{address}{_PATH}", bodies)
    with running(command, folder) as process:
        first_answer(process, folder, partial(ask, 0))
        setup = time.perf_counter() - began
        file = load.write(folder / "requests.json", bodies)
        run = partial(http_load.run, address, _PATH, file)
        yield Target("opa, http", setup, process.pid, ask, True, run)


def policy(work: Work) -> str:
    """The rules in Rego."""
    return "\n".join(["package offers", "", *map(_rule, work.offers)])


def _rule(offer: Offer) -> str:
    conditions = "; ".join(text for one in offer.conditions for text in _texts(one))
    return f"eligible contains {json.dumps(offer.name)} if {{ {conditions} }}"


def _texts(condition: Condition) -> Iterator[str]:
    """What is not known is undefined, and every comparison with it."""
    path = f"input.{condition.name}"
    match condition:
        case Among(_, (text,)):
            yield f"{path} == {json.dumps(text)}"
        case Among():
            yield f"{path} in {{{', '.join(map(json.dumps, condition.texts))}}}"
        case Flagged():
            yield f"{path} == {json.dumps(condition.flag)}"
        case Known():
            yield f"{path} != null"
        case Between():
            ends = ((">=", condition.low), ("<", condition.high))
            yield from (
                f"{path} {operator} {end}" for operator, end in ends if end is not None
            )


def _asker(url: str, bodies: list[dict[str, object]]) -> Callable[[int], list[str]]:
    """Asks about contact n; raises OSError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(number: int) -> list[str]:
        body = json.dumps(bodies[number]).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers)
        with opener.open(request, timeout=START_SECONDS_MAX) as answer:
            found: list[str] = json.load(answer)["result"]
        return found

    return ask
