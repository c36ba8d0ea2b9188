"""Segments: named conditions that rules use as `segment.<name>`.

A use is replaced by the segment's whole tree, so a compiled rule stands alone, and an
index can look through a segment at what it is made of.
"""

from collections.abc import Iterator, Mapping

from compiler import diagnostics
from compiler.check import Kind, check
from compiler.runtime.tree import (
    COMPREHENSION_DEPTH_MAX,
    COMPREHENSIONS,
    TREE_DEPTH_MAX,
    TREE_NODES_MAX,
    Node,
    Op,
    Tree,
    walk,
)
from compiler.schema import Schema
from compiler.source import Diagnostic, Refused, Source, Span

#: Compiled segments by name.
Segments = Mapping[str, Tree]


def compile_segments(sources: Mapping[str, Source], schema: Schema) -> Segments:
    """Every segment, each with those that it uses expanded.

    The schema names the segments that rules may use; those are the keys of `sources`.
    Raises Refused with the diagnostics of all of them.
    """
    found: list[Diagnostic] = []
    checked: dict[str, Node] = {}
    for name, source in sources.items():
        try:
            checked[name] = check(source, schema, Kind.CONDITION)
        except Refused as refused:
            found.extend(refused.diagnostics)
    compiled: dict[str, Tree] = {}
    for name in _users_last(checked, sources, found):
        try:
            compiled[name] = expand(sources[name], checked[name], compiled)
        except Refused as refused:
            # A segment that uses a refused one only repeats what is known.
            if not found:
                found.extend(refused.diagnostics)
    if found:
        raise Refused(found)
    return compiled


def expand(source: Source, root: Node, segments: Segments) -> Tree:
    """A checked rule with each segment replaced by its tree.

    Raises Refused when a segment is not among those given, or the whole is too large.
    """
    uses = [node for node in walk(root) if node.op is Op.SEGMENT]
    if not uses:
        # PERF: 10 us instead of 80 us; the front end has checked all that follows.
        return Tree(((source.name, source.text),), root)
    unknown = [
        diagnostics.segment_refused(source, Span(*use.span), _name(use))
        for use in uses
        if _name(use) not in segments
    ]
    if unknown:
        raise Refused(unknown)
    size = sum(1 for _ in walk(root))
    for use in uses:
        size += sum(1 for _ in walk(segments[_name(use)].root))
        if size > TREE_NODES_MAX:
            raise Refused([diagnostics.too_large(source, Span(*use.span))])
    sources = {(source.name, source.text): 0}
    expanded = _expanded(root, segments, sources)
    _check_depths(source, expanded)
    return Tree(tuple(sources), expanded)


def _expanded(
    node: Node, segments: Segments, sources: dict[tuple[str, str], int]
) -> Node:
    if node.op is not Op.SEGMENT:
        children = tuple(_expanded(child, segments, sources) for child in node.children)
        return node._replace(children=children)
    tree = segments[_name(node)]
    numbers = [sources.setdefault(source, len(sources)) for source in tree.sources]
    return node._replace(
        value=(_name(node), numbers[0]), children=(_renumbered(tree.root, numbers),)
    )


def _renumbered(node: Node, numbers: list[int]) -> Node:
    children = tuple(_renumbered(child, numbers) for child in node.children)
    if node.op is Op.SEGMENT and isinstance(node.value, tuple):
        name, index = node.value
        assert isinstance(index, int)
        return node._replace(value=(name, numbers[index]), children=children)
    return node._replace(children=children)


def _check_depths(source: Source, root: Node) -> None:
    """The limits that segments within segments can break."""
    # Each entry: node, its depth, comprehensions around it, the span in this source.
    pending = [(root, 0, 0, root.span, False)]
    while pending:
        node, depth, loops, span, inside = pending.pop()
        span = span if inside else node.span
        if depth > TREE_DEPTH_MAX:
            raise Refused([diagnostics.too_deep(source, Span(*span))])
        if loops > COMPREHENSION_DEPTH_MAX:
            raise Refused([diagnostics.too_many_loops(source, Span(*span))])
        inside = inside or node.op is Op.SEGMENT
        for index, child in enumerate(node.children):
            deeper = loops + (node.op in COMPREHENSIONS and index > 0)
            pending.append((child, depth + 1, deeper, span, inside))


def _users_last(
    checked: Mapping[str, Node], sources: Mapping[str, Source], found: list[Diagnostic]
) -> Iterator[str]:
    """Names in an order in which a segment comes after those that it uses."""
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> Iterator[str]:
        if len(path) > TREE_DEPTH_MAX:
            source = sources[name]
            found.append(diagnostics.too_deep(source, source.whole()))
            return
        path.append(name)
        for use in walk(checked[name]):
            if use.op is not Op.SEGMENT or _name(use) not in checked:
                continue
            used = _name(use)
            if used in path:
                circle = [*path[path.index(used) :], used]
                found.append(
                    diagnostics.segment_cycle(sources[name], Span(*use.span), circle)
                )
            elif used not in done:
                yield from visit(used)
        path.pop()
        done.add(name)
        yield name

    for name in checked:
        if name not in done:
            yield from visit(name)


def _name(use: Node) -> str:
    assert isinstance(use.value, tuple), use
    return str(use.value[0])
