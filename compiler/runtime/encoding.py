"""Trees as bytes: one encoding per tree, on every machine and Python version.

    tree    = "rule" 0x02, sources, node
    sources = count, then name and text of each
    node    = index of the op (one byte), type, start, stop, value, count, children
    text    = length in bytes, UTF-8
    value   = one letter, then: n null, t true, f false, i int64, d double (both eight
              bytes, big end first), s text, l count and values

Counts, lengths and positions are varints of seven bits a byte, low bits first. The
generated code is a function of these bytes and of the Python version, of nothing else.

There are two digests. `digest` of the encoding says whether a rule must be compiled
again. `meaning` leaves out sources and positions, and the wrapping of segments: two
conditions with the same meaning have the same answer, so an index evaluates one.
"""

import hashlib
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NoReturn

from compiler.runtime.history import PROPOSITION, PROPOSITION_FIELDS
from compiler.runtime.tree import (
    CONTEXT_CHANNEL,
    CONTEXT_SPACE,
    INT64_MAX,
    INT64_MIN,
    TREE_DEPTH_MAX,
    TREE_NODES_MAX,
    Node,
    Op,
    Tree,
    Value,
    slot_of,
)

#: Goes up when the same bytes would mean another rule: 2 moved the context's slots.
_MAGIC = b"rule\x02"
_OPS = tuple(Op)
_OP_BYTES = {op: bytes((index,)) for index, op in enumerate(_OPS)}
#: Children that an op takes; ops not listed take exactly two.
_ARITY = {
    **dict.fromkeys(
        (Op.CONSTANT, Op.SLOT, Op.PRESENT, Op.VARIABLE, Op.HISTORY), (0, 0)
    ),
    **dict.fromkeys((Op.NOT, Op.NEGATE, Op.SIZE, Op.INT, Op.DOUBLE), (1, 1)),
    **dict.fromkeys((Op.MATCHES, Op.PART, Op.SEGMENT, Op.FIELD), (1, 1)),
    **dict.fromkeys((Op.AND, Op.OR), (2, TREE_NODES_MAX)),
    Op.LIST: (0, TREE_NODES_MAX),
    Op.IF: (3, 3),
}


class EncodingError(ValueError):
    """Bytes that no tree encodes to."""


class MovableNode:
    """A node without segments, encoded once for every place where it stands."""

    __slots__ = ("_pieces", "_spans", "meaning")

    def __init__(self, node: Node) -> None:
        out = bytearray()
        moving: list[tuple[int, int, int]] = []
        _write_node(out, node, positions=True, moving=moving)
        ends = [at for at, _, _ in moving]
        self._pieces = [
            bytes(out[start:stop])
            for start, stop in zip([0, *ends], [*ends, len(out)], strict=True)
        ]
        self._spans = [span for _, *span in moving]
        #: The digest that `meaning` gives.
        self.meaning = hashlib.sha256(out).digest()

    def encoded_at(self, offset: int) -> bytes:
        """What encoding gives when the node stands so much further on."""
        pieces = self._pieces
        out = [pieces[0]]
        for (start, stop), piece in zip(self._spans, pieces[1:], strict=True):
            out += (_count(start + offset), _count(stop + offset), piece)
        return b"".join(out)


def encode_conjunction(
    source: tuple[str, str], span: tuple[int, int], operands: Sequence[bytes]
) -> bytes:
    """The encoding of a tree of one source, given those of its operands.

    One operand is the tree itself; several are the children of an AND with the span.
    """
    out = bytearray(_MAGIC)
    _write_count(out, 1)
    for text in source:
        _write_text(out, text)
    if len(operands) > 1:
        out += _head(Op.AND, "bool")
        out += _count(span[0]) + _count(span[1])
        _write_value(out, None)
        _write_count(out, len(operands))
    return bytes(out) + b"".join(operands)


def source_name(data: bytes) -> bytes:
    """The name, in UTF-8, of the first source of an encoded tree of our own."""
    _, at = _read_count(data, len(_MAGIC))
    size, at = _read_count(data, at)
    return data[at : at + size]


def sources_of(data: bytes) -> bytes:
    """The sources of an encoded tree of our own, as they are encoded."""
    count, at = _read_count(data, len(_MAGIC))
    for _ in range(2 * count):
        size, at = _read_count(data, at)
        at += size
    return data[:at]


