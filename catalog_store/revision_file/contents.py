"""What spaces show of offers: texts as they are, and templates encoded."""

from collections.abc import Iterable, Iterator

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


def contents(compiled: CompiledEnvironment) -> Iterator[OfferContent]:
    """In catalog order."""
    environment, templates = compiled.environment, compiled.templates
    for offer in environment.offers:
        resource = resource_name(environment.name, "offers", offer.name)
        yield OfferContent(
            label=offer.label,
            texts=offer.content,
            templates={
                name: data
                for name in offer.content
                if (data := templates.get(f"{resource}:content.{name}")) is not None
            }
            if templates
            else {},
            attributes=offer.attributes,
        )


def personalised(shown: Iterable[OfferContent]) -> Iterator[int]:
    """The numbers of the offers that have a template."""
    for number, content in enumerate(shown):
        if content.templates:
            yield number
