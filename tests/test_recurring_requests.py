"""A request that was seen before means what it means by itself."""

from google.protobuf.struct_pb2 import Struct
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.records import UnixMs
from server.recurring_requests import REQUESTS_MAX, RecurringRequests
from server.requests import InvalidRequest
from server.translation import AskedDecision, asked_decision
from server.wire import decision_pb2 as pb

NOW_MS = UnixMs(1_800_000_000_000)
IDS = st.sampled_from(["", "ann", "bob", "é", "x" * 64, "x" * 65, "x" * 128, "é" * 129])
SPACES = st.lists(st.sampled_from(["home", "side", "", "x" * 64]), max_size=3)
REQUESTS = st.builds(
    pb.ProposeRequest,
    request_id=IDS,
    contact_id=IDS,
    visitor_id=IDS,
    environment=st.sampled_from(["", "bank"]),
    dry_run=st.booleans(),
    spaces=SPACES.map(lambda names: [pb.SpaceRequest(space=n) for n in names]),
    excluded_offers=st.lists(st.sampled_from(["gold", "card"]), max_size=2),
)


def outcome(request: pb.ProposeRequest, of: RecurringRequests | None) -> object:
    """What is asked, or what is wrong with it."""
    try:
        if of is None:
            return asked_decision(request, NOW_MS)
        return of.asked(request, NOW_MS)._replace(form=b"")
    except InvalidRequest as error:
        return error.violations


@given(st.lists(REQUESTS, min_size=1, max_size=20))
@settings(derandomize=True)
def test_it_is_read_as_if_for_the_first_time(requests: list[pb.ProposeRequest]) -> None:
    """Right or wrong, and the request is left as it was."""
    recurring = RecurringRequests()
    for request in requests * 2:
        before = pb.ProposeRequest.FromString(request.SerializeToString())

        assert outcome(request, recurring) == outcome(request, None)
        assert request == before


def asked(recurring: RecurringRequests, request: pb.ProposeRequest) -> AskedDecision:
    request.spaces.add(space="home")
    return recurring.asked(request, NOW_MS)


def test_only_ids_may_differ() -> None:
    """Contacts share a form; another context, space or time has another, or none."""
    recurring = RecurringRequests()
    ann = asked(recurring, pb.ProposeRequest(contact_id="ann"))
    bob = asked(recurring, pb.ProposeRequest(contact_id="bob"))
    context = Struct()
    context.update({"page": "home"})

    assert ann.form == bob.form != b""
    assert (ann.contact_id, bob.contact_id) == ("ann", "bob")
    for other in (pb.ProposeRequest(dry_run=True), pb.ProposeRequest(context=context)):
        assert asked(recurring, other).form not in (b"", ann.form)
    request = pb.ProposeRequest()
    request.contact_time.FromMilliseconds(NOW_MS)
    assert asked(recurring, request).form == b""


def test_what_is_remembered_is_bounded() -> None:
    """However many different requests come, and however long they are."""
    recurring = RecurringRequests()
    for number in range(REQUESTS_MAX * 2 + 1):
        asked(recurring, pb.ProposeRequest(environment=f"e{number}"))

    assert len(recurring._known) <= REQUESTS_MAX
    names = [f"offer_{number:050}" for number in range(60)]
    assert asked(recurring, pb.ProposeRequest(excluded_offers=names)).form == b""
