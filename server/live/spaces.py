"""Spaces, and what makes what they show."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from catalog_store.index_tables import set_of
from catalog_store.records import Space, StoredExpression, resource_name
from compiler.runtime.rendering import load_template
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.names import name_hash
from contact_store.records import PropositionStatus
from server.engine.live_offers import LiveRendering, LiveSpace
from server.live.contents import LiveContents, Templates
from server.live.offers import LoadedOffers
from server.live.source import Source, Steps

#: How an encoded template says that it reads the proposition's id.
_NAMES_PROPOSITION = b'"proposition.id"'
_FORMS = ("html", "text", "json")
_URLS = ("acceptance_url", "click_url")


def load_spaces(
    source: Source,
    offers_of: Mapping[str, int],
    offers: LoadedOffers,
    rule_of: Mapping[str, int],
) -> Steps[dict[str, LiveSpace]]:
    """`offers_of` says which offers each space can show."""
    contents: list[bytes] = yield from source.whole("contents", bytes)
    personalised: list[int] = yield from source.whole("personalised", int)
    attributes: set[str] = set()
    for items in source.lists("offer_attributes", tuple[int, dict[str, str]]):
        attributes.update(name for _, each in items for name in each)
        yield
    templates: list[tuple[str, bytes]] = yield from source.whole(
        "space_templates", tuple[str, bytes]
    )
    shown = _Shown(
        source.head.environment.name,
        contents,
        set_of(personalised, len(contents)),
        tuple(sorted(attributes)),
        dict(templates),
        Templates(),
        rule_of,
    )
    spaces: dict[str, LiveSpace] = {}
    for records in source.lists("spaces", Space):
        for space in records:
            live = shown.space(space, offers_of[space.name])
            spaces[space.name] = live
            offers.numbers.name_of_hash[live.space_hash] = live.name
            yield
    return spaces


class _Shown(NamedTuple):
    """What the spaces of an environment show, and with what."""

    environment: str
    #: Of each offer, encoded.
    contents: Sequence[bytes]
    #: Offers whose contents hold templates.
    personalised: int
    #: Of offers, in the order of slots.
    attributes: tuple[str, ...]
    #: Field source name -> encoded.
    of_spaces: Mapping[str, bytes]
    of_contents: Templates
    rule_of: Mapping[str, int]

    def space(self, space: Space, offers: int) -> LiveSpace:
        resource = resource_name(self.environment, "spaces", space.name)
        fields = tuple(field.name for field in space.fields)
        own = {
            field: data
            for field in (*(f"rendering.{form}" for form in _FORMS), *_URLS)
            if (data := self.of_spaces.get(f"{resource}:{field}")) is not None
        }
        acceptance_url, click_url = (
            None if data is None else load_template(data)
            for data in map(own.get, _URLS)
        )
        return LiveSpace(
            name=space.name,
            space_hash=name_hash(resource),
            channel_code=CODE_OF_CHANNEL[space.channel],
            recording=space.recording,
            proposition_status=PropositionStatus[space.proposition_status.name],
            stored_on_proposition=self.stored(space, "stored_on_proposition"),
            stored_on_acceptance=self.stored(space, "stored_on_acceptance"),
            implicit_identification=space.implicit_identification,
            binds_visitors=space.binds_visitors,
            default_content=space.default_content,
            default_categories=space.default_categories,
            default_themes=space.default_themes,
            anonymous_space=space.anonymous_space,
            offers=offers,
            contents=LiveContents(
                space.name,
                self.contents,
                offers,
                fields,
                self.attributes,
                self.of_contents,
            ),
            fields=fields,
            required=frozenset(field.name for field in space.fields if field.required),
            rendered=offers if own else offers & self.personalised,
            rendering=_rendering(own),
            acceptance_url=acceptance_url,
            click_url=click_url,
            acceptance_status=space.acceptance_status.value,
            names_proposition=any(_NAMES_PROPOSITION in data for data in own.values()),
        )

    def stored(self, space: Space, field: str) -> tuple[tuple[str, int], ...]:
        """Names of expressions, and the numbers of their rules."""
        resource = resource_name(self.environment, "spaces", space.name)
        expressions: tuple[StoredExpression, ...] = getattr(space, field)
        return tuple(
            (one.name, self.rule_of[f"{resource}:{field}[{place}].expression"])
            for place, one in enumerate(expressions)
        )


def _rendering(templates: Mapping[str, bytes]) -> LiveRendering | None:
    for form in _FORMS:
        data = templates.get(f"rendering.{form}")
        if data is not None:
            return LiveRendering(form, load_template(data))
    return None