def _read_count(data: bytes, at: int) -> tuple[int, int]:
    """A count of an encoding that is trusted, and where it ends."""
    count = shift = 0
    while True:
        byte = data[at]
        at += 1
        count |= (byte & 0x7F) << shift
        if byte < 0x80:
            return count, at
        shift += 7


def encode(tree: Tree) -> bytes:
    """The one encoding of a tree."""
    out = bytearray(_MAGIC)
    _write_count(out, len(tree.sources))
    for name, text in tree.sources:
        _write_text(out, name)
        _write_text(out, text)
    _write_node(out, tree.root, positions=True)
    return bytes(out)


def decode(data: bytes) -> Tree:
    """The tree that `encode` made these bytes from; raises EncodingError otherwise."""
    reader = _Reader(data)
    tree = reader.tree()
    # Bytes with a second spelling of the same tree (overlong counts, say) would have
    # a second digest.
    if encode(tree) != data:
        raise EncodingError("not the canonical encoding of its tree")
    return tree


def digest(data: bytes) -> bytes:
    """sha256 of an encoding."""
    return hashlib.sha256(data).digest()


def meaning(root: Node) -> bytes:
    """sha256 of what a node computes, whatever text it was written as."""
    out = bytearray()
    _write_node(out, root, positions=False)
    return hashlib.sha256(out).digest()


def reads_history(data: bytes) -> bool:
    """Whether an encoded rule reads the history; in doubt, yes.

    PERF: told from the bytes, because four conditions take 160 us to decode and most
    rules never need their tree; this and `reads_space` take 2 us. A text could hold the
    same bytes, which costs time and nothing else.
    """
    return _HISTORY_NODE in data


def reads_space(data: bytes) -> bool:
    """Whether an encoded rule reads context.channel or context.space; in doubt, yes."""
    return _CHANNEL_SLOT in data or _SPACE_SLOT in data


def _write_node(
    out: bytearray,
    node: Node,
    *,
    positions: bool,
    moving: list[tuple[int, int, int]] | None = None,
) -> None:
    # A segment only asks that its tree give a bool, which most do by their type.
    while not positions and node.op is Op.SEGMENT and node.children[0].type == "bool":
        node = node.children[0]
    out += _head(node.op, node.type)
    if moving is not None:
        moving.append((len(out), *node.span))
    elif positions:
        _write_count(out, node.span[0])
        _write_count(out, node.span[1])
    named = positions or node.op is not Op.SEGMENT
    _write_value(out, node.value if named else None)
    _write_count(out, len(node.children))
    for child in node.children:
        _write_node(out, child, positions=positions, moving=moving)


# PERF: a condition is encoded in 13 us, and in 15 us if types are encoded anew.
@lru_cache(maxsize=4_096)
def _head(op: Op, type_: str) -> bytes:
    """How a node begins."""
    out = bytearray(_OP_BYTES[op])
    _write_text(out, type_)
    return bytes(out)


def _write_value(out: bytearray, value: Value) -> None:
    match value:
        case None:
            out += b"n"
        case bool():
            out += b"t" if value else b"f"
        case int():
            out += b"i" + value.to_bytes(8, "big", signed=True)
        case float():
            out += b"d" + struct.pack(">d", value)
        case str():
            out += b"s"
            _write_text(out, value)
        case tuple():
            out += b"l"
            _write_count(out, len(value))
            for item in value:
                _write_value(out, item)


def _write_text(out: bytearray, text: str) -> None:
    data = text.encode()
    _write_count(out, len(data))
    out += data


def _write_count(out: bytearray, count: int) -> None:
    while count > 0x7F:
        out.append(count & 0x7F | 0x80)
        count >>= 7
    out.append(count)


@lru_cache(maxsize=8_192)
def _count(count: int) -> bytes:
    out = bytearray()
    _write_count(out, count)
    return bytes(out)


