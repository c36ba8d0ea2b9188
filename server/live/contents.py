"""What spaces show of their offers, decoded when it is shown."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from catalog_store.revision_file.contents import OfferContent
from compiler.runtime.rendering import Template, load_template
from compiler.runtime.values import MISSING
from server.engine.bit_sets import ascending
from server.engine.live_offers import LiveContent

#: Templates kept loaded, for each environment.
TEMPLATES_MAX = 4_096

_decode = msgspec.msgpack.Decoder(OfferContent).decode


class Templates:
    """Loads the templates of contents, and keeps those that were shown last."""

    def __init__(self) -> None:
        self._loaded: dict[bytes, Template] = {}

    def get(self, data: bytes) -> Template:
        template = self._loaded.get(data)
        if template is None:
            if len(self._loaded) >= TEMPLATES_MAX:
                self._loaded.clear()
            template = self._loaded[data] = load_template(data)
        return template


class LiveContents(Mapping[int, LiveContent]):
    """Number of an offer that a space can show -> the space's fields of it.

    PERF: decoding one takes 1.0 us, and those of 100,000 offers for each space would be
    100 ms of loading (CPython 3.11, two busy cores).
    """

    def __init__(
        self,
        space: str,
        encoded: Sequence[bytes],
        offers: int,
        fields: Sequence[str],
        attributes: Sequence[str],
        templates: Templates,
    ) -> None:
        """`attributes` are the names of those of offers, in the order of slots."""
        self._space = space
        self._encoded = encoded
        self._offers = offers
        self._fields = tuple(fields)
        self._attributes = attributes
        self._templates = templates

    def __getitem__(self, offer: int) -> LiveContent:
        if not self._offers >> offer & 1:
            raise KeyError(offer)
        stored = _decode(self._encoded[offer])
        texts, templates = stored.texts, stored.templates
        own = stored.own.get(self._space) if stored.own else None
        if own is not None:
            kept = {
                name: data for name, data in templates.items() if name not in own[0]
            }
            texts, templates = {**texts, **own[0]}, {**kept, **own[1]}
        fields: dict[str, str | Template] = {}
        for name in self._fields:
            text = texts.get(name)
            if text:
                data = templates.get(name)
                fields[name] = text if data is None else self._templates.get(data)
        attributes = tuple(
            [stored.attributes.get(n, MISSING) for n in self._attributes]
        )
        return LiveContent(stored.label, fields, attributes)

    def __iter__(self) -> Iterator[int]:
        return ascending(self._offers)

    def __len__(self) -> int:
        return self._offers.bit_count()
