"""A schema, values for it, and templates compiled and rendered with them."""

from typing import Any

from catalog_store.records import Attribute, AttributeType
from compiler.runtime.rendering import load_template
from compiler.runtime.values import MISSING
from compiler.schema import Schema
from compiler.source import Refused, Source
from compiler.template_scope import TemplateScope
from compiler.templates import TemplateForm, compile_json_template, compile_template

CONTACT = {
    "first_name": ("string", "Maria"),
    "country": ("string", "PT"),
    "age": ("int", 42),
    "balance": ("double", 1234567.5),
    "in_arrears": ("bool", False),
    "joined": ("timestamp", 1_769_850_000_000_000),
    "waiting": ("duration", 5_400_000_000),
    "tags": ("list(string)", ("gold", "a&b")),
    "scores": ("list(double)", (1.0, 2.5)),
}
CONTEXT = {"now": 0, "channel": "inbound_web", "space": "home_page", "page": "loans"}
OFFER = {"name": "gold_card", "label": "Gold", "category": "cards"}
CONTENT = {"title": "Gold opens lounges", "target_url": "https://b.example/?a=1"}
PROPOSITION = ("p-1", 20.5, 1, "i_1", "accepted")

SCHEMA = Schema.of(
    tuple(Attribute(name=n, type=AttributeType(t)) for n, (t, _) in CONTACT.items()),
    (Attribute(name="page", type=AttributeType.STRING),),
)
CONTENT_SCOPE = TemplateScope.for_content(SCHEMA, ("colour",), "Europe/Lisbon")
SCOPE = CONTENT_SCOPE.with_content(tuple(CONTENT))


def values(**contact: Any) -> tuple[tuple[Any, ...], ...]:
    """What a template reads; attributes of the contact may be given."""
    return (
        tuple(contact.get(name, value) for name, (_, value) in CONTACT.items()),
        tuple(CONTEXT.values()),
        (*OFFER.values(), contact.get("colour", MISSING)),
        tuple(CONTENT.values()),
        PROPOSITION,
        ("home_page",),
    )


def render(text: str, form: TemplateForm = TemplateForm.TEXT, **contact: Any) -> str:
    """What a template makes; raises Refused or TemplateError."""
    data = compile_template(Source("offer", text), form, SCOPE)
    return load_template(data).render(values(**contact))


def render_json(value: object, **contact: Any) -> str:
    data = compile_json_template("space", value, SCOPE)
    return load_template(data).render(values(**contact))


def mistakes(
    text: str,
    form: TemplateForm = TemplateForm.TEXT,
    scope: TemplateScope = SCOPE,
) -> list[str]:
    """`line:column message` of each mistake; none if it compiles."""
    try:
        compile_template(Source("offer", text), form, scope)
    except Refused as refused:
        return [
            "{}:{} {}".format(*d.source.line_and_column(d.span.start), d.message)
            for d in refused.diagnostics
        ]
    return []
