"""A rule as a tree: what the front end's answer becomes and what is stored.

Every node is one `Node`; its `op` says how `value` and `children` are read:

    op                     children            value
    CONSTANT                                   the value; tuples are lists
    SLOT, PRESENT                              (record, slot, name)
    VARIABLE                                   number of its comprehension, outermost 0
    HISTORY                                    the contact's propositions
    FIELD                  a proposition       (slot, name)
    LIST                   elements
    AND, OR                two or more
    NOT, NEGATE            one
    IF                     condition, then, else
    EQ NE LT LE GT GE IN   left, right
    ADD SUB MUL DIV MOD    left, right
    INDEX                  list, index
    SIZE, INT, DOUBLE      one
    STARTS_WITH and so on  string, string
    MATCHES                string              RE2 pattern
    PART                   timestamp/duration  (function, time zone; "" is UTC)
    ALL EXISTS ONE         list, predicate     number of its variable
    FILTER, MAP            list, body          number of its variable
    SEGMENT                its tree            (name, index of its source)

Types are written as in CEL (`int`, `list(string)`); a `?` marks a value that may be
null. `list(never)` is the empty list, `proposition` an element of the history. Spans
are code points of the source that the nearest SEGMENT above names, or of the first
source.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

#: Bounds recursion wherever a tree is walked; the front end itself stops at 32, and
#: only segments within segments come near this.
TREE_DEPTH_MAX = 96
#: Nodes of one rule with its segments expanded: segments that use each other twice
#: would otherwise double at each step.
TREE_NODES_MAX = 10_000
#: Lists within lists that one rule may walk.
COMPREHENSION_DEPTH_MAX = 2

#: Slots of the context that every environment has, before those that it declares.
CONTEXT_NOW = 0
CONTEXT_CHANNEL = 1
CONTEXT_SPACE = 2

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1


class Op(StrEnum):
    """What a node does; see the table above."""

    CONSTANT = "constant"
    SLOT = "slot"
    PRESENT = "present"
    VARIABLE = "variable"
    LIST = "list"
    AND = "and"
    OR = "or"
    NOT = "not"
    IF = "if"
    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "in"
    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    MOD = "%"
    NEGATE = "negate"
    INDEX = "index"
    SIZE = "size"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    CONTAINS = "contains"
    MATCHES = "matches"
    INT = "int"
    DOUBLE = "double"
    PART = "part"
    ALL = "all"
    EXISTS = "exists"
    ONE = "exists_one"
    FILTER = "filter"
    MAP = "map"
    SEGMENT = "segment"
    # Stored by their place in this list: new ones come last.
    HISTORY = "history"
    FIELD = "field"


#: They bind a variable to each element of their first child.
COMPREHENSIONS = frozenset({Op.ALL, Op.EXISTS, Op.ONE, Op.FILTER, Op.MAP})

#: What a node may hold; nested tuples are lists.
Value = bool | int | float | str | None | tuple["Value", ...]


class Node(NamedTuple):
    """One operation, its type and the code points `[start, stop)` it was read from."""

    op: Op
    type: str
    span: tuple[int, int]
    children: "tuple[Node, ...]" = ()
    value: Value = None


class Tree(NamedTuple):
    """A whole rule: its root, and the (name, text) of each source it came from.

    The first source is the rule's own; the others are those of its segments. The
    root's type is `bool` or `bool?` in a condition, `double` or `double?` in a weight
    formula; a null result is an error when the rule runs.
    """

    sources: tuple[tuple[str, str], ...]
    root: Node


def slot_of(node: Node) -> tuple[str, int, str]:
    """The record, slot and name that a SLOT or PRESENT node reads."""
    match node.value:
        case (str(record), int(slot), str(name)):
            return record, slot, name
        case _:
            raise ValueError(f"{node.op} holds {node.value!r}, not a slot")


def conjuncts(root: Node) -> Iterator[Node]:
    """The conditions that must all be true, in order, each complete in itself.

    A condition from inside a segment stays wrapped in it, so that its positions still
    name their source.
    """
    if root.op is Op.AND:
        for child in root.children:
            yield from conjuncts(child)
    elif root.op is Op.SEGMENT and root.children[0].op is Op.AND:
        for inner in conjuncts(root.children[0]):
            yield root._replace(children=(inner,))
    else:
        yield root


def walk(root: Node) -> Iterator[Node]:
    """Every node, parents before children, left to right."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children))


def element_type(list_type: str) -> str:
    """`list(int?)` -> `int?`; raises ValueError for another type."""
    plain = list_type.removesuffix("?")
    if not (plain.startswith("list(") and plain.endswith(")")):
        raise ValueError(f"{list_type} is not a list")
    return plain[len("list(") : -1]
