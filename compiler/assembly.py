"""Rules put together from conditions that were each checked once.

A rule comes out to the byte as `compiler.rules.compile_rule` alone makes it, or not at
all: a text that is not plain, or of which a part is in doubt, is compiled as a whole.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from catalog_store.records import RULE_BYTES_MAX
from compiler.check import check_conditions
from compiler.conditions import Conjunct
from compiler.movable_code import MovableConditions, emit_conjunction
from compiler.positions import Positions
from compiler.rule_parts import Part, rule_parts
from compiler.rules import code_bytes
from compiler.runtime.encoding import MovableNode, encode_conjunction
from compiler.runtime.tree import Node, Op
from compiler.schema import SEGMENT_RECORD, Schema
from compiler.source import Source, Span

#: Rules of which the conditions are checked at once.
_RULES_AHEAD = 64


class AssembledRule(NamedTuple):
    """A rule put together, and what it is made of."""

    tree_bytes: bytes
    #: Marshalled.
    code: bytes
    conjuncts: list[Conjunct]


class Assembly:
    """Puts rules together, in the order in which their texts were announced.

    PERF: a condition is forgotten with the last rule that has it. Kept, the 15,118 of
    the benchmark cost 0.3 s more in collections of garbage.
    """

    def __init__(self, texts: Iterable[str], schema: Schema) -> None:
        self._schema = schema
        self._parts = {
            text: parts for text in texts if (parts := parts_of(text)) is not None
        }
        self._ahead = iter(list(self._parts.values()))
        self._uses = Counter(
            part.text for parts in self._parts.values() for part in parts
        )
        #: None where a part was refused.
        self._conditions: dict[str, _Condition | None] = {}

    def rule(self, source: Source) -> AssembledRule | None:
        """A condition put together, once; None if it must be compiled as a whole."""
        parts = self._parts.pop(source.text, None)
        if parts is None:
            return None
        if any(part.text not in self._conditions for part in parts):
            self._check_ahead(parts)
        found = [self._used(part.text) for part in parts]
        conditions = [condition for condition in found if condition is not None]
        # One that stands twice would have to be in two places of one syntax tree.
        if len(set(conditions)) < len(parts):
            return None
        starts = [part.start for part in parts]
        span = _whole_span(starts, conditions)
        encoded = [
            node.encoded_at(start)
            for start, condition in zip(starts, conditions, strict=True)
            for node in condition.encoded
        ]
        emitted = [condition.emitted for condition in conditions]
        return AssembledRule(
            tree_bytes=encode_conjunction(source, span, encoded),
            code=code_bytes(
                emit_conjunction(source, span, zip(starts, emitted, strict=True))
            ),
            conjuncts=[
                Conjunct(meaning, node, start, (source,))
                for start, condition in zip(starts, conditions, strict=True)
                for meaning, node in condition.conjuncts
            ],
        )

    def _check_ahead(self, parts: list[Part]) -> None:
        """Check the conditions of this rule and of those that come next."""
        wanted = dict.fromkeys(part.text for part in parts)
        for _, ahead in zip(range(_RULES_AHEAD), self._ahead, strict=False):
            wanted.update(dict.fromkeys(part.text for part in ahead))
        texts = [text for text in wanted if text not in self._conditions]
        trees = check_conditions(texts, self._schema)
        for text, tree in zip(texts, trees, strict=True):
            self._conditions[text] = None if tree is None else _Condition(text, tree)

    def _used(self, text: str) -> "_Condition | None":
        self._uses[text] -= 1
        if self._uses[text] <= 0:
            return self._conditions.pop(text, None)
        return self._conditions[text]


class _Condition:
    """One part, checked; several conjuncts if it is an `&&` in brackets."""

    __slots__ = ("_text", "conjuncts", "emitted", "encoded", "span")

    def __init__(self, text: str, root: Node) -> None:
        nodes = root.children if root.op is Op.AND else (root,)
        self._text = text
        self.span = root.span
        self.encoded = [MovableNode(node) for node in nodes]
        self.emitted = MovableConditions(text, nodes)
        self.conjuncts = [
            (encoded.meaning, node)
            for encoded, node in zip(self.encoded, nodes, strict=True)
        ]

    def opening(self) -> int:
        """Where an `&&` after it begins to be underlined."""
        start, text = self.span[0], self._text
        if "(" not in text[:start] and "[" not in text[:start]:
            return start
        last = Span(len(text) - 1, len(text))
        return Positions(Source("", text)).around(Span(*self.span), last).start

    def closing(self) -> int:
        """Where an `&&` before it ends to be."""
        stop, text = self.span[1], self._text
        if ")" not in text[stop:] and "]" not in text[stop:]:
            return stop
        return Positions(Source("", text)).around(Span(0, 1), Span(*self.span)).stop


def _whole_span(starts: list[int], conditions: list[_Condition]) -> tuple[int, int]:
    first, last = conditions[0], conditions[-1]
    if len(conditions) == 1:
        return starts[0] + first.span[0], starts[0] + first.span[1]
    return starts[0] + first.opening(), starts[-1] + last.closing()


def parts_of(text: str) -> list[Part] | None:
    """The parts of a text that is a rule without segments; None if it may be none."""
    if len(text) > RULE_BYTES_MAX or SEGMENT_RECORD in text:
        return None
    is_short = text.isascii() or len(text.encode("utf-8", "replace")) <= RULE_BYTES_MAX
    return rule_parts(text) if is_short else None
