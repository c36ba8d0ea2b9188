"""How often a caller may call, and all of them together: nobody keeps others out.

    costly    what compiles, or takes a whole catalog: see `server.access.permissions`
    cheap     everything else that asks who calls
    failed    attempts to be somebody, by the address that they come from
    free      health

One caller has at most a quarter of what all have. A good token counts as one however
many bad ones come from the same address, such as that of a proxy.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec

from server.access.permissions import Cost, permission_of
from server.refusals import RateLimited

#: What all callers have together, of what one has.
CALLERS = 4
#: Calls in flight of one caller.
COSTLY_IN_FLIGHT_MAX = 2
CHEAP_IN_FLIGHT_MAX = 50
#: Callers, and addresses, that are remembered; the one that was quiet longest goes.
REMEMBERED_MAX = 10_000

Key = TypeVar("Key")


class RateLimits(msgspec.Struct, frozen=True):
    """What `propono serve` was asked for, of the admin port; all at least 1."""

    #: Calls of one caller; at once, as many as in half a minute.
    costly_per_minute: int = 60
    #: At once, as many as in two seconds.
    cheap_per_second: int = 200
    #: Attempts from one address; at once, as many as in a minute.
    failed_per_minute: int = 30


class _Limit(NamedTuple):
    """What one caller may."""

    per_second: float
    burst: float
    in_flight_max: int


class _Bucket:
    """Calls that may be made now; it fills as time passes."""

    def __init__(self, limit: _Limit, times: int, now: float) -> None:
        self._per_second = limit.per_second * times
        self._burst = max(1.0, limit.burst * times)
        self._in_flight_max = limit.in_flight_max * times
        self.left = self._burst
        self._filled_at = now
        self.in_flight = 0

    def wait_seconds(self, now: float) -> float:
        """Until a call may be made; 0 for now."""
        filled = self.left + (now - self._filled_at) * self._per_second
        self.left = min(self._burst, filled)
        self._filled_at = now
        if self.in_flight >= self._in_flight_max:
            # Nobody knows when one of them ends.
            return 1.0
        return max(0.0, 1.0 - self.left) / self._per_second


class RateLimiter:
    """Counts the calls of one port, on one event loop."""

    def __init__(
        self,
        limits: RateLimits,
        monotonic: Callable[[], float],
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`refused` is told of each call that is not let through."""
        self._monotonic = monotonic
        self._refused = refused
        costly, cheap, failed = (
            limits.costly_per_minute,
            limits.cheap_per_second,
            limits.failed_per_minute,
        )
        self._limits = {
            Cost.COSTLY: _Limit(costly / 60, costly / 2, COSTLY_IN_FLIGHT_MAX),
            Cost.CHEAP: _Limit(cheap, cheap * 2, CHEAP_IN_FLIGHT_MAX),
        }
        self._failed_limit = _Limit(failed / 60, failed, 1)
        self._of_all = {
            cost: _Bucket(limit, CALLERS, monotonic())
            for cost, limit in self._limits.items()
        }
        self._of_caller: OrderedDict[tuple[Cost, str], _Bucket] = OrderedDict()
        self._of_peer: OrderedDict[str, _Bucket] = OrderedDict()

    def begin(
        self, method: str, name: str, role: str | None = None
    ) -> AbstractContextManager[None]:
        """One call of a caller, in flight until the block ends; raises RateLimited."""
        cost = permission_of(method).cost
        if cost is Cost.FREE:
            return nullcontext()
        now = self._monotonic()
        one = _remembered(self._of_caller, (cost, name), self._limits[cost], now)
        every = self._of_all[cost]
        for bucket, who in ((one, name), (every, "all callers together")):
            seconds = bucket.wait_seconds(now)
            if seconds:
                self._refused()
                raise RateLimited(f"{cost.value} calls of {who}", seconds, name, role)
        return _InFlight((one, every))

    def failed(self, peer: str) -> None:
        """Somebody did not say credibly who they are; raises RateLimited after many."""
        now = self._monotonic()
        address = address_of(peer)
        bucket = _remembered(self._of_peer, address, self._failed_limit, now)
        seconds = bucket.wait_seconds(now)
        if seconds:
            self._refused()
            raise RateLimited("attempts without good credentials", seconds)
        bucket.left -= 1.0


class _InFlight(AbstractContextManager[None]):
    """A call that was let through."""

    def __init__(self, buckets: tuple[_Bucket, ...]) -> None:
        self._buckets = buckets
        for bucket in buckets:
            bucket.left -= 1.0
            bucket.in_flight += 1

    def __exit__(self, *_: object) -> None:
        for bucket in self._buckets:
            bucket.in_flight -= 1


def address_of(peer: str) -> str:
    """Where a call comes from, without the port; of IPv6 the network of 64 bits.

    gRPC writes `ipv4:10.0.0.1:5000` and `ipv6:%5B::1%5D:5000`.
    """
    _, _, rest = unquote(peer).partition(":")
    host = rest.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return peer
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def _remembered(
    buckets: OrderedDict[Key, _Bucket], key: Key, limit: _Limit, now: float
) -> _Bucket:
    bucket = buckets.get(key)
    if bucket is None:
        bucket = buckets[key] = _Bucket(limit, 1, now)
        if len(buckets) > REMEMBERED_MAX:
            buckets.popitem(last=False)
    buckets.move_to_end(key)
    return bucket
