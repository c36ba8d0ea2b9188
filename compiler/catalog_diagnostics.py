"""Every mistake that records can contain before a rule is looked at.

One constructor each. A message names the thing, says what is wrong with it and what
to write instead. Those that only cost an offer its place are warnings.
"""

from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

from compiler.source import Diagnostic, Severity, Source, field_source

#: Findings shown of one catalog: reading more than these at once helps nobody.
FINDINGS_MAX = 100
#: Names compared for a suggestion; bounds the work per mistake.
_NAMES_COMPARED_MAX = 1_000
_NAMES_SHOWN_MAX = 12
#: Code points of a value that a message repeats.
_SHOWN_MAX = 60


class Field(NamedTuple):
    """One field of one record, and its value as text."""

    resource: str
    path: str
    text: str = ""

    def error(self, message: str) -> Diagnostic:
        return self._diagnostic(message, Severity.ERROR)

    def warning(self, message: str) -> Diagnostic:
        return self._diagnostic(message, Severity.WARNING)

    def note(self, message: str) -> Diagnostic:
        return self._diagnostic(message, Severity.NOTE)

    def _diagnostic(self, message: str, severity: Severity) -> Diagnostic:
        source = field_source(self.resource, self.path, self.text)
        return Diagnostic(source, source.whole(), message, severity)


def bad_name(field: Field) -> Diagnostic:
    return field.error(
        f"{shown(field.text)} is not a name; write a small letter and then at most 62 "
        "small letters, digits and underscores"
    )


def reserved_name(field: Field) -> Diagnostic:
    return field.error(
        f"{field.text!r} is a word of the rule language; choose another name, such as "
        f"{field.text + '_'!r}"
    )


def built_in_name(field: Field) -> Diagnostic:
    return field.error(
        f"context.{field.text} is there already, in every environment; choose another "
        "name"
    )


def duplicate(field: Field, what: str) -> Diagnostic:
    return field.error(f"{what} {shown(field.text)} stands twice; remove one")


def unknown(field: Field, what: str, known: Collection[str]) -> Diagnostic:
    return field.error(f"unknown {what} {shown(field.text)}; {hint(field.text, known)}")


def too_many(field: Field, what: str, count: int, limit: int) -> Diagnostic:
    return field.error(f"{count} {what}; at most {limit} are possible: remove some")


def too_long(field: Field, size: int, limit: int, unit: str) -> Diagnostic:
    return field.error(f"{size} {unit}; at most {limit} are possible: shorten it")


def none_at_all(field: Field, what: str) -> Diagnostic:
    return field.error(f"no {what}; declare at least one")


def required_contact_attribute(field: Field) -> Diagnostic:
    return field.error(
        "only context attributes can be required, because a call brings them; remove "
        "required, and test has() in rules"
    )


def range_of_no_number(field: Field, type_: str) -> Diagnostic:
    return field.error(
        f"only an int or a double has a minimum and a maximum, this is {type_}; remove "
        "it, and test the value in rules"
    )


def bad_bound(field: Field) -> Diagnostic:
    return field.error(
        f"{shown(field.text)} bounds nothing; leave it out, or write a finite number"
    )


def empty_range(field: Field) -> Diagnostic:
    return field.error(
        f"no value is at most {field.text} and at least the minimum; exchange them"
    )


def several_defaults(field: Field, first: str) -> Diagnostic:
    return field.error(f"environment {first!r} is the default already; only one can be")


def mixed_sources(field: Field, other: str) -> Diagnostic:
    return field.error(
        f"environment {other!r} is published from records, and one revision holds "
        "both: give them one source"
    )


def not_anonymous(field: Field) -> Diagnostic:
    return field.error(
        f"environment {field.text!r} is not for visitors; write `anonymous: true` in "
        "it, or name one that is"
    )


def anonymous_of_itself(field: Field) -> Diagnostic:
    return field.error("an environment cannot be its own anonymous one; name another")


def anonymous_environment_missing(field: Field) -> Diagnostic:
    return field.error(
        "an anonymous space without an anonymous environment; name that in the "
        "environment's anonymous_environment"
    )


def category_cycle(field: Field, names: Collection[str]) -> Diagnostic:
    return field.error(
        f"a category cannot stand below itself: {' -> '.join(names)}; break the circle"
    )


def category_too_deep(field: Field, depth: int, limit: int) -> Diagnostic:
    return field.error(
        f"{depth} categories deep; a tree has at most {limit}: move it up"
    )


def empty_window(field: Field) -> Diagnostic:
    return field.error(
        "ends before it starts, or at that moment, and so is never open; correct one "
        "of the two"
    )


def time_out_of_range(field: Field) -> Diagnostic:
    return field.error("is not a moment of the years 1970 to 9999; correct it")


def bad_weight(field: Field, limit: float) -> Diagnostic:
    return field.error(
        f"{field.text} is not a weight; write a number from 0 to {limit:.0f}, or a "
        "formula"
    )


def bad_factor(field: Field, limit: float) -> Diagnostic:
    return field.error(
        f"{field.text} is not a factor; write a number above 0, at most {limit:.0f}"
    )


