"""Ask a running server for offers, and accept the first: `client.py [HOST:PORT]`."""

import sys
from uuid import uuid4

import grpc

from server.wire import decision_pb2 as pb
from server.wire.decision_pb2_grpc import DecisionServiceStub

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
with grpc.insecure_channel(address) as channel:
    service = DecisionServiceStub(channel)
    request = pb.ProposeRequest(
        request_id=str(uuid4()),  # a retry of this very call decides nothing anew
        contact_id="C000002",
        spaces=[pb.SpaceRequest(space="web_home_side", max_propositions=3)],
    )
    request.context.update({"page": "home", "language": "en"})
    propositions = service.Propose(request, timeout=2).results[0].propositions
    for one in propositions:
        print(f"{one.rank}. {one.content['title']} ({one.offer}, {one.weight:g})")
    accepted = pb.UpdatePropositionRequest(
        proposition_id=propositions[0].proposition_id,
        status="PROPOSITION_STATUS_ACCEPTED",
    )
    service.UpdateProposition(accepted, timeout=2)
    print(f"accepted {propositions[0].offer}")