class _Reader:
    """Reads untrusted bytes: nothing is believed before it is checked."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._nodes = 0

    def tree(self) -> Tree:
        if self._take(len(_MAGIC)) != _MAGIC:
            self._refuse("does not start as a rule does")
        sources = tuple(
            (self._text(), self._text()) for _ in range(self._count(at_least=2))
        )
        if not sources:
            self._refuse("has no source")
        root = self._node(len(sources), depth=0)
        if self._at != len(self._data):
            self._refuse("goes on after its tree")
        return Tree(sources, root)

    def _node(self, source_count: int, depth: int) -> Node:
        self._nodes += 1
        if depth > TREE_DEPTH_MAX or self._nodes > TREE_NODES_MAX:
            self._refuse("is deeper or larger than any rule")
        number = self._take(1)[0]
        if number >= len(_OPS):
            self._refuse(f"uses unknown operation {number}")
        op = _OPS[number]
        type_ = self._text()
        span = (self._count(), self._count())
        value = self._value(depth)
        count = self._count(at_least=1)
        low, high = _ARITY.get(op, (2, 2))
        if not low <= count <= high:
            self._refuse(f"gives {op} {count} operands")
        children = tuple(self._node(source_count, depth + 1) for _ in range(count))
        node = Node(op, type_, span, children, value)
        self._check_value(node, source_count)
        return node

    def _check_value(self, node: Node, source_count: int) -> None:
        match node.op, node.value:
            case ((Op.SLOT | Op.PRESENT), _):
                try:
                    record, slot, _ = slot_of(node)
                except ValueError as error:
                    self._refuse(str(error))
                sound = record in ("contact", "context") and slot >= 0
            case Op.SEGMENT, (str(), int(index)):
                sound = 0 <= index < source_count
            case Op.PART, (str(), str()):
                sound = True
            case Op.FIELD, (int(index), str(name)):
                sound = (name, node.type) == _field(index)
            case Op.MATCHES, str():
                sound = True
            case ((Op.SEGMENT | Op.PART | Op.MATCHES | Op.FIELD), _):
                sound = False
            case Op.VARIABLE | Op.ALL | Op.EXISTS | Op.ONE | Op.FILTER | Op.MAP, number:
                sound = type(number) is int and 0 <= number <= TREE_DEPTH_MAX
            case Op.CONSTANT, _:
                sound = True
            case _, value:
                sound = value is None
        if not sound:
            self._refuse(f"gives {node.op} the value {node.value!r}")

    def _value(self, depth: int) -> Value:
        if depth > TREE_DEPTH_MAX:
            self._refuse("nests a list deeper than any rule")
        match self._take(1):
            case b"n":
                return None
            case b"t":
                return True
            case b"f":
                return False
            case b"i":
                return int.from_bytes(self._take(8), "big", signed=True)
            case b"d":
                return float(struct.unpack(">d", self._take(8))[0])
            case b"s":
                return self._text()
            case b"l":
                count = self._count(at_least=1)
                return tuple(self._value(depth + 1) for _ in range(count))
            case other:
                self._refuse(f"uses unknown value {other!r}")

    def _text(self) -> str:
        try:
            return self._take(self._count()).decode()
        except UnicodeDecodeError:
            self._refuse("holds text that is not UTF-8")

    def _count(self, at_least: int = 0) -> int:
        """A varint; a count of things of `at_least` bytes must fit what is left."""
        count = shift = 0
        while True:
            byte = self._take(1)[0]
            count |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 28:
                self._refuse("holds a count that is too long")
        if count * at_least > len(self._data) - self._at:
            self._refuse("ends before what it announces")
        return count

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        if len(taken) != size:
            self._refuse("ends too early")
        self._at += size
        return taken

    def _refuse(self, what: str) -> NoReturn:
        raise EncodingError(f"encoded rule {what} (byte {self._at})")


def _field(index: int) -> tuple[str, str] | None:
    in_range = 0 <= index < len(PROPOSITION_FIELDS)
    return PROPOSITION_FIELDS[index] if in_range else None


def _history_node() -> bytes:
    out = bytearray(_OP_BYTES[Op.HISTORY])
    _write_text(out, f"list({PROPOSITION})")
    return bytes(out)


def _slot_value(name: str, index: int) -> bytes:
    out = bytearray()
    _write_value(out, ("context", index, name))
    return bytes(out)


_HISTORY_NODE = _history_node()
_CHANNEL_SLOT = _slot_value("channel", CONTEXT_CHANNEL)
_SPACE_SLOT = _slot_value("space", CONTEXT_SPACE)


assert INT64_MAX - INT64_MIN == 2**64 - 1, "ints are stored in eight bytes"
