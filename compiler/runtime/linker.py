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

from compiler.runtime import encoding, interpreter
from compiler.runtime.encoding import decode
from compiler.runtime.finality import fails_once_raised, never_true_once_raised
from compiler.runtime.history import History
from compiler.runtime.interpreter import Slots
from compiler.runtime.tree import Tree
from compiler.runtime.values import GLOBALS, HELPER_ABI_VERSION

#: Code with another tag is rebuilt from its tree before it is linked.
CODE_TAG: Final = (
    f"{sys.implementation.cache_tag}-{importlib.util.MAGIC_NUMBER.hex()}"
    f"-abi{HELPER_ABI_VERSION}"
)


class LinkedRule:
    """One rule, ready to be asked about any contact; knows nothing that changes.

    Asked with the slots of the contact, those of the context, and the history; a rule
    that does not read the history may be asked without it.
    """

    __slots__ = (
        "_settled",
        "_tree",
        "fast",
        "reads_history",
        "reads_space",
        "tree_bytes",
    )

    def __init__(self, fast: Callable[..., bool | float], tree_bytes: bytes) -> None:
        self.fast = fast
        self.tree_bytes = tree_bytes
        #: Whether it reads `history`.
        self.reads_history = encoding.reads_history(tree_bytes)
        #: Whether it reads context.channel or context.space, and so has one answer for
        #: each space of a call.
        self.reads_space = encoding.reads_space(tree_bytes)
        self._tree: Tree | None = None
        #: Whether an error in `fast` settles the answer; None until one is met.
        self._settled: bool | None = None

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
    def evaluate(
        self, contact: Slots, context: Slots, history: History = ()
    ) -> bool | float:
        """The answer; raises interpreter.EvaluationError when there is none."""
        try:
            return self.fast(contact, context, history)
        except Exception:
            # What was raised is not looked at: only the interpreter knows whether an
            # error matters, and where it is.
            return self.evaluate_exactly(contact, context, history)

    def evaluate_exactly(
        self, contact: Slots, context: Slots, history: History = ()
    ) -> bool | float:
        """The same without the generated code."""
        return interpreter.evaluate(self.tree, contact, context, history)

    # PERF: an absent attribute in a chain of four comparisons takes 18 us if `evaluate`
    # is asked, and 1.0 us here; in a rule of one comparison 9 us, and 1.0 us. Where the
    # attribute is there, this costs 0.01 us more (CPython 3.11, two busy cores).
    def holds(
        self, contact: Slots, context: Slots, history: History = ()
    ) -> bool | None:
        """Whether a condition is true; None where something raised and it is not.

        Where an error settles the answer it is not looked into, so that None may be
        said of what is false.
        """
        try:
            return self.fast(contact, context, history) is True
        except Exception:
            if self._is_settled():
                return None
        try:
            return self.evaluate_exactly(contact, context, history) is True
        except interpreter.EvaluationError:
            return None

    def weight(
        self, contact: Slots, context: Slots, history: History = ()
    ) -> float | None:
        """What a formula gives; None when it has no answer."""
        try:
            return self.fast(contact, context, history)
        except Exception:
            if self._is_settled():
                return None
        try:
            return self.evaluate_exactly(contact, context, history)
        except interpreter.EvaluationError:
            return None

    def value(
        self, contact: Slots, context: Slots, history: History = ()
    ) -> bool | float | str | None:
        """What an expression gives; None when it has no answer, or null."""
        try:
            return self.fast(contact, context, history)
        except Exception:
            pass
        try:
            return interpreter.evaluate_any(self.tree, contact, context, history)
        except interpreter.EvaluationError:
            return None

    def _is_settled(self) -> bool:
        """Whether what `fast` raised leaves only "not true", or "no number"."""
        if self._settled is None:
            # The tree is not kept for this: most rules need nothing else of it.
            root = (self._tree or decode(self.tree_bytes)).root
            is_condition = root.type.startswith("bool")
            settles = never_true_once_raised if is_condition else fails_once_raised
            self._settled = settles(root)
        return self._settled


def link(code_bytes: bytes, tree_bytes: bytes) -> LinkedRule:
    """A rule from what is stored of it; raises ValueError if that is not a function.

    The code must be of this process's CODE_TAG.
    """
    code = marshal.loads(code_bytes)
    if not isinstance(code, CodeType):
        raise ValueError("the stored code of a rule is not code")
    return LinkedRule(FunctionType(code, GLOBALS, None, _NO_HISTORY), tree_bytes)


#: The defaults of a generated function: an empty history.
_NO_HISTORY: Final = ((),)


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
