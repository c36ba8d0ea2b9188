"""Who calls is part of a request id: over the wire, by token and by name."""

from pathlib import Path

from server.access.roles import Role
from server.client import CallFailed, Client
from server.client_access import ClientAccess
from server.wire import decision_pb2 as pb
from tests.access import give_token
from tests.servers import BANK, DEADLINE_SECONDS, run, serving


def test_request_ids_of_different_callers_are_different(tmp_path: Path) -> None:
    """Tokens of one name are one caller: a retry may be made with the next token."""
    run("catalog", "publish", BANK, "--data", tmp_path)
    web, next_web, app = (
        give_token(tmp_path, Role.DECISION_CLIENT, name)
        for name in ("web", "web", "app")
    )
    with serving(tmp_path, 1, "--auth", "required") as server:

        def propose(token: str, contact: str) -> str:
            request = pb.ProposeRequest(
                request_id="r1",
                contact_id=contact,
                spaces=[pb.SpaceRequest(space="web_home_hero", max_propositions=1)],
            )
            client = Client.connect(
                server.decisions, DEADLINE_SECONDS, ClientAccess(token)
            )
            try:
                return client.propose(request).interaction_id
            except CallFailed as failed:
                return failed.reason
            finally:
                client.close()

        first = propose(web, "C1")
        assert propose(next_web, "C1") == first
        assert propose(next_web, "C2") == "REQUEST_ID_REUSED"
        assert propose(app, "C2") not in {first, "REQUEST_ID_REUSED"}
