"""How many records a page of a list is to have."""

from server.requests import InvalidRequest, Violation

#: Of a page, unless another size is asked for; and at most.
PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000


def page_size_violations(asked: int) -> list[Violation]:
    """What is wrong with the size that a request has."""
    if 0 <= asked <= PAGE_SIZE_MAX:
        return []
    return [Violation("page_size", f"is {asked}; send 0 to {PAGE_SIZE_MAX}")]


def page_size(asked: int) -> int:
    """The size of the page; 0 is PAGE_SIZE. Raises InvalidRequest."""
    violations = page_size_violations(asked)
    if violations:
        raise InvalidRequest(violations)
    return asked or PAGE_SIZE
