"""The parts of one environment, as its loading reads them."""

from collections.abc import Generator, Iterator
from typing import Any, TypeVar

from catalog_store.revision_file import RevisionFile

_Item = TypeVar("_Item")

#: Loads something: yields between steps, and returns it.
Steps = Generator[None, None, _Item]


class Source:
    """One environment in a revision's file."""

    def __init__(self, revision: RevisionFile, name: str) -> None:
        self._revision = revision
        self._name = name
        self.head = revision.head(name)

    def lists(self, part: str, kind: type[_Item]) -> Iterator[list[_Item]]:
        """The items of a part, one chunk after the other; raises DamagedRevision."""
        return self._revision.lists(self._name, part, kind)

    def whole(self, part: str, kind: Any) -> Steps[list[Any]]:
        """All items of a part that is read a chunk in a step."""
        found: list[Any] = []
        for items in self.lists(part, kind):
            found += items
            yield
        return found
