"""Stored code and a stored tree to a rule that can be asked.

`fast` is the generated function: any exception that it raises means "ask the
interpreter", never "false". `evaluate` does both. Code is Python's own and must come
from a verified artifact: unmarshalling hostile bytes can do anything.
"""

import importlib.util
import linecache
import marshal
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Final

from compiler.runtime import interpreter
from compiler.runtime.encoding import decode
from compiler.runtime.interpreter import Slots
from compiler.runtime.tree import Tree
from compiler.runtime.values import GLOBALS, HELPER_ABI_VERSION

#: Code with another tag is rebuilt from its tree before it is linked.
CODE_TAG: Final = (
    f"{sys.implementation.cache_tag}-{importlib.util.MAGIC_NUMBER.hex()}"
    f"-abi{HELPER_ABI_VERSION}"
)


class LinkedRule:
    """One rule, ready to be asked about any contact; knows nothing that changes."""

    __slots__ = ("_tree", "fast", "tree_bytes")

    def __init__(
        self, fast: Callable[[Slots, Slots], bool | float], tree_bytes: bytes
    ) -> None:
        self.fast = fast
        self.tree_bytes = tree_bytes
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        # Most rules never need theirs: four conditions take 4.5 kB decoded, and the
        # linked rule without them 1.1 kB.
        if self._tree is None:
            self._tree = decode(self.tree_bytes)
        return self._tree

    # PERF: three conditions on attributes and one on the context, all true: 0.18 us for
    # `fast`, 0.20 us for the same lambda written by hand, 0.25 us for `evaluate`, 9 us
    # for the interpreter, 25 us for an absent attribute that leaves no answer (CPython
    # 3.11, two busy cores; the call itself, empty, is 0.1 us of each).
    def evaluate(self, contact: Slots, context: Slots) -> bool | float:
        """The answer; raises interpreter.EvaluationError when there is none."""
        try:
            return self.fast(contact, context)
        except Exception:
            # What was raised is not looked at: only the interpreter knows whether an
            # error matters, and where it is.
            return self.evaluate_exactly(contact, context)

    def evaluate_exactly(self, contact: Slots, context: Slots) -> bool | float:
        """The same without the generated code."""
        return interpreter.evaluate(self.tree, contact, context)


def link(code_bytes: bytes, tree_bytes: bytes) -> LinkedRule:
    """A rule from what is stored of it; raises ValueError if that is not a function.

    The code must be of this process's CODE_TAG.
    """
    code = marshal.loads(code_bytes)
    if not isinstance(code, CodeType):
        raise ValueError("the stored code of a rule is not code")
    return LinkedRule(FunctionType(code, GLOBALS), tree_bytes)


class TracebackSources:
    """Shows the texts of one revision's rules in tracebacks, until it is retired."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, None, list[str], str]] = {}

    def show(self, tree: Tree) -> None:
        """Add the text of a rule; a later revision's text of that name wins."""
        name, text = tree.sources[0]
        # The lines that positions count, not str.splitlines()'s; each ends in a newline
        # because traceback places its carets by that.
        lines = [f"{line}\n" for line in text.split("\n")]
        # An mtime of None keeps the entry through linecache.checkcache(): there is no
        # file to compare it with.
        entry = (len(text), None, lines, name)
        self._entries[name] = entry
        linecache.cache[name] = entry

    def forget(self) -> None:
        """Remove what is still this revision's, or every publish would leak texts."""
        for name, entry in self._entries.items():
            if linecache.cache.get(name) is entry:
                del linecache.cache[name]
        self._entries.clear()
