"""The work as a catalog of Propono's, published into a data folder."""

from enum import StrEnum
from pathlib import Path

from bench.attributes import declared
from bench.catalogs import ENVIRONMENT, NOW_MS, SPACE
from bench.peers import cel
from bench.peers.work import KINDS, Contact, Work
from bench.revisions import Loaded
from catalog_store.records import (
    Catalog,
    Category,
    Channel,
    ContentField,
    Environment,
    Offer,
    Space,
    WeightRow,
)
from catalog_store.revisions import Revisions
from compiler.runtime.linker import link
from compiler.runtime.values import MISSING
from contact_store.profiles import ProfileStore
from server.data_folder import DataFolder
from server.live_loading import load
from server.publication import publish_records


class Attributes(StrEnum):
    """Where the attributes of a contact come from; records are named so in rules."""

    #: The profile that Propono keeps: a call names the contact.
    STORED = "contact"
    #: The call itself, as peers have them.
    SENT = "context"


def publish(work: Work, attributes: Attributes, data: Path) -> None:
    """Compile and publish what the work is, for `propono serve --data`."""
    publish_records(
        DataFolder(data),
        Catalog(environments=(environment(work, attributes),)),
        publisher="bench",
        now_ms=NOW_MS,
    )


def store_contacts(work: Work, data: Path) -> None:
    """Profiles of the contacts, under `contact_id`."""
    attributes = declared(KINDS)
    with ProfileStore(DataFolder(data).profiles) as profiles:
        for number, contact in enumerate(work.contacts):
            values = [contact.get(kind.name) for kind in KINDS]
            profiles.upsert(ENVIRONMENT, contact_id(number), attributes, values)


def contact_id(number: int) -> str:
    """Of contact `number` of the work."""
    return f"C{number:06}"


def environment(work: Work, attributes: Attributes) -> Environment:
    """One space, and one weight row an offer."""
    known = declared(KINDS)
    stored = attributes is Attributes.STORED
    return Environment(
        name=ENVIRONMENT,
        default=True,
        contact_attributes=known if stored else (),
        context_attributes=() if stored else known,
        categories=(Category(name="all"),),
        offers=tuple(
            Offer(
                name=offer.name,
                label=offer.name,
                category="all",
                spaces=(SPACE,),
                weights=(
                    WeightRow(
                        weight=float(offer.weight),
                        rule=cel.rule(offer, attributes, doubles=False),
                    ),
                ),
                content={"title": offer.name},
            )
            for offer in work.offers
        ),
        spaces=(
            Space(
                name=SPACE,
                channel=Channel.INBOUND_WEB,
                fields=(ContentField(name="title"),),
            ),
        ),
    )


def loaded(data: Path) -> Loaded:
    """What was published, as a worker loads it."""
    revisions = Revisions(DataFolder(data).catalog)
    manifest = revisions.current()
    revision = revisions.open(manifest)
    try:
        return Loaded(
            revision.environment(ENVIRONMENT),
            load(revision, manifest).environments[ENVIRONMENT],
            tuple(link(rule.code, rule.tree) for rule in revision.rules(ENVIRONMENT)),
            revision.rule_of(ENVIRONMENT),
        )
    finally:
        revision.close()


def slots(contact: Contact) -> tuple[object, ...]:
    """The values of a contact in the order of the schema."""
    return tuple(contact.get(kind.name, MISSING) for kind in KINDS)
