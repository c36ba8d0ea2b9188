"""Everything that the analysis can find, one constructor each."""

from compiler.catalog_diagnostics import Field
from compiler.source import Diagnostic


def never_true(field: Field) -> Diagnostic:
    return field.warning("no contact can meet this rule: its conditions contradict")


def always_true(field: Field) -> Diagnostic:
    return field.note("every contact meets this rule; leave it out")


def contradicts_categories(field: Field) -> Diagnostic:
    return field.warning(
        "no contact can meet the rules of this offer and of its categories together"
    )


def contradicts_offer(field: Field) -> Diagnostic:
    return field.warning(
        "no contact can meet this rule together with those of its offer and categories"
    )


def windows_never_meet(field: Field) -> Diagnostic:
    return field.warning(
        "this is never open: the windows of row, offer and categories do not meet"
    )


def never_wins(field: Field, rival: str) -> Diagnostic:
    return field.warning(
        f"this row never wins: {rival} matches whenever it does, with no less weight"
    )


def unused_attribute(field: Field) -> Diagnostic:
    return field.note(f"no rule reads {field.text}")


def unbounded_formulas(field: Field, row_count: int) -> Diagnostic:
    return field.note(
        f"{_formulas(row_count)} with {field.text} can give any number, so that ranking"
        " evaluates them all: declare its minimum and maximum"
    )


def boundless_formula(field: Field) -> Diagnostic:
    return field.note(
        "this formula can give any number, whatever its attributes declare, so that"
        " ranking always evaluates it"
    )


def no_fallback(field: Field) -> Diagnostic:
    return field.note(
        f"space {field.text} can stay empty: no offer that is always included is"
        " approved for it with all its required content"
    )


def _formulas(count: int) -> str:
    return "1 weight formula" if count == 1 else f"{count:,} weight formulas"
