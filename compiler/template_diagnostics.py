"""Every mistake that a template can contain: one constructor each.

Those that rules share are in `compiler.diagnostics`: unknown names, texts that are not.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from catalog_store.records import NAME_MAX
from compiler.source import Diagnostic, Source, Span


def too_long(source: Source, size: int, bytes_max: int) -> Diagnostic:
    # The text is left out: nobody wants to see it, and it may have megabytes.
    return Diagnostic(
        Source(source.name, ""),
        Span(0, 0),
        f"{size} bytes; a template has at most {bytes_max}: shorten it",
    )


def too_many_tags(source: Source, span: Span, tags_max: int) -> Diagnostic:
    return Diagnostic(
        source, span, f"more than {tags_max} tags; spread the text over several fields"
    )


def tag_too_long(source: Source, span: Span, tokens_max: int) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"more than {tokens_max} words and signs in one tag; write a segment, or an "
        "attribute, that says the same",
    )


def too_deep(source: Source, span: Span, what: str, depth_max: int) -> Diagnostic:
    return Diagnostic(
        source, span, f"more than {depth_max} {what} inside each other; use elif, and"
    )


def never_closed(source: Source, span: Span, closing: str) -> Diagnostic:
    opening = source.text[span.start : span.stop]
    return Diagnostic(source, span, f"{opening} is never closed; write {closing}")


def unexpected_sign(source: Source, span: Span) -> Diagnostic:
    sign = source.text[span.start : span.stop]
    if sign in "'\"":
        return Diagnostic(source, span, f"this text is never closed; write {sign}")
    return Diagnostic(
        source, span, f"{sign!r} does not belong here; close what was opened before it"
    )


def empty_tag(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(source, span, "an empty tag; write a name in it, or remove it")


def goes_on(source: Source, span: Span, text: str, allowed: str) -> Diagnostic:
    return Diagnostic(source, span, f"{text!r} cannot stand here; {allowed}")


def ends_early(source: Source, span: Span, expected: str) -> Diagnostic:
    return Diagnostic(source, span, f"the tag ends too early; {expected} is missing")


def refused_tag(source: Source, span: Span, name: str, instead: str) -> Diagnostic:
    return Diagnostic(source, span, f"{name!r} cannot be used in a template; {instead}")


def without_if(source: Source, span: Span, name: str) -> Diagnostic:
    return Diagnostic(source, span, f"{name} without an if; write {{% if %}} before it")


def after_else(source: Source, span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{name} after else; else comes last, write elif before it"
    )


def else_if(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(source, span, "else if is one word here; write elif")


def name_needed(source: Source, span: Span, text: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{text} is not a name; write contact.<name> say, and constants as plain text",
    )


def record_not_here(source: Source, span: Span, record: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{record} is not known here; only renderings and acceptance URLs can name it",
    )


def record_alone(
    source: Source, span: Span, record: str, known: Iterable[str]
) -> Diagnostic:
    example = min(known, default="<name>")
    return Diagnostic(
        source, span, f"{record} is not a value; write {record}.{example} say"
    )


def nothing_inside(source: Source, span: Span, name: str, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{name} is {_a(type_)}: nothing is inside it; end the name before",
    )


def unknown_filter(
    source: Source, span: Span, name: str, known: Iterable[str], instead: str | None
) -> Diagnostic:
    if instead:
        return Diagnostic(source, span, f"{name!r} cannot be used; {instead}")
    names = sorted(known)
    close = get_close_matches(name[:NAME_MAX], names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    return Diagnostic(source, span, f"no filter is called {name!r:.60}; {hint}")


def filter_takes(
    source: Source, span: Span, name: str, takes: Iterable[str], type_: str
) -> Diagnostic:
    taken = " or ".join(map(_a, takes))
    return Diagnostic(source, span, f"{name} takes {taken}, this is {_a(type_)}")


def filter_arguments(source: Source, span: Span, name: str, form: str) -> Diagnostic:
    return Diagnostic(source, span, f"{name} is written as {form}, with constants only")


def filter_argument(source: Source, span: Span, name: str, reason: str) -> Diagnostic:
    return Diagnostic(source, span, f"{name}: {reason}")


def default_type(source: Source, span: Span, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"the default of {_a(type_)} is {_a(type_)}; where it is shown, not compared, "
        "it may be a text in quotes",
    )


def default_of_list(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "a list has no default; write | join(', ') | default('...')"
    )


def default_twice(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(source, span, "a second default is never used; remove it")


def list_inserted(source: Source, span: Span, name: str) -> Diagnostic:
    return Diagnostic(source, span, f"{name} is a list; write {name} | join(', ')")


def encoded_already(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "every value in a URL is encoded already; remove urlencode"
    )


def not_a_condition(source: Source, span: Span, name: str, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{name} is {_a(type_)}, neither true nor false; compare it, or write "
        f"{name} is defined",
    )


def plain_name_needed(source: Source, span: Span, test: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{test} is asked of a name alone; remove its filters"
    )


def unknown_test(source: Source, span: Span, name: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"no test is called {name!r}; known: defined, none, undefined"
    )


def constant_needed(source: Source, span: Span, what: str, type_: str) -> Diagnostic:
    if not type_:
        advice = f"{what} is a constant; write a text in quotes, or a number"
    else:
        example = _EXAMPLES.get(type_, "one of its type")
        advice = f"{what} compares {_a(type_)} with a constant; write {example}"
    return Diagnostic(source, span, advice)


def not_comparable(source: Source, span: Span, op: str, type_: str) -> Diagnostic:
    instead = {
        "bool": "write the name alone, or not and the name",
    }.get(type_, "write '...' in the list, or join it")
    return Diagnostic(source, span, f"{op} does not take {_a(type_)}; {instead}")


def compare_with_none(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(source, span, "nothing equals none; write is none, is not none")


def name_first(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "a comparison starts with its name; write contact.age >= 18 say"
    )


def compared_twice(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "one comparison at a time; join two of them with and"
    )


def bad_number(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(source, span, "not a number that a double can hold; shorten it")


def bad_escape(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        r"only \\ \' \" \n and \t may follow a backslash; write other characters as "
        "they are",
    )


def url_start(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        "a URL starts with https:// or http:// and its host, all of it constant and "
        "followed by /, before any tag; write https://www.bank.example/",
    )


def url_character(source: Source, span: Span, text: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"{text!r} cannot stand in a URL; percent-encode it (a blank is %20, and "
        "{%- -%} removes those around tags)",
    )


def url_leaves_path(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source, span, "no part of the path may be . or ..; write the path it leads to"
    )


def html_place(source: Source, span: Span, place: str) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        f"a value cannot be made safe in {place}; insert it in text, or in an "
        'attribute\'s value between quotes, alt="..." say',
    )


def html_branches(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        "its branches leave tags and quotes open in too many ways; close in each "
        "branch what it opens",
    )


def json_value(source: Source, type_: str) -> Diagnostic:
    return Diagnostic(
        source,
        source.whole(),
        f"{type_} is not JSON; write a text, number, true, false, null, list or object",
    )


def json_key(source: Source) -> Diagnostic:
    return Diagnostic(
        source, source.whole(), "a key is constant; write the tag in its value"
    )


def json_too_large(source: Source, what: str, count_max: int) -> Diagnostic:
    return Diagnostic(
        source, source.whole(), f"more than {count_max} {what}; make it smaller"
    )


def _a(type_: str) -> str:
    return f"an {type_}" if type_.startswith("i") else f"a {type_}"


_EXAMPLES = {
    "bool": "true or false",
    "string": "a text, 'FR' say",
    "int": "a number, 18 say",
    "double": "a number, 18.5 say",
    "timestamp": "a time, '2026-01-31T09:00:00Z' say",
    "duration": "a duration, '90m' say",
}
