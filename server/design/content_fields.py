"""What spaces show of an offer in place of its common content."""

from typing import Any, NamedTuple

from server.design.fields import Found


class TextsBySpace(NamedTuple):
    """Texts by names, by spaces; both in the order of the names."""

    name: str = "space_content"
    record: str = "space_content"

    def read(self, message: Any, path: str, found: Found) -> object:
        by_space = getattr(message, self.name)
        return {
            space: {name: texts[name] for name in sorted(texts)}
            for space in sorted(by_space)
            for texts in (by_space[space].texts,)
        }

    def write(self, message: Any, value: Any) -> None:
        by_space = getattr(message, self.name)
        by_space.clear()
        for space, texts in value.items():
            by_space[space].texts.update(texts)
