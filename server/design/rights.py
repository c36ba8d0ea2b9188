"""What only some of those who may edit may change."""

from catalog_store.records import Environment, Record
from server.access.callers import current_caller
from server.access.roles import Role
from server.requests import PermissionDenied


def require_right(before: Record, after: Record) -> None:
    """Whoever keeps a catalog does not choose whose approval it takes.

    Raises PermissionDenied.
    """
    if not isinstance(before, Environment) or not isinstance(after, Environment):
        return
    for field in ("source", "forbids_own_approval"):
        if getattr(before, field) != getattr(after, field):
            caller = current_caller.get()
            if caller.role is not Role.ADMINISTRATOR:
                what = f"changing {field} of an environment"
                raise PermissionDenied(
                    what, caller.name, caller.role, [Role.ADMINISTRATOR]
                )
