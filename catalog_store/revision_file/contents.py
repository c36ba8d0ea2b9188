"""What spaces show of offers: texts as they are, and templates encoded."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from catalog_store.compiled import CompiledEnvironment
from catalog_store.records import resource_name


class OfferContent(msgspec.Struct, frozen=True, array_like=True):
    """What an offer can be shown with."""

    label: str
    #: Content field -> its text; the encoded template for those that have one.
    texts: dict[str, str]
    templates: dict[str, bytes]
    attributes: dict[str, str]
    #: Space -> what it shows in place of `texts` and `templates`.
    own: dict[str, tuple[dict[str, str], dict[str, bytes]]] = {}


def contents(compiled: CompiledEnvironment) -> Iterator[OfferContent]:
    """In catalog order."""
    environment, templates = compiled.environment, compiled.templates
    for offer in environment.offers:
        resource = resource_name(environment.name, "offers", offer.name)
        yield OfferContent(
            label=offer.label,
            texts=offer.content,
            templates=_templates(f"{resource}:content", offer.content, templates),
            attributes=offer.attributes,
            own={
                space: (
                    texts,
                    _templates(f"{resource}:space_content.{space}", texts, templates),
                )
                for space, texts in offer.space_content.items()
            }
            if offer.space_content
            else {},
        )


def _templates(
    path: str, texts: Iterable[str], templates: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Those of the texts that are some."""
    if not templates:
        return {}
    return {
        name: data
        for name in texts
        if (data := templates.get(f"{path}.{name}")) is not None
    }


def personalised(shown: Iterable[OfferContent]) -> Iterator[int]:
    """The numbers of the offers that have a template."""
    for number, content in enumerate(shown):
        if content.templates or any(own for _, own in content.own.values()):
            yield number
