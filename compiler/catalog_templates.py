"""The templates of an environment: contents of offers, renderings, acceptance URLs.

A content that holds no tag is not a template, and is stored as it was written.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from catalog_store.records import Environment, Offer, Rendering, Space, resource_name
from compiler.schema import Schema
from compiler.source import Diagnostic, Refused, field_source
from compiler.template_scope import TemplateScope
from compiler.templates import TemplateForm, compile_json_template, compile_template

#: Where every template is compiled.
NONE_KNOWN: Mapping[str, bytes] = MappingProxyType({})

_TAGS = ("{{", "{%", "{#")


def compile_templates(
    environment: Environment, schema: Schema, known: Mapping[str, bytes] = NONE_KNOWN
) -> dict[str, bytes]:
    """Field source name -> the encoded template; raises Refused with every mistake.

    `known` are templates of contents by their texts, for the same names and types. The
    fields are `environments/bank/offers/gold:content.title`, and of a space
    `rendering.html` and the like, `acceptance_url` and `click_url`.
    """
    templates = _Templates(environment.name, known)
    templates.all(environment, schema, environment.offers, environment.spaces)
    if templates.found:
        raise Refused(templates.found)
    return templates.compiled


def check_templates(
    environment: Environment,
    schema: Schema,
    offers: Iterable[Offer],
    spaces: Iterable[Space],
) -> list[Diagnostic]:
    """Every mistake in the templates of some of an environment's offers and spaces."""
    templates = _Templates(environment.name, NONE_KNOWN)
    templates.all(environment, schema, offers, spaces)
    return templates.found


def offer_attributes(environment: Environment) -> tuple[str, ...]:
    """The names of all attributes of offers, in the order of a template's slots."""
    return tuple(sorted({name for o in environment.offers for name in o.attributes}))


def contents_of(
    environment: Environment, templates: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Texts of contents -> their templates, as they were compiled."""
    found: dict[str, bytes] = {}
    for offer in environment.offers:
        resource = resource_name(environment.name, "offers", offer.name)
        for path, text in _contents(offer):
            template = templates.get(f"{resource}:{path}")
            if template is not None:
                found[text] = template
    return found


def _contents(offer: Offer) -> Iterator[tuple[str, str]]:
    """The texts of an offer, and where in its record they stand."""
    for name, text in offer.content.items():
        yield f"content.{name}", text
    for space, texts in offer.space_content.items():
        for name, text in texts.items():
            yield f"space_content.{space}.{name}", text


class _Templates:
    """Compiles one field after the other, and keeps what is wrong with them."""

    def __init__(self, environment: str, known: Mapping[str, bytes]) -> None:
        self.compiled: dict[str, bytes] = {}
        self.found: list[Diagnostic] = []
        self._environment = environment
        #: PERF: 107 us a template, and offers often share a text.
        self._contents = dict(known)

    def all(
        self,
        environment: Environment,
        schema: Schema,
        offers: Iterable[Offer],
        spaces: Iterable[Space],
    ) -> None:
        scope = TemplateScope.for_content(
            schema, offer_attributes(environment), environment.time_zone
        )
        for offer in offers:
            self.contents(offer, scope)
        for space in spaces:
            fields = tuple(field.name for field in space.fields)
            self.space(space, scope.with_content(fields))

    def contents(self, offer: Offer, scope: TemplateScope) -> None:
        resource = resource_name(self._environment, "offers", offer.name)
        for path, text in _contents(offer):
            if not any(tag in text for tag in _TAGS):
                continue
            known = self._contents.get(text)
            source = field_source(resource, path, text)
            try:
                if known is None:
                    known = compile_template(source, TemplateForm.TEXT, scope)
                    self._contents[text] = known
                self.compiled[source.name] = known
            except Refused as refused:
                self.found.extend(refused.diagnostics)

    def space(self, space: Space, scope: TemplateScope) -> None:
        resource = resource_name(self._environment, "spaces", space.name)
        for field in space_templates(space):
            name = f"{resource}:{field.path}"
            try:
                if field.form is None:
                    encoded = compile_json_template(name, field.value, scope)
                else:
                    source = field_source(resource, field.path, str(field.value))
                    encoded = compile_template(source, field.form, scope)
                self.compiled[name] = encoded
            except Refused as refused:
                self.found.extend(refused.diagnostics)


class SpaceTemplate(NamedTuple):
    """One template of a space."""

    path: str
    #: None for JSON.
    form: TemplateForm | None
    value: object


def space_templates(space: Space) -> Iterator[SpaceTemplate]:
    """The rendering and the URLs, where there are any."""
    if space.rendering is not None and space.rendering != Rendering():
        yield _rendering(space.rendering)
    for path in ("acceptance_url", "click_url"):
        url = getattr(space, path)
        if url:
            yield SpaceTemplate(path, TemplateForm.URL, url)


def _rendering(rendering: Rendering) -> SpaceTemplate:
    if rendering.html is not None:
        return SpaceTemplate("rendering.html", TemplateForm.HTML, rendering.html)
    if rendering.text is not None:
        return SpaceTemplate("rendering.text", TemplateForm.TEXT, rendering.text)
    return SpaceTemplate("rendering.json", None, rendering.json)
