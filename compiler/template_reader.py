"""Reads one tag: names and the filters after them.

    value    = record "." name { "|" filter }
    filter   = name [ "(" constant { "," constant } ")" ]

Each method takes tokens from left to right, or reports one mistake and raises
Unreadable. Conditions are read by `compiler.template_conditions`.
"""

from typing import Any, NamedTuple, NoReturn

from catalog_store.records import NAME_MAX
from compiler import diagnostics, template_filters
from compiler import template_diagnostics as mistakes_of
from compiler.runtime.template_values import RECORDS
from compiler.runtime.value_texts import FILTERS
from compiler.source import Diagnostic, Source, Span
from compiler.template_constants import Constant, constant_of, fitting
from compiler.template_filters import FilterCall
from compiler.template_scope import RECORD_NUMBER, Field, TemplateScope
from compiler.template_tags import Mistakes, Tag, Token

_INSTEAD = {
    ".": "the name is complete",
    "(": "nothing can be called here",
    "[": "write a dot and the name",
    "if": "write {% if %} around the tag",
    "~": "write one tag after the other",
    "=": "compare with ==",
    "*": "compute it as an attribute",
    "/": "compute it as an attribute",
    "+": "compute it as an attribute",
    "-": "compute it as an attribute",
    "%": "compute it as an attribute",
}


class Unreadable(Exception):
    """The rest of this tag cannot be read; why has been reported."""


class Operand(NamedTuple):
    """A value, and what it goes through."""

    name: str
    type: str
    span: Span
    record: int
    slot: int
    filters: tuple[FilterCall, ...] = ()
    default: Constant | None = None
    #: The default stands in before this filter.
    default_at: int = 0

    def through(self, filter_: FilterCall, type_: str) -> "Operand":
        return self._replace(filters=(*self.filters, filter_), type=type_)

    def encoded(self, kind: str = "value") -> tuple[Any, ...]:
        """As `compiler.runtime.rendering` has it; raises ValueError for a default that
        its filters do not take."""
        default: Any = self.default
        if default is not None:
            # What becomes of a default is known now.
            for name, *arguments in self.filters[self.default_at :]:
                default = FILTERS[str(name)](*arguments)(default)
        return (kind, self.record, self.slot, self.name, self.filters, default)


