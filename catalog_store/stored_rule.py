"""One rule, compiled: what it means, and the code that answers."""

import msgspec


class StoredRule(msgspec.Struct, frozen=True, array_like=True):
    """One distinct rule or formula of an environment."""

    #: As its author wrote it.
    text: str
    #: Whether it is a weight formula; a condition otherwise.
    formula: bool
    #: The checked tree, canonically encoded: what the rule means.
    tree: bytes
    #: The marshalled code object: the tree for one Python and ABI.
    code: bytes
