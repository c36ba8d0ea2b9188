"""Every mistake that a golden decision can contain, one constructor each."""

from compiler.catalog_diagnostics import Field
from compiler.source import Diagnostic


def no_space(field: Field) -> Diagnostic:
    return field.error("asks for no space; name at least one, and what it must show")


def bad_value(field: Field, reason: str) -> Diagnostic:
    """`reason` says what is wrong, and what to write."""
    return field.error(reason)


def missing_attribute(field: Field, name: str, type_: str) -> Diagnostic:
    return field.error(
        f"lacks context.{name}, which every call must bring; write a value of type "
        f"{type_}"
    )


def bad_places(field: Field, limit: int) -> Diagnostic:
    return field.error(
        f"{field.text} is not a number of propositions; write 1 to {limit}"
    )


def empty_group(field: Field) -> Diagnostic:
    return field.error("names no offer; name one, or remove it")


def beyond_places(field: Field, places: int) -> Diagnostic:
    return field.error(
        f"comes after the {places} that max_propositions asks for; raise that, or "
        "remove the offer"
    )
