"""Whatever a client sends, it gets a clear error and the server goes on."""

import random
import struct
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from server.translation import PROPOSITION_ID_BYTES_MAX
from server.transport import MESSAGE_BYTES_MAX
from server.wire import decision_pb2 as pb
from tests.servers import DEADLINE_SECONDS, Server

SERVICE = "/propono.v1.DecisionService"

GOOD = pb.ProposeRequest(
    contact_id="C000002", spaces=[pb.SpaceRequest(space="web_home_side")], dry_run=True
)


def send(channel: grpc.Channel, method: str, data: bytes) -> bytes:
    """Send bytes as they are; returns bytes, or raises grpc.RpcError."""
    return channel.unary_unary(method)(data, timeout=DEADLINE_SECONDS)


def failure(channel: grpc.Channel, method: str, data: bytes) -> Any:
    with pytest.raises(grpc.RpcError) as raised:
        send(channel, method, data)
    return raised.value


def details(error: Any) -> tuple[error_details_pb2.ErrorInfo, dict[str, str]]:
    """The ErrorInfo of an error, and its field violations."""
    info = error_details_pb2.ErrorInfo()
    violations: dict[str, str] = {}
    trailing = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            violations = {v.field: v.description for v in bad.field_violations}
        else:
            detail.Unpack(info)
    return info, violations


def changed(change: Callable[[pb.ProposeRequest], object]) -> bytes:
    request = pb.ProposeRequest()
    request.CopyFrom(GOOD)
    change(request)
    return request.SerializeToString()


def with_context(**values: object) -> Callable[[pb.ProposeRequest], object]:
    return lambda r: json_format.ParseDict(values, r.context)


def with_number(name: str, number: float) -> Callable[[pb.ProposeRequest], object]:
    """NaN and infinities are no JSON, and come through a Struct all the same."""

    def change(request: pb.ProposeRequest) -> None:
        request.context.fields[name].number_value = number

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda r: r.ClearField("spaces"), "spaces"),
        (lambda r: r.spaces.extend([GOOD.spaces[0]] * 32), "spaces"),
        (lambda r: r.ClearField("contact_id") or r.spaces[0].MergeFrom(
            pb.SpaceRequest(space="call_center_retention")), "contact_id"),
        (lambda r: setattr(r, "contact_id", "c" * 257), "contact_id"),
        (lambda r: setattr(r, "contact_id", "é" * 129), "contact_id"),
        (lambda r: setattr(r, "contact_id", "a\nb"), "contact_id"),
        (lambda r: setattr(r, "visitor_id", "v" * 257), "visitor_id"),
        (lambda r: setattr(r, "request_id", "r" * 129), "request_id"),
        (lambda r: setattr(r, "environment", "e" * 64), "environment"),
        (lambda r: setattr(r.spaces[0], "space", ""), "spaces[0].space"),
        (lambda r: setattr(r.spaces[0], "space", "s" * 64), "spaces[0].space"),
        (lambda r: setattr(r.spaces[0], "max_propositions", 101),
         "spaces[0].max_propositions"),
        (lambda r: setattr(r.spaces[0], "max_propositions", 2**32 - 1),
         "spaces[0].max_propositions"),
        (lambda r: r.spaces[0].categories.extend(["c"] * 101), "spaces[0].categories"),
        (lambda r: r.spaces[0].themes.append("t" * 64), "spaces[0].themes[0]"),
        (lambda r: r.excluded_offers.extend(["o"] * 101), "excluded_offers"),
        (lambda r: r.contact_time.FromSeconds(1), "contact_time"),
        (lambda r: setattr(r.contact_time, "nanos", -1), "contact_time"),
        (lambda r: setattr(r.contact_time, "seconds", 2**62), "contact_time"),
        (lambda r: setattr(r, "explain", 17), "explain"),
        (with_context(no_such=1), "context.no_such"),
        (with_context(page=3), "context.page"),
        (with_context(page="p" * 4_097), "context.page"),
        (with_context(page=["home"]), "context.page"),
        (with_context(cart_value="12"), "context.cart_value"),
        (with_number("cart_value", float("nan")), "context.cart_value"),
        (with_number("cart_value", float("inf")), "context.cart_value"),
        (with_context(**{f"x{n}": n for n in range(101)}), "context"),
    ],
)  # fmt: skip
def test_a_bad_field_is_named(
    channel: grpc.Channel, change: Callable[[pb.ProposeRequest], object], field: str
) -> None:
    """INVALID_ARGUMENT, our reason and domain, and the field that is wrong."""
    error = failure(channel, f"{SERVICE}/Propose", changed(change))
    info, violations = details(error)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (info.domain, info.reason) == ("propono", "INVALID_REQUEST")
    assert list(violations) == [field]


def test_every_violation_is_reported_at_once(channel: grpc.Channel) -> None:
    """Not one after the other."""
    request = pb.ProposeRequest(request_id="r" * 129, contact_id="c" * 257)
    error = failure(channel, f"{SERVICE}/Propose", request.SerializeToString())

    assert set(details(error)[1]) == {"request_id", "contact_id", "spaces"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda r: setattr(r, "environment", "recipiant"),
            "unknown environment 'recipiant'; did you mean 'recipient'?",
        ),
        (
            lambda r: setattr(r.spaces[0], "space", "web_home_sid"),
            "unknown space 'web_home_sid'; did you mean 'web_home_side'",
        ),
    ],
)
def test_unknown_names_come_with_near_misses(
    channel: grpc.Channel, change: Callable[[pb.ProposeRequest], object], said: str
) -> None:
    """NOT_FOUND naming what is unknown and what was probably meant."""
    error = failure(channel, f"{SERVICE}/Propose", changed(change))

    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error.details().startswith(said)


