"""Rules, linked when they are first asked.

PERF: linking a rule takes 11 us, and most rules are never asked: the index answers for
them. 10,000 rules linked are 107 ms of loading; kept as bytes they are 26 ms, and the
first question to one of them takes 11 us longer (CPython 3.11, two busy cores).
"""

from typing import Any

import msgspec

from catalog_store.stored_rule import StoredRule
from compiler.runtime.linker import LinkedRule, link
from server.live.source import Source, Steps

#: Chunks of a few rules handled in one step.
_STEP = 8
#: Rules linked in one step.
_LINKED_STEP = 32

_decode_rule = msgspec.msgpack.Decoder(StoredRule).decode


class RuleOnDemand(LinkedRule):
    """A rule that is linked when it is first asked."""

    __slots__ = ("_stored",)

    def __init__(self, stored: msgspec.Raw) -> None:
        # Not LinkedRule's: its slots stay empty until `__getattr__` fills them.
        self._stored = stored

    def __getattr__(self, name: str) -> Any:
        # Called only for slots that are empty.
        if name not in LinkedRule.__slots__:
            raise AttributeError(name)
        stored = _decode_rule(self._stored)
        linked = link(stored.code, stored.tree)
        super().__init__(linked.fast, linked.tree_bytes)
        return getattr(self, name)


def load_rules(source: Source) -> Steps[list[LinkedRule]]:
    """The rules of an environment, by their numbers; none is linked yet."""
    rules: list[LinkedRule] = []
    for number, stored in enumerate(source.lists("rules", msgspec.Raw)):
        rules += map(RuleOnDemand, stored)
        if number % _STEP == 0:
            yield
    return rules


def link_asked(rules: list[LinkedRule], numbers: set[int]) -> Steps[None]:
    """Link those that decisions are going to ask, before the first one does."""
    for count, number in enumerate(sorted(numbers), 1):
        _ = rules[number].fast
        if count % _LINKED_STEP == 0:
            yield
