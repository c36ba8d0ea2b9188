"""The types of expressions, written as `compiler.runtime.tree` stores them."""

from compiler.runtime.tree import element_type

#: The type of what could not be lowered; a diagnostic says why.
ERROR = "error"
#: The element type of the empty list; it fits every other.
NEVER = "never"


def strip(type_: str) -> str:
    """The type without its `?`."""
    return type_.removesuffix("?")


def shown(type_: str) -> str:
    """The type as messages write it: whether it may be null does not matter there."""
    return type_.replace("?", "").replace(f"list({NEVER})", "an empty list")


def join(left: str, right: str) -> str | None:
    """The type that holds values of both, or None when CEL would mix them."""
    if left in (NEVER, right):
        return right
    if right == NEVER:
        return left
    if "null" in (left, right):
        other = right if left == "null" else left
        return other if other.endswith("?") else f"{other}?"
    mark = "?" if left.endswith("?") or right.endswith("?") else ""
    left, right = strip(left), strip(right)
    if left.startswith("list(") and right.startswith("list("):
        element = join(element_type(left), element_type(right))
        return None if element is None else f"list({element}){mark}"
    return f"{left}{mark}" if left == right else None
