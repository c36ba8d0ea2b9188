"""Who calls now: known to the gate, and told to whoever wants the name."""

from contextvars import ContextVar
from typing import NamedTuple

from server.access.roles import Role
from server.transport import Context


class Caller(NamedTuple):
    """Who makes a call."""

    #: Requests of one name are one caller's: see `contact_store.answers.RequestKey`.
    name: str
    #: None for whoever need not say who they are.
    role: Role | None
    #: By what they are known: `token <id>`, `certificate <name>`; never a secret.
    known_by: str


#: On a port that asks nobody.
ANYONE = Caller("anyone", None, "")
#: By the token that `serve` writes into the data folder.
LOCAL_ADMINISTRATOR = Caller("admin", Role.ADMINISTRATOR, "admin.token")

#: Set by the guard for the task of one call.
current_caller: ContextVar[Caller] = ContextVar("current_caller")


def caller_name(rpc_context: Context) -> str:
    """The name of who calls; a server without a guard fails here, and admits nobody."""
    return current_caller.get().name