def test_an_unknown_space_among_several_is_reported_in_its_result(
    channel: grpc.Channel,
) -> None:
    """The others are answered."""
    data = changed(lambda r: r.spaces.add(space="no_such_space"))
    answer = pb.ProposeResponse.FromString(send(channel, f"{SERVICE}/Propose", data))

    assert [r.shortfall_reason for r in answer.results] == [
        pb.SHORTFALL_REASON_UNSPECIFIED,
        pb.SHORTFALL_REASON_UNKNOWN_SPACE,
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"proposition_id": ""}, "proposition_id"),
        ({"proposition_id": "p" * (PROPOSITION_ID_BYTES_MAX + 1)}, "proposition_id"),
        ({"status": 0}, "status"),
        ({"status": 99}, "status"),
        ({"request_id": "r" * 129}, "request_id"),
        ({"event_time": {"seconds": 2**40}}, "event_time"),
    ],
)
def test_a_bad_update_is_named(
    channel: grpc.Channel, change: dict[str, Any], field: str
) -> None:
    """The same for UpdateProposition."""
    good = {"proposition_id": "AQ", "status": pb.PROPOSITION_STATUS_ACCEPTED}
    data = pb.UpdatePropositionRequest(**{**good, **change}).SerializeToString()
    error = failure(channel, f"{SERVICE}/UpdateProposition", data)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert list(details(error)[1]) == [field]


@pytest.mark.parametrize("proposition_id", ["AQ", "x" * 32, "é", "A" * 60])
def test_an_unknown_proposition_is_not_found(
    channel: grpc.Channel, proposition_id: str
) -> None:
    """Misspelt and forged ids are told the same."""
    request = pb.UpdatePropositionRequest(
        proposition_id=proposition_id, status="PROPOSITION_STATUS_ACCEPTED"
    )
    error = failure(
        channel, f"{SERVICE}/UpdateProposition", request.SerializeToString()
    )

    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert details(error)[0].reason == "UNKNOWN_PROPOSITION"


HOSTILE = [
    b"\xff" * 40,
    b"\x00",
    b"\x0b\x0b\x0b",
    b"\x0a\x02\xff\xfe",  # the first field, of invalid UTF-8
    b"\x1a\xff\xff\xff\xff\x0f",  # a length beyond the message
    b"\x1a" + b"\xff" * 10 + b"\x01",  # a varint of eleven bytes
    b"\x32" * 200,  # nested to nowhere
    struct.pack("<Q", 2**63) * 3,
]


@pytest.mark.parametrize(
    "method",
    [
        f"{SERVICE}/Propose",
        f"{SERVICE}/UpdateProposition",
        "/grpc.health.v1.Health/Check",
    ],
)
@pytest.mark.parametrize("data", HOSTILE, ids=lambda d: d[:6].hex())
def test_bytes_that_are_no_message_are_invalid(
    channel: grpc.Channel, method: str, data: bytes
) -> None:
    """INVALID_ARGUMENT, where generated handlers would answer UNKNOWN."""
    assert failure(channel, method, data).code() is grpc.StatusCode.INVALID_ARGUMENT


def test_invalid_bytes_on_streams_are_invalid(channel: grpc.Channel) -> None:
    """Health's Watch and reflection as well."""
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
    reflect = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
    for answers in (watch(b"\xff" * 9), reflect(iter([b"\xff" * 9]))):
        with pytest.raises(grpc.RpcError) as raised:
            list(answers)
        assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_an_oversized_message_is_refused(channel: grpc.Channel) -> None:
    """Before it is parsed."""
    error = failure(channel, f"{SERVICE}/Propose", bytes(MESSAGE_BYTES_MAX + 1))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_method_that_nobody_has_is_said_to_be_missing(channel: grpc.Channel) -> None:
    """UNIMPLEMENTED, and nothing else."""
    assert failure(channel, f"{SERVICE}/NoSuch", b"").code() is (
        grpc.StatusCode.UNIMPLEMENTED
    )


#: What a caller may be told about bytes that it made up.
CLIENT_FAULTS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), method=st.sampled_from(["Propose", "Update"]))
def test_mutated_messages_never_make_the_server_fail(
    bank: Server, seed: int, method: str
) -> None:
    """Bits flipped, bytes cut, doubled and spliced: answered, or the client's fault."""
    dice = random.Random(seed)
    data = bytearray(
        changed(with_context(page="home", cart_value=3.5, language="en"))
        if method == "Propose"
        else pb.UpdatePropositionRequest(
            proposition_id="AQEAAQAAAAAAAAABAAAAAaVzSLo7yudz", status=3
        ).SerializeToString()
    )
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(data))
        match dice.randrange(4):
            case 0:
                data[place] ^= 1 << dice.randrange(8)
            case 1:
                del data[place:]
                data += b"\x08"
            case 2:
                data[place:place] = data[: dice.randrange(len(data))]
            case _:
                data[place:place] = dice.randbytes(dice.randrange(1, 9))
    name = "Propose" if method == "Propose" else "UpdateProposition"
    with grpc.insecure_channel(bank.decisions) as channel:
        call = channel.unary_unary(f"{SERVICE}/{name}")
        answer = call.future(bytes(data), timeout=DEADLINE_SECONDS)
        code, said = answer.code(), answer.details()

    assert code in {grpc.StatusCode.OK, *CLIENT_FAULTS}, (data.hex(), said)


def test_the_server_still_answers(channel: grpc.Channel) -> None:
    """After all of the above."""
    data = send(channel, f"{SERVICE}/Propose", GOOD.SerializeToString())
    answer = pb.ProposeResponse.FromString(data)

    assert answer.results[0].propositions