def bad_period(field: Field) -> Diagnostic:
    return field.error("a period is longer than 0 and at most 400d; correct it")


def bad_maximum(field: Field, limit: int) -> Diagnostic:
    return field.error(
        f"{field.text} is not a number of propositions; write 1 to {limit}"
    )


def bad_limit(field: Field, limit: int) -> Diagnostic:
    return field.error(
        f"{field.text} is not a limit of propositions; write 0 to {limit}"
    )


def bad_fallback_limit(field: Field, limit: int) -> Diagnostic:
    return field.error(
        f"{field.text} is not a limit to fall back on; write 1 to {limit}, the quota's "
        "limit, or `on_failure: closed`"
    )


def fallback_limit_missing(field: Field) -> Diagnostic:
    return field.error(
        "fall_back needs to know how many are allowed then; write `fallback_limit`, or "
        "`on_failure: closed`"
    )


def fallback_limit_unused(field: Field) -> Diagnostic:
    return field.error(
        "nothing falls back on this limit; write `on_failure: fall_back`, or remove it"
    )


def quota_unrecorded(field: Field, quota: str) -> Diagnostic:
    return field.error(
        f"quota {quota!r} counts this offer, and the space {field.text!r} records "
        "nothing; set `recording: true` there, or withdraw the offer from it"
    )


def scope_missing(field: Field) -> Diagnostic:
    return field.error(
        "a shared counter needs the offers or categories that share it; name them, or "
        "write all_offers"
    )


def attribute_missing(field: Field) -> Diagnostic:
    return field.error(
        "same_attribute needs to know of which one; write `attribute`, a name that the "
        "offers have under `attributes`"
    )


def attribute_not_counted(field: Field) -> Diagnostic:
    return field.error(
        "an attribute relates offers only where `counted` is same_attribute; write "
        "that, or remove it"
    )


def nobody_to_identify(field: Field) -> Diagnostic:
    return field.error(
        "an anonymous environment decides for the visitor alone; remove it, or set it "
        "on the space that has this one as its anonymous_space"
    )


def rendering_of_one_form(field: Field) -> Diagnostic:
    return field.error(
        "a rendering is one of html, text and json, and json is a mapping; write one"
    )


def unknown_theme(field: Field, known: Collection[str]) -> Diagnostic:
    return field.warning(
        f"no category has the theme {shown(field.text)}; {hint(field.text, known)}"
    )


def undeclared_content(field: Field, name: str, known: Collection[str]) -> Diagnostic:
    return field.warning(
        f"no space shows the content field {shown(name)}; {hint(name, known)}"
    )


def missing_content(field: Field, space: str, names: Collection[str]) -> Diagnostic:
    return field.warning(
        f"space {space!r} leaves this offer out, because it lacks "
        f"{', '.join(names)}; write it, or withdraw the offer from that space"
    )


def no_candidates(field: Field) -> Diagnostic:
    return field.warning(
        f"no offer can ever stand in the space {field.text!r}; approve one for it that "
        "is enabled, complete and has a weight there"
    )


def hint(name: str, known: Collection[str]) -> str:
    """What may have been meant, or what there is."""
    names = sorted(known)
    if not names:
        return "none is declared"
    compared = names
    if len(names) > _NAMES_COMPARED_MAX:
        compared = [other for other in names if other[:1] == name[:1].lower()]
    close = get_close_matches(
        name[:_SHOWN_MAX].lower(), compared[:_NAMES_COMPARED_MAX], n=1, cutoff=0.6
    )
    if close:
        return f"did you mean {close[0]!r}?"
    more = ", ..." if len(names) > _NAMES_SHOWN_MAX else ""
    return f"known: {', '.join(names[:_NAMES_SHOWN_MAX])}{more}"


def shown(text: str) -> str:
    """A value in quotes, cut where it gets too long to read."""
    return repr(text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "...")


class Findings:
    """Diagnostics as they are found, the first FINDINGS_MAX of each severity."""

    def __init__(self) -> None:
        self._kept: dict[Severity, list[Diagnostic]] = {}
        self._left_out: dict[Severity, int] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        kept = self._kept.setdefault(diagnostic.severity, [])
        if len(kept) < FINDINGS_MAX:
            kept.append(diagnostic)
        else:
            left_out = self._left_out.get(diagnostic.severity, 0)
            self._left_out[diagnostic.severity] = left_out + 1

    @property
    def full(self) -> bool:
        """Whether another error would not be kept: time to stop looking."""
        return len(self._kept.get(Severity.ERROR, ())) >= FINDINGS_MAX

    def all(self, of: str) -> list[Diagnostic]:
        """What was kept, and a note on `of` if that is not everything."""
        kept = [diagnostic for each in self._kept.values() for diagnostic in each]
        if self.full or self._left_out:
            note = (
                f"only the first {FINDINGS_MAX} of each kind of mistake are shown; "
                "correct them and look again"
            )
            whole = Source(of, "")
            kept.append(Diagnostic(whole, whole.whole(), note, Severity.NOTE))
        return kept
