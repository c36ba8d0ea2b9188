"""A catalog with its rules compiled: what one revision holds."""

import hashlib

import msgspec

from catalog_store.index_tables import EnvironmentIndex, RowSetIndex
from catalog_store.records import Environment
from catalog_store.stored_rule import StoredRule as StoredRule

_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class CompiledEnvironment(msgspec.Struct, frozen=True):
    """An environment, its distinct rules, and where each of them is used."""

    environment: Environment
    rules: tuple[StoredRule, ...]
    #: Field source name, such as `environments/bank/offers/gold:rule`, -> index.
    rule_of: dict[str, int]
    index: EnvironmentIndex
    #: Field source name, such as `environments/bank/offers/gold:content.title`, -> the
    #: encoded template; contents without tags are none.
    templates: dict[str, bytes] = {}


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
            index = _without_code(compiled.index)
            # Pairs, sorted here: msgspec 0.22 sorts the keys of a large mapping in
            # quadratic time, 2 s for 30,000 of them, and with 300,000 it overflows the
            # stack and ends the process.
            rule_of = sorted(compiled.rule_of.items())
            templates = sorted(compiled.templates.items())
            for part in (rule_of, index, templates):
                encoded = _encode(part)
                sha256.update(len(encoded).to_bytes(8, "big") + encoded)
        return sha256.hexdigest()


def _without_code(index: EnvironmentIndex) -> EnvironmentIndex:
    offer_index = index.offer_index
    return msgspec.structs.replace(
        index,
        row_index=_trees_only(index.row_index),
        offer_index=None if offer_index is None else _trees_only(offer_index),
    )


def _trees_only(row_set: RowSetIndex) -> RowSetIndex:
    predicates = tuple(
        msgspec.structs.replace(predicate, code=b"") for predicate in row_set.predicates
    )
    return msgspec.structs.replace(row_set, predicates=predicates)
