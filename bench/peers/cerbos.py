"""Cerbos: a decision server over gRPC, with conditions in CEL.

Asked in two ways, both with the contact as the principal:

    outputs     one resource, one rule an offer; each rule that is met outputs its offer
    resources   one resource an offer, of a kind of its own, all in one call: the way
                to ask about many resources; Cerbos allows RESOURCES_MAX at most, 50
                unless it is told otherwise

Nothing is sorted: the caller finds the best among the answers.
"""

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import proto_reflection_descriptor_database

from bench.peers import cel, load
from bench.peers.installation import CERBOS
from bench.peers.load import Requests
from bench.peers.processes import (
    START_SECONDS_MAX,
    first_answer,
    free_port,
    running,
)
from bench.peers.target import Target
from bench.peers.work import Offer, Work

#: Resources in one call; Cerbos refuses to be configured for more.
RESOURCES_MAX = 500
_SERVICE = "cerbos.svc.v1.CerbosService"
_ACTION = "propose"
#: Fewer collections of garbage while rules are loaded, and nothing sent anywhere.
_VARIABLES = {"CERBOS_RULE_TABLE_GC_PERCENT": "100", "CERBOS_NO_TELEMETRY": "1"}


@contextmanager
def served(work: Work, way: str, folder: Path) -> Generator[Target]:
    """Start it for the work; raises NotInstalled and NotStarted."""
    program = CERBOS.found()
    began = time.perf_counter()
    (folder / "policies").mkdir(parents=True)
    for name, policy in _policies(work, way):
        (folder / "policies" / f"{name}.json").write_text(json.dumps(policy))
    address = f"127.0.0.1:{free_port()}"
    (folder / "conf.json").write_text(json.dumps(_configuration(address, folder)))
    command = (program, "server", "--config=conf.json", "--log-level=error")
    with ExitStack() as opened:
        process = opened.enter_context(running(command, folder, _VARIABLES))
        rpc_channel = opened.enter_context(grpc.insecure_channel(address))
        asked = list(_messages(work, way))
        ask = first_answer(process, folder, partial(_answering, rpc_channel, asked))
        setup = time.perf_counter() - began
        file = load.write(folder / "requests.json", asked)
        requests = Requests(address, f"{_SERVICE}/CheckResources", file)
        run = partial(load.run, requests)
        yield Target(f"cerbos, {way}", setup, process.pid, ask, True, run)


def _answering(
    rpc_channel: grpc.Channel, asked: list[dict[str, object]]
) -> Callable[[int], list[str]]:
    """Asks about contact n, and has done so once; raises RuntimeError."""
    try:
        ask = _asker(rpc_channel, asked)
        # Conditions are compiled when they are met first.
        ask(0)
    except (grpc.RpcError, KeyError) as error:
        raise RuntimeError from error
    return ask


def _asker(
    rpc_channel: grpc.Channel, asked: list[dict[str, object]]
) -> Callable[[int], list[str]]:
    pool = descriptor_pool.DescriptorPool(
        proto_reflection_descriptor_database.ProtoReflectionDescriptorDatabase(
            rpc_channel
        )
    )
    method = pool.FindServiceByName(_SERVICE).FindMethodByName("CheckResources")
    request_type = message_factory.GetMessageClass(method.input_type)
    response_type = message_factory.GetMessageClass(method.output_type)
    call = rpc_channel.unary_unary(
        f"/{_SERVICE}/CheckResources",
        request_serializer=request_type.SerializeToString,
        response_deserializer=response_type.FromString,
    )
    requests = [json_format.ParseDict(message, request_type()) for message in asked]

    def ask(number: int) -> list[str]:
        answer: Any = call(requests[number], timeout=START_SECONDS_MAX)
        return [one.val.string_value for r in answer.results for one in r.outputs]

    return ask


def _policies(work: Work, way: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Files by name."""
    offers = work.best_first
    if way == "outputs":
        yield "offers", _policy("offers", [_rule(offer) for offer in offers])
    else:
        for offer in offers:
            yield offer.name, _policy(offer.name, [_rule(offer)])


def _policy(kind: str, rules: list[dict[str, object]]) -> dict[str, object]:
    return {
        "apiVersion": "api.cerbos.dev/v1",
        "resourcePolicy": {"resource": kind, "version": "default", "rules": rules},
    }


def _rule(offer: Offer) -> dict[str, object]:
    # One expression is 2.5 times faster than a list of conditions. What is answered is
    # the output: the effect has been seen to be lost (cerbos/cerbos#3382).
    expression = cel.rule(offer, "P.attr", doubles=True)
    return {
        "name": offer.name,
        "actions": [_ACTION],
        "effect": "EFFECT_ALLOW",
        "roles": ["*"],
        "condition": {"match": {"expr": expression}},
        "output": {"when": {"ruleActivated": json.dumps(offer.name)}},
    }


def _messages(work: Work, way: str) -> Iterator[dict[str, object]]:
    kinds = ["offers"] if way == "outputs" else [one.name for one in work.offers]
    resources = [
        {"actions": [_ACTION], "resource": {"kind": kind, "id": kind}} for kind in kinds
    ]
    for contact in work.contacts:
        principal = {"id": "contact", "roles": ["contact"], "attr": dict(contact)}
        yield {"principal": principal, "resources": resources}


def _configuration(address: str, folder: Path) -> dict[str, object]:
    """Without an audit log, schemas, telemetry, and watching files."""
    disk = {"directory": str(folder / "policies"), "watchForChanges": False}
    return {
        "server": {
            "grpcListenAddr": address,
            "httpListenAddr": f"127.0.0.1:{free_port()}",
            "requestLimits": {"maxResourcesPerRequest": RESOURCES_MAX},
        },
        "storage": {"driver": "disk", "disk": disk},
        "audit": {"enabled": False},
        "telemetry": {"disabled": True},
        "schema": {"enforcement": "none"},
    }