class TagReader:
    """A tag's tokens, and a place among them."""

    def __init__(
        self, source: Source, scope: TemplateScope, mistakes: Mistakes, tag: Tag
    ) -> None:
        self.source = source
        self.tag = tag
        self._scope = scope
        self._mistakes = mistakes
        self._at = 0

    def fail(self, diagnostic: Diagnostic) -> NoReturn:
        self._mistakes.add(diagnostic)
        raise Unreadable

    def next(self) -> Token | None:
        return self.tag.tokens[self._at] if self._at < len(self.tag.tokens) else None

    def next_is(self, *texts: str) -> bool:
        token = self.next()
        return token is not None and token.kind != "string" and token.text in texts

    def accept(self, text: str) -> bool:
        found = self.next_is(text)
        self._at += found
        return found

    def take(self, expected: str) -> Token:
        token = self.next()
        if token is None:
            if not self.tag.tokens:
                self.fail(mistakes_of.empty_tag(self.source, self.tag.span))
            span = self.tag.tokens[-1].span
            self.fail(mistakes_of.ends_early(self.source, span, expected))
        self._at += 1
        return token

    def expect(self, text: str) -> None:
        token = self.take(text)
        if token.text != text or token.kind == "string":
            self.unexpected(token, f"write {text}")

    def end(self, allowed: str) -> None:
        token = self.next()
        if token is not None:
            self.unexpected(token, allowed)

    def unexpected(self, token: Token, allowed: str) -> NoReturn:
        advice = _INSTEAD.get(token.text, allowed)
        shown = token.text if len(token.text) <= NAME_MAX else token.text[:60] + "..."
        self.fail(mistakes_of.goes_on(self.source, token.span, shown, advice))

    def value(self, *, compared: bool = False) -> Operand:
        """A name and its filters; compared, a default must have the value's type."""
        operand = self._name()
        while self.accept("|"):
            token = self.take("a filter")
            if token.text == "default":
                operand = self._default(operand, token, compared=compared)
            elif token.text in template_filters.LISTED:
                operand = self._filtered(operand, token)
            else:
                self.fail(template_filters.unknown(self.source, token.span, token.text))
        return operand

    def encoded(self, operand: Operand, kind: str = "value") -> tuple[Any, ...]:
        try:
            return operand.encoded(kind)
        except ValueError as error:
            self.fail(
                mistakes_of.filter_argument(
                    self.source, operand.span, "default", str(error)
                )
            )

    def constant(self, what: str, type_: str) -> Constant:
        """A constant that a value of this type can be compared with."""
        token, constant = self.any_constant(what, type_)
        return self.fitting(token, constant, type_, what)

    def fitting(
        self, token: Token, constant: Constant, type_: str, what: str
    ) -> Constant:
        fits = fitting(self.source, token, constant, type_, what)
        if isinstance(fits, Diagnostic):
            self.fail(fits)
        return fits

    def any_constant(self, what: str, type_: str) -> tuple[Token, Constant]:
        first = self.take("a constant")
        token, sign = first, 1
        if first.text == "-" and first.kind == "operator":
            token, sign = self.take("a number"), -1
        if token.text in ("none", "None"):
            self.fail(mistakes_of.compare_with_none(self.source, token.span))
        constant = constant_of(self.source, token, sign)
        if isinstance(constant, Diagnostic):
            self.fail(constant)
        if constant is None:
            span = Span(first.span.start, token.span.stop)
            self.fail(mistakes_of.constant_needed(self.source, span, what, type_))
        return token, constant

    def _name(self) -> Operand:
        first = self.take("a name")
        if first.kind != "name":
            self.fail(mistakes_of.name_needed(self.source, first.span, first.text[:60]))
        record = self._scope.records.get(first.text)
        if record is None:
            self.fail(self._unknown_record(first))
        parts: list[Token] = []
        while len(parts) < (2 if parts and _is_group(record, parts[0].text) else 1):
            if self.next_is("["):
                self.unexpected(self.take("."), "")
            if not self.accept("."):
                self._fail_alone(first, parts, record)
            parts.append(self.take("a name"))
        name = ".".join(part.text for part in parts)
        span = Span(first.span.start, parts[-1].span.stop)
        field = record.get(name)
        if field is None:
            self.fail(
                diagnostics.unknown_attribute(
                    self.source,
                    Span(parts[0].span.start, span.stop),
                    first.text,
                    name[: 2 * NAME_MAX],
                    record,
                )
            )
        shown = f"{first.text}.{name}"
        if self.next_is("."):
            self.fail(
                mistakes_of.nothing_inside(
                    self.source, self.take(".").span, shown, field.type
                )
            )
        number = RECORD_NUMBER[first.text]
        return Operand(shown, field.type, span, number, field.slot)

    def _fail_alone(
        self, first: Token, parts: list[Token], record: dict[str, Field]
    ) -> NoReturn:
        stop = (parts or [first])[-1].span.stop
        span = Span(first.span.start, stop)
        shown = ".".join(token.text for token in (first, *parts))
        prefix = f"{parts[0].text}." if parts else ""
        known = [n.removeprefix(prefix) for n in record if n.startswith(prefix)]
        self.fail(mistakes_of.record_alone(self.source, span, shown, known))

    def _unknown_record(self, token: Token) -> Diagnostic:
        if token.text in RECORDS:
            return mistakes_of.record_not_here(self.source, token.span, token.text)
        for record, fields in self._scope.records.items():
            if token.text in fields:
                return diagnostics.record_left_out(
                    self.source, token.span, record, token.text
                )
        name = token.text[: 2 * NAME_MAX]
        return diagnostics.unknown_name(
            self.source, token.span, name, self._scope.records
        )

    def _arguments(self) -> list[Constant]:
        constants: list[Constant] = []
        if self.accept("(") and not self.accept(")"):
            constants.append(self.any_constant("an argument", "")[1])
            while self.accept(","):
                constants.append(self.any_constant("an argument", "")[1])
            self.expect(")")
        return constants

    def _filtered(self, operand: Operand, token: Token) -> Operand:
        called = template_filters.call(
            self.source,
            token.span,
            token.text,
            operand.type,
            self._arguments(),
            self._scope.time_zone,
        )
        if isinstance(called, Diagnostic):
            self.fail(called)
        return operand.through(*called)

    def _default(self, operand: Operand, token: Token, *, compared: bool) -> Operand:
        arguments = self._arguments()
        if len(arguments) != 1:
            self.fail(
                mistakes_of.filter_arguments(
                    self.source, token.span, "default", "default('...')"
                )
            )
        if operand.type.startswith("list("):
            self.fail(mistakes_of.default_of_list(self.source, token.span))
        if operand.default is not None:
            self.fail(mistakes_of.default_twice(self.source, token.span))
        constant = arguments[0]
        if isinstance(constant, str) and operand.type != "string" and not compared:
            operand = operand.through(("text", operand.type), "string")
        fits = fitting(self.source, token, constant, operand.type, "default")
        if isinstance(fits, Diagnostic) or (
            operand.type == "int" and isinstance(fits, float)
        ):
            self.fail(mistakes_of.default_type(self.source, token.span, operand.type))
        constant = float(fits) if operand.type == "double" else fits
        return operand._replace(default=constant, default_at=len(operand.filters))


def _is_group(record: dict[str, Field], name: str) -> bool:
    """Whether names go on after this one, as those of `offer.attributes` do."""
    return name not in record and any(field.startswith(f"{name}.") for field in record)
