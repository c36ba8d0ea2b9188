"""A catalog with its rules compiled: what one revision holds."""

import hashlib

import msgspec

from catalog_store.records import Environment

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


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


class CompiledEnvironment(msgspec.Struct, frozen=True):
    """An environment, its distinct rules, and where each of them is used."""

    environment: Environment
    rules: tuple[StoredRule, ...]
    #: Field source name, such as `environments/bank/offers/gold:rule`, -> index.
    rule_of: dict[str, int]


class CompiledCatalog(msgspec.Struct, frozen=True):
    """Everything that one revision decides with."""

    environments: tuple[CompiledEnvironment, ...]
    #: The Python and the ABI that the code objects are for.
    code_tag: str

    def digest(self) -> str:
        """What the catalog says, in 64 hexadecimal digits.

        Covers records and trees, never code: marshalled code differs between two
        compilations of the same rule.
        """
        sha256 = hashlib.sha256(b"propono-catalog-1\0")
        for compiled in self.environments:
            record = _encode(compiled.environment)
            sha256.update(len(record).to_bytes(8, "big") + record)
            for rule in compiled.rules:
                sha256.update(len(rule.tree).to_bytes(8, "big") + rule.tree)
            uses = _encode(compiled.rule_of)
            sha256.update(len(uses).to_bytes(8, "big") + uses)
        return sha256.hexdigest()
