"""Whether an error in generated code already settles that there is no yes.

Generated code may raise where CEL has an answer: the other side of an `||` decides, or
a double divided by zero is infinite. In most rules it cannot: a chain of comparisons
joined by `&&` is true only if every one of them is, so an absent attribute in one makes
it false or leaves it without an answer, and neither is a yes.
"""

from compiler.runtime.tree import Node, Op

#: They answer although an operand failed.
_ABSORBING = frozenset({Op.AND, Op.OR, Op.ALL, Op.EXISTS})


def never_true_once_raised(node: Node) -> bool:
    """Whether a condition whose generated code raises is certainly not true."""
    match node.op:
        case Op.AND:
            return all(map(never_true_once_raised, node.children))
        case Op.SEGMENT:
            return never_true_once_raised(node.children[0])
        case Op.ALL:
            range_, predicate = node.children
            return fails_once_raised(range_) and never_true_once_raised(predicate)
        case Op.IF:
            condition, *branches = node.children
            return fails_once_raised(condition) and all(
                map(never_true_once_raised, branches)
            )
        case _:
            return fails_once_raised(node)


def fails_once_raised(node: Node) -> bool:
    """Whether CEL has no answer either when the generated code of a node raises."""
    if node.op in _ABSORBING or (node.op is Op.DIV and node.type == "double"):
        return False
    return all(map(fails_once_raised, node.children))
