"""Why a call that is right in itself is not answered now; nothing was done for it."""

from math import ceil


class Overloaded(Exception):
    """The process has as many calls in flight as it takes."""

    def __init__(self, calls_max: int) -> None:
        super().__init__(
            f"{calls_max} calls are in flight here already: wait a little before"
            " another attempt, or add workers"
        )


class RateLimited(Exception):
    """The caller has made as many calls as they may for now."""

    def __init__(
        self, what: str, seconds: float, name: str = "", role: str | None = None
    ) -> None:
        self.name = name
        self.role = role
        #: After which one more is possible.
        self.retry_after_ms = max(1, ceil(seconds * 1_000))
        super().__init__(
            f"too many at a time, or too often: {what}; try again in"
            f" {self.retry_after_ms / 1_000:.1f} s"
        )


class TooLate(Exception):
    """The caller's deadline has passed: nobody waits for the answer."""

    def __init__(self) -> None:
        super().__init__("the deadline had passed before the call had its turn")


class LowDisk(Exception):
    """There is too little room to record anything; dry runs go on."""

    def __init__(self, *, is_map: bool) -> None:
        what = "the history's map" if is_map else "the server's disk"
        super().__init__(
            f"{what} has too little room left to record anything: free some and try"
            " again; dry runs are answered"
        )
