"""What a space shows of an offer: its content, personalised, and what is made of it.

What cannot be rendered is not proposed: half a sentence is worse than none. That is
found out before anything is recorded, with an id that has the form of real ones; with
the real one `completed` renders again what names it.
"""

from typing import NamedTuple

from compiler.runtime.interpreter import Slots
from compiler.runtime.rendering import Template
from compiler.runtime.template_values import TemplateError, Values
from server.engine.live_offers import LiveContent, LiveOffer, LiveSpace

#: As long as a proposition's id, and made of the same characters.
UNKNOWN_ID = "AQ" + 30 * "0"


class Rendered(NamedTuple):
    """What one space shows of one offer."""

    content: dict[str, str]
    #: HTML, text or JSON, as the space's rendering makes it; empty without one.
    representation: str
    #: Empty where the space has none.
    acceptance_url: str
    click_url: str


class Shown(NamedTuple):
    """One proposition, as templates may name it."""

    space: LiveSpace
    offer: LiveOffer
    weight: float
    rank: int
    interaction: int
    contact: Slots
    #: With the space's channel and name filled in.
    context: Slots


def rendered(shown: Shown, proposition_id: str = UNKNOWN_ID) -> Rendered:
    """Raises TemplateError when there is no result for this contact."""
    space = shown.space
    live = space.contents[shown.offer.number]
    content = _content(shown, live)
    values = _values(shown, live, content, proposition_id)
    rendering, acceptance, click = (
        space.rendering,
        space.acceptance_url,
        space.click_url,
    )
    return Rendered(
        content,
        rendering.template.render(values) if rendering else "",
        acceptance.render(values) if acceptance else "",
        click.render(values) if click else "",
    )


def completed(shown: Shown, before: Rendered, proposition_id: str) -> Rendered:
    """The same with the proposition's id.

    What rendered with an id of the same form renders with this one, but for a template
    that looks for a certain id: it then shows its content alone.
    """
    if not shown.space.names_proposition:
        return before
    try:
        return rendered(shown, proposition_id)
    except TemplateError:
        return Rendered(before.content, "", "", "")


def _content(shown: Shown, live: LiveContent) -> dict[str, str]:
    content: dict[str, str] = {}
    values: Values | None = None
    for name, text in live.fields.items():
        if isinstance(text, Template):
            if values is None:
                values = _values(shown, live, {}, "")
            text = text.render(values)
            if not text and name in shown.space.required:
                raise TemplateError(f"content.{name}", "is required and empty")
        content[name] = text
    return content


def _values(
    shown: Shown, live: LiveContent, content: dict[str, str], proposition_id: str
) -> Values:
    """In the order of `template_values.RECORDS`."""
    space, offer = shown.space, shown.offer
    return (
        shown.contact,
        shown.context,
        (offer.name, live.label, offer.category, *live.attributes),
        tuple([content.get(name, "") for name in space.fields]),
        (
            proposition_id,
            shown.weight,
            shown.rank,
            f"{shown.interaction:016x}",
            space.acceptance_status,
        ),
        (space.name,),
    )
