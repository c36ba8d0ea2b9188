"""Calls of Propose: to Propono, and to other engines behind the same contract."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import grpc
from google.protobuf import json_format

from bench import ghz
from bench.catalogs import SPACE
from bench.peers.catalog import Attributes, contact_id
from bench.peers.load import Requests, write
from bench.peers.work import TOP, Work
from server.wire import decision_pb2 as pb

SERVICE = "propono.v1.DecisionService"


def messages(work: Work, attributes: Attributes) -> list[dict[str, object]]:
    """A dry run for the best of each contact."""
    return [
        {
            "contact_id": contact_id(number),
            "spaces": [{"space": SPACE, "max_propositions": TOP}],
            "dry_run": True,
        }
        | ({"context": dict(contact)} if attributes is Attributes.SENT else {})
        for number, contact in enumerate(work.contacts)
    ]


def requests(
    work: Work, attributes: Attributes, address: str, folder: Path
) -> Requests:
    return Requests(
        address,
        f"{SERVICE}/Propose",
        write(folder / "requests.json", messages(work, attributes)),
        ghz.PROTO / "propono/v1/decision.proto",
    )


def asker(
    work: Work, attributes: Attributes, address: str, opened: ExitStack
) -> Callable[[int], list[str]]:
    """Asks about contact n; raises RuntimeError when there is no answer."""
    rpc_channel = opened.enter_context(grpc.insecure_channel(address))
    call = rpc_channel.unary_unary(
        f"/{SERVICE}/Propose",
        request_serializer=pb.ProposeRequest.SerializeToString,
        response_deserializer=pb.ProposeResponse.FromString,
    )
    asked = [
        json_format.ParseDict(message, pb.ProposeRequest())
        for message in messages(work, attributes)
    ]

    def ask(number: int) -> list[str]:
        try:
            answer: pb.ProposeResponse = call(asked[number], timeout=20)
        except grpc.RpcError as error:
            raise RuntimeError(str(error)) from error
        (result,) = answer.results
        return [one.offer for one in result.propositions]

    return ask
