"""Golden decisions that came out otherwise, and why nothing was published."""

from collections.abc import Sequence
from typing import NamedTuple

from server.requests import NotPublishable, Violation, bounded


class GoldenDecisionsFailed(NotPublishable):
    """A catalog does not decide what it must, and was not published."""

    def __init__(self, failures: Sequence["GoldenFailure"]) -> None:
        self.failures = tuple(failures)
        self.violations = bounded([Violation(f.resource, f.text) for f in failures])
        count = len({failure.resource for failure in failures})
        head = f"{count} golden decision{'s' if count > 1 else ''} failed"
        texts = [f"{one.field}: {one.description}" for one in self.violations]
        super().__init__([head, *texts])


class GoldenFailure(NamedTuple):
    """One space of one golden decision that showed something else."""

    environment: str
    name: str
    space: str
    #: Texts to read.
    expected: str
    got: str
    #: Why; one line each.
    reasons: tuple[str, ...]

    @property
    def resource(self) -> str:
        """Its resource name, as the contract has it."""
        return f"environments/{self.environment}/goldenDecisions/{self.name}"

    @property
    def text(self) -> str:
        said = f"{self.space} expected {self.expected}; got {self.got}"
        return "; ".join([said, *self.reasons])
