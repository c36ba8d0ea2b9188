"""Small environments, calls and pasts for tests, built from the real records."""

from collections.abc import Iterable, Sequence
from typing import Any

from catalog_store.manifest import Manifest
from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Category,
    Channel,
    ContentField,
    Environment,
    Offer,
    PresentationRule,
    Space,
    Typology,
    UnixMs,
    WeightRow,
    Window,
    resource_name,
)
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from compiler.runtime.values import MISSING
from contact_store.channels import CODE_OF_CHANNEL
from contact_store.names import name_hash
from contact_store.records import Proposition, PropositionStatus
from server.engine.call import Call, SpaceCall
from server.engine.decision import Decision, decide
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.live_loading import load
from server.resource_names import known_names

DAY_MS = 86_400_000
#: 2026-05-01T12:00:00Z
NOON_MS = UnixMs(1_777_636_800_000)

ATTRIBUTES = (
    Attribute(name="age", type=AttributeType.INT),
    Attribute(name="balance", type=AttributeType.INT),
    Attribute(name="job", type=AttributeType.STRING),
)
CONTEXT = (Attribute(name="page", type=AttributeType.STRING),)


def row(weight: float | str, **fields: Any) -> WeightRow:
    return WeightRow(weight=weight, **fields)


def offer(name: str, *rows: WeightRow | float | str, **fields: Any) -> Offer:
    """An offer in category `all`, on spaces `banner` and `side`, of weight 1."""
    weights = tuple(r if isinstance(r, WeightRow) else row(r) for r in rows)
    fields = {"category": "all", "spaces": ("banner", "side"), **fields}
    return Offer(name=name, label=name, weights=weights or (row(1),), **fields)


def space(name: str, **fields: Any) -> Space:
    return Space(name=name, **{"channel": Channel.INBOUND_WEB, **fields})


def environment(
    offers: Iterable[Offer],
    *,
    categories: Sequence[Category] = (),
    rules: Sequence[PresentationRule] = (),
    spaces: Sequence[Space] = (),
    **fields: Any,
) -> Environment:
    """An environment `bank`, default, whose typology has all the rules given."""
    return Environment(
        name="bank",
        default=True,
        contact_attributes=ATTRIBUTES,
        context_attributes=CONTEXT,
        categories=(Category(name="all"), *categories),
        offers=tuple(offers),
        spaces=tuple(spaces) or (space("banner"), space("side")),
        presentation_rules=tuple(rules),
        typologies=(Typology(name="typology", rules=tuple(r.name for r in rules)),),
        typology="typology",
        **fields,
    )


def publish(folder: Any, *environments: Environment) -> tuple[Revisions, Manifest]:
    """Compile and publish into a folder."""
    revisions = Revisions(folder)
    compiled = compile_catalog(Catalog(environments=environments)).catalog
    installed = revisions.install_catalog(compiled)
    return revisions, revisions.publish(installed, publisher="test", now_ms=NOON_MS)


def live(folder: Any, *environments: Environment) -> LiveCatalog:
    """Compiled, published, mapped and loaded, as a worker does it."""
    revisions, manifest = publish(folder, *environments)
    revision = revisions.open(manifest)
    try:
        return load(revision, manifest)
    finally:
        revision.close()


def call(
    decides: LiveEnvironment,
    *asked: str | tuple[str, int] | SpaceCall,
    contact: dict[str, object] | None = None,
    page: object = MISSING,
    at_ms: int = NOON_MS,
    seed: int = 0,
    history: Sequence[Proposition] = (),
    **fields: Any,
) -> Call:
    contact = contact or {}
    return Call(
        environment=decides,
        contact=tuple(contact.get(a.name, MISSING) for a in ATTRIBUTES),
        context=(at_ms * 1_000, MISSING, MISSING, page),
        history=history,
        spaces=tuple(_space_call(decides, one) for one in asked),
        at_ms=at_ms,
        seed=seed,
        names=known_names(decides),
        **fields,
    )


def chosen(decision: Decision) -> list[list[str]]:
    """Names of what was chosen, per space asked for."""
    return [[c.scored.offer.name for c in s.chosen] for s in decision.spaces]


def names(decides: LiveEnvironment, *asked: Any, **fields: Any) -> list[list[str]]:
    return chosen(decide(call(decides, *asked, **fields)))


def past(
    offer_name: str,
    *,
    category: str = "all",
    channel: Channel = Channel.INBOUND_WEB,
    status: PropositionStatus = PropositionStatus.GENERATED,
    at_ms: int = NOON_MS,
) -> Proposition:
    """A proposition of environment `bank`, as history keeps it."""
    return Proposition(
        interaction=1,
        offer=name_hash(resource_name("bank", "offers", offer_name)),
        category=name_hash(resource_name("bank", "categories", category)),
        space=0,
        channel=CODE_OF_CHANNEL[channel],
        weight=1.0,
        rank=1,
        status=status,
        event_time_ms=UnixMs(at_ms),
        decided_at_ms=UnixMs(at_ms),
    )


def window(start_ms: int | None = None, end_ms: int | None = None) -> Window:
    return Window(
        start=None if start_ms is None else UnixMs(start_ms),
        end=None if end_ms is None else UnixMs(end_ms),
    )


def title(*, required: bool = True) -> ContentField:
    return ContentField(name="title", required=required)


def _space_call(decides: LiveEnvironment, one: Any) -> SpaceCall:
    if isinstance(one, SpaceCall):
        return one
    name, count = (one, 1) if isinstance(one, str) else one
    return SpaceCall(decides.spaces[name], count)
