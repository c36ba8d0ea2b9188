"""Every mistake that a rule can contain: one constructor each.

A message names the thing, says what is wrong with it, and says what to write instead.
Its readers are offer managers, so it speaks of attributes and texts, not of protobuf.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nlargest

from catalog_store.records import RULE_BYTES_MAX
from compiler.runtime.tree import COMPREHENSION_DEPTH_MAX, TREE_NODES_MAX
from compiler.source import Diagnostic, Source, Span

#: Names listed in a message before it is cut off.
_NAMES_SHOWN_MAX = 12
#: Names that are compared letter by letter with one that is unknown.
_COMPARED_MAX = 16


def unknown_attribute(
    source: Source, span: Span, record: str, name: str, known: Iterable[str]
) -> Diagnostic:
    hint = _did_you_mean(name, known)
    return Diagnostic(source, span, f"unknown attribute {record}.{name}; {hint}")


def unknown_segment(
    source: Source, span: Span, name: str, known: Iterable[str]
) -> Diagnostic:
    hint = _did_you_mean(name, known)
    return Diagnostic(source, span, f"unknown segment {name!r}; {hint}")


def unknown_field(
    source: Source, span: Span, name: str, known: Iterable[str]
) -> Diagnostic:
    hint = _did_you_mean(name, known)
    return Diagnostic(source, span, f"a proposition has no field {name!r}; {hint}")


def unknown_name(
    source: Source, span: Span, name: str, known: Iterable[str]
) -> Diagnostic:
    hint = _did_you_mean(name, known)
    return Diagnostic(source, span, f"unknown name {name!r}; {hint}")


def record_left_out(source: Source, span: Span, record: str, name: str) -> Diagnostic:
    return Diagnostic(source, span, f"unknown name {name!r}; write {record}.{name}")


def int_out_of_range(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        "an int lies between -9223372036854775808 and 9223372036854775807; write a "
        "double, 1e19 say",
    )


def unknown_function(
    source: Source, span: Span, name: str, known: Iterable[str]
) -> Diagnostic:
    hint = _did_you_mean(name, known)
    return Diagnostic(source, span, f"unknown function {name}(); {hint}")


def wrong_operands(source: Source, span: Span, what: str, types: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{what} does not take {types}; {_operand_advice(what, types)}"
    )


def no_field_here(source: Source, span: Span, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{type_} has no fields; only contact, context, segment and one proposition "
        "of the history are followed by a dot and a name",
    )


def not_a_list(source: Source, span: Span, type_: str) -> Diagnostic:
    return Diagnostic(source, span, f"{type_} is not a list; all(), exists() need one")


def bad_syntax(source: Source, span: Span, reason: str) -> Diagnostic:
    return Diagnostic(source, span, f"syntax error: {reason}")


def front_end_error(source: Source, span: Span, reason: str) -> Diagnostic:
    """What the front end says in words that are not listed here."""
    return Diagnostic(source, span, reason)


def empty(source: Source) -> Diagnostic:
    return Diagnostic(
        source, source.whole(), "empty; leave it out, or write true for everybody"
    )


def not_text(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "not a character; remove NUL and unpaired surrogates"
    )


def too_long(source: Source, size: int) -> Diagnostic:
    return Diagnostic(
        source,
        source.whole(),
        f"{size} bytes; a rule has at most {RULE_BYTES_MAX}: move parts into segments",
    )


def too_deep(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "nested too deeply; move parts into segments of their own"
    )


def too_large(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"more than {TREE_NODES_MAX} operations once its segments are expanded; use "
        "fewer segments within segments",
    )


def too_many_loops(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"more than {COMPREHENSION_DEPTH_MAX} of all(), exists(), exists_one(), "
        "filter(), map() inside each other; compute the inner one as an attribute",
    )


def condition_not_bool(source: Source, span: Span, type_: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"a condition is true or false, this is {type_}; compare it"
    )


def cannot_be_stored(source: Source, span: Span, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"a {type_} cannot be stored with a proposition; make it a bool, an int, a "
        "double or a string",
    )


def not_known_here(source: Source, span: Span, name: str) -> Diagnostic:
    """`history` in a rule about one proposition, `proposition` in any other."""
    use = (
        "this rule is about one proposition: use `proposition`"
        if name == "history"
        else "use `history`, the contact's propositions"
    )
    return Diagnostic(source, span, f"{name!r} is not known here; {use}")


def formula_not_number(source: Source, span: Span, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"a weight is a number, this is {type_}; write condition ? 2.0 : 1.0, say",
    )


def record_as_value(source: Source, span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{name} is not a value; write {name}.<name of one of its own>"
    )


def has_needs_attribute(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        "has() asks whether an attribute is there; write has(contact.<name>) or "
        "has(context.<name>); segments and fields of propositions always are",
    )


def unsupported(source: Source, span: Span, what: str, instead: str) -> Diagnostic:
    return Diagnostic(source, span, f"{what} cannot be used in a rule; {instead}")


def list_as_value(source: Source, span: Span, function: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{function}() gives a list that only size(), all(), exists(), exists_one(), "
        "filter() or map() may take; write one of them around it",
    )


def mixed_types(source: Source, span: Span, what: str, types: str) -> Diagnostic:
    return Diagnostic(source, span, f"{what} mixes {types}; give all of them one type")


def constant_needed(source: Source, span: Span, what: str, example: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{what} must be a text in quotes, {example}, not computed"
    )


def bad_constant(
    source: Source, span: Span, what: str, text: str, reason: str
) -> Diagnostic:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return Diagnostic(source, span, f"{shown!r} is not a {what}: {reason}")


def segment_cycle(source: Source, span: Span, names: Iterable[str]) -> Diagnostic:
    path = " -> ".join(names)
    return Diagnostic(
        source, span, f"a segment cannot use itself: {path}; break the circle"
    )


def segment_refused(source: Source, span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"segment {name!r} has mistakes of its own; correct them first"
    )


def _operand_advice(what: str, types: str) -> str:
    if "proposition" in types:
        return "compare its fields, p.offer == 'gold_card' say"
    if "int" in types and "double" in types:
        return "use one kind of number: 2.0 instead of 2, or double(x), or int(x)"
    if "list(" in types and what == "contains()":
        return "write 'x' in contact.<list>"
    if "list(" in types and "null" in types:
        return "a list is never null; test has(), or size() == 0"
    if what == "[ ]" and types.startswith("contact"):
        return "write contact.<name>"
    return "give it values of types that fit"


def _likely(name: str, known: Iterable[str]) -> list[str]:
    """The names that share most pairs of letters with a name.

    PERF: comparing a name of 26 letters with 4,000 like it takes 217 ms; looking for
    those worth comparing, 9 ms (CPython 3.11, two busy cores).
    """
    pairs = {name[place : place + 2] for place in range(len(name) - 1)}

    def shared(candidate: str) -> int:
        return sum(pair in candidate for pair in pairs)

    return nlargest(_COMPARED_MAX, known, key=shared)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    by_folded = {candidate.lower(): candidate for candidate in names}
    likely = _likely(name.lower(), by_folded)
    close = get_close_matches(name.lower(), likely, n=1, cutoff=0.6)
    if close:
        return f"did you mean {by_folded[close[0]]!r}?"
    if not names:
        return "none is declared"
    more = ", ..." if len(names) > _NAMES_SHOWN_MAX else ""
    return f"known: {', '.join(names[:_NAMES_SHOWN_MAX])}{more}"
