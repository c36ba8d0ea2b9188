"""The filters that a template may use: what each takes and gives.

They are what offers need: names as people write them (upper, lower, capitalize, title,
trim), text that fits (truncate), money and rates (round, number), dates, lists, and
values inside links (urlencode); `default` is part of reading a value. All that Jinja
has beyond these is refused: it loops, calls, formats by pattern, or switches escaping
off.
"""

from typing import NamedTuple

from compiler import template_diagnostics as mistakes_of
from compiler.runtime.value_texts import FILTERS
from compiler.source import Diagnostic, Source, Span
from compiler.template_constants import Constant

#: A filter with its arguments, as it is encoded.
FilterCall = tuple[Constant, ...]

_STRING = ("string",)
_NUMBER = ("int", "double")


class Argument(NamedTuple):
    """One argument: its type, and what it is when left out; None must be written."""

    type: type[int] | type[str]
    otherwise: int | str | None = None


class ListedFilter(NamedTuple):
    """One filter: how it is written, the types it takes, and the one it gives."""

    form: str
    takes: tuple[str, ...]
    #: "" is the type that it was given.
    gives: str
    arguments: tuple[Argument, ...] = ()


LISTED = {
    "upper": ListedFilter("upper", _STRING, "string"),
    "lower": ListedFilter("lower", _STRING, "string"),
    "capitalize": ListedFilter("capitalize", _STRING, "string"),
    "title": ListedFilter("title", _STRING, "string"),
    "trim": ListedFilter("trim", _STRING, "string"),
    "truncate": ListedFilter("truncate(40)", _STRING, "string", (Argument(int),)),
    "round": ListedFilter("round(2)", _NUMBER, "", (Argument(int, 0),)),
    "number": ListedFilter(
        "number(2, '1,234.5')",
        _NUMBER,
        "string",
        (Argument(int, 0), Argument(str, "1,234.5")),
    ),
    "date": ListedFilter(
        "date('%-d %B %Y', 'Europe/Lisbon')",
        ("timestamp",),
        "string",
        (Argument(str), Argument(str, "")),
    ),
    "urlencode": ListedFilter("urlencode", _STRING, "string"),
    "join": ListedFilter("join(', ')", ("list",), "string", (Argument(str),)),
}
FILTER_NAMES = (*LISTED, "default")
_INSTEAD = {
    "safe": "every value is escaped, whatever it holds",
    "escape": "every value is escaped already; remove it",
    "e": "every value is escaped already; remove it",
    "tojson": "write a JSON rendering, in which values stay what they are",
    "d": "write default('...')",
    "format": "write number(2), or date('%d %B %Y')",
    "strftime": "write date('%d %B %Y')",
    "length": "compute it as an attribute",
    "replace": "compute it as an attribute",
}


def unknown(source: Source, span: Span, name: str) -> Diagnostic:
    return mistakes_of.unknown_filter(
        source, span, name, FILTER_NAMES, _INSTEAD.get(name)
    )


def call(
    source: Source,
    span: Span,
    name: str,
    type_: str,
    arguments: list[Constant],
    time_zone: str,
) -> tuple[FilterCall, str] | Diagnostic:
    """A listed filter, checked, and the type that it gives."""
    listed = LISTED[name]
    if type_.partition("(")[0] not in listed.takes:
        return mistakes_of.filter_takes(source, span, name, listed.takes, type_)
    filled: list[Constant] = []
    for index, argument in enumerate(listed.arguments):
        given = arguments[index] if index < len(arguments) else argument.otherwise
        if given is None or type(given) is not argument.type:
            return mistakes_of.filter_arguments(source, span, name, listed.form)
        filled.append(given)
    if len(arguments) > len(filled):
        return mistakes_of.filter_arguments(source, span, name, listed.form)
    if name == "date" and not filled[1]:
        filled[1] = time_zone
    if name == "join":
        filled.append(type_[len("list(") : -1])
    try:
        FILTERS[name](*filled)
    except ValueError as error:
        return mistakes_of.filter_argument(source, span, name, str(error))
    return (name, *filled), listed.gives or type_
