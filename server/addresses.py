"""Where a server listens: `HOST:PORT`."""

from ipaddress import ip_address


class CannotServe(Exception):
    """A port is taken, an address is wrong, or a process does not come up."""


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; raises CannotServe."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise CannotServe(f"{address!r} is not HOST:PORT, such as 127.0.0.1:50051")
    return host, int(port)


def is_loopback(address: str) -> bool:
    """Whether only this machine can connect."""
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
