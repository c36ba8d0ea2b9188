"""Rules from text to what is stored: the pipeline, on one screen."""

import marshal
from collections.abc import Iterator
from types import CodeType, MappingProxyType
from typing import NamedTuple

from compiler.check import Kind, check
from compiler.emitter import emit, python_text
from compiler.runtime.encoding import decode, encode
from compiler.runtime.linker import CODE_TAG
from compiler.runtime.tree import Node, Op, Tree
from compiler.schema import Schema
from compiler.segments import Segments, expand
from compiler.source import Source

__all__ = [
    "CODE_TAG",
    "CompiledRule",
    "Kind",
    "code_bytes",
    "code_of",
    "compile_rule",
    "explain_rule",
    "rebuild_code",
]

#: Newer formats of marshal write the same code in several ways, after reference counts.
_MARSHAL_VERSION = 2
_NO_SEGMENTS: Segments = MappingProxyType({})


class CompiledRule(NamedTuple):
    """A rule as it is stored: its tree for ever, its code for one Python version."""

    tree: Tree
    tree_bytes: bytes
    #: Marshalled; of this process's CODE_TAG.
    code: bytes


def compile_rule(
    source: Source, schema: Schema, kind: Kind, segments: Segments = _NO_SEGMENTS
) -> CompiledRule:
    """Compile a rule; raises Refused with every diagnostic found.

    `segments` are those of `compiler.segments.compile_segments`, for the same schema.
    """
    checked = check(source, schema, kind)
    tree = expand(source, checked, segments)
    return CompiledRule(tree, encode(tree), code_of(tree))


def code_of(tree: Tree) -> bytes:
    """The marshalled code of a tree: of a whole rule, or of a part of one."""
    return code_bytes(emit(tree))


def code_bytes(code: CodeType) -> bytes:
    """Code as it is stored."""
    return marshal.dumps(code, _MARSHAL_VERSION)


def rebuild_code(tree_bytes: bytes) -> bytes:
    """The code of a stored tree for this Python; raises EncodingError if it is none.

    Needs no CEL front end: what was checked once stays checked.
    """
    return code_of(decode(tree_bytes))


def explain_rule(tree: Tree) -> str:
    """The tree and the generated Python, for people: `propono rule explain`."""
    texts = [text for _, text in tree.sources]
    lines = ["tree:", *_tree_lines(tree.root, texts, 0, depth=1)]
    lines += ["", "python:"]
    lines += [f"  {line}" for line in python_text(tree).splitlines()]
    return "\n".join(lines) + "\n"


def _tree_lines(node: Node, texts: list[str], source: int, depth: int) -> Iterator[str]:
    start, stop = node.span
    shown = " ".join(texts[source][start:stop].split())
    yield f"{'  ' * depth}{_label(node)}: {node.type}    # {shown}"
    if node.op is Op.SEGMENT and isinstance(node.value, tuple):
        source = int(str(node.value[1]))
    for child in node.children:
        yield from _tree_lines(child, texts, source, depth + 1)


def _label(node: Node) -> str:
    match node.op, node.value:
        case ((Op.SLOT | Op.PRESENT), (record, slot, name)):
            return f"{node.op} {record}[{slot}] {name}"
        case Op.SEGMENT, (name, *_):
            return f"{node.op} {name}"
        case Op.FIELD, (_, name):
            return f"{node.op} {name}"
        case Op.PART, (function, zone):
            return f"{node.op} {function} {zone or 'UTC'}"
        case Op.CONSTANT, value:
            return f"{node.op} {value!r}"
        case op, None:
            return str(op)
        case op, value:
            return f"{op} {value!r}"
