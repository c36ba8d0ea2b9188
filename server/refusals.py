"""Why a call that is right in itself is not answered now; nothing was done for it."""


class Overloaded(Exception):
    """The process has as many calls in flight as it takes."""

    def __init__(self, calls_max: int) -> None:
        super().__init__(
            f"{calls_max} calls are in flight here already: wait a little before"
            " another attempt, or add workers"
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
