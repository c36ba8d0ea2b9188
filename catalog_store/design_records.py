"""Design records by name, and the catalog that they are together.

An environment's record holds no sections here: its categories, offers and so on are
records of their own, each with the number of the change that made it as it is.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Self

import msgspec

from catalog_store.approvals import OfferApprovals
from catalog_store.records import (
    Catalog,
    Category,
    Environment,
    GoldenDecision,
    Offer,
    PresentationRule,
    Quota,
    Record,
    Segment,
    Space,
    Typology,
    UnixMs,
    resource_name,
)

ZONES_MAX = 1_000


class Zone(Record, frozen=True):
    """A named group of spaces; nothing that is published names one."""

    name: str
    spaces: tuple[str, ...]
    label: str = ""


#: What records are of each kind. A kind is the field of Environment that holds them;
#: the environment itself has none; zones, and approvals by the names of their
#: offers, are of the design alone.
RECORD_OF_KIND: Mapping[str, type[Record]] = MappingProxyType(
    {
        "": Environment,
        "categories": Category,
        "golden_decisions": GoldenDecision,
        "offers": Offer,
        "presentation_rules": PresentationRule,
        "quotas": Quota,
        "segments": Segment,
        "spaces": Space,
        "typologies": Typology,
        "zones": Zone,
        "approvals": OfferApprovals,
    }
)
#: What catalogs do not have.
DESIGN_ONLY = frozenset({"zones", "approvals"})
#: Of a catalog's environment.
SECTIONS = tuple(kind for kind in RECORD_OF_KIND if kind and kind not in DESIGN_ONLY)


class Ref(NamedTuple):
    """Names one record; an environment's own has neither kind nor name."""

    environment: str
    kind: str = ""
    name: str = ""

    @property
    def resource(self) -> str:
        """The name that diagnostics and history have for it."""
        return resource_name(self.environment, self.kind, self.name)


class Stored(NamedTuple):
    """A record, and the number of the change that made it so."""

    record: Record
    version: int

    @property
    def etag(self) -> str:
        """Differs from that of every other state that the name ever had."""
        return str(self.version)


class Deleted(NamedTuple):
    """A record that is gone, kept for a while for whoever wants it back."""

    stored: Stored
    deleted_at_ms: UnixMs


class Design(NamedTuple):
    """All records at one moment. A value: a change makes another one."""

    #: Of the last change; 0 when there was none.
    version: int
    records: Mapping[Ref, Stored]
    #: The same as a catalog: everything in order of name. Without zones.
    catalog: Catalog

    @classmethod
    def of(cls, version: int, records: Mapping[Ref, Stored]) -> Self:
        names = sorted(ref.environment for ref in records if not ref.kind)
        sections = _sections(records)
        built = tuple(
            _environment(name, records, sections.get(name, {})) for name in names
        )
        return cls(version, records, Catalog(environments=built))

    def changed(self, changes: Mapping[Ref, Record | None], version: int) -> Self:
        """The design after some changes, None being a deletion.

        What they do not touch stays the same object, so that whoever compares the two
        need not look into it.
        """
        records = dict(self.records)
        for ref, record in changes.items():
            if record is None:
                records.pop(ref, None)
            else:
                records[ref] = Stored(record, version)
        touched: dict[str, set[str]] = {}
        for ref in changes:
            if ref.kind in DESIGN_ONLY:
                continue
            touched.setdefault(ref.environment, set()).add(ref.kind)
        before = {one.name: one for one in self.catalog.environments}
        after = {name: one for name, one in before.items() if name not in touched}
        for name, kinds in touched.items():
            if Ref(name) in records:
                known = before.get(name)
                kept = (
                    {kind: getattr(known, kind) for kind in set(SECTIONS) - kinds}
                    if known is not None
                    else {}
                )
                new = _sections(
                    {r: s for r, s in records.items() if r[0] == name and r[1] in kinds}
                )
                sections = {**kept, **new.get(name, {})}
                after[name] = _environment(name, records, sections)
        built = tuple(after[name] for name in sorted(after))
        return type(self)(version, records, Catalog(environments=built))

    def of_kind(self, environment: str, kind: str) -> list[tuple[Ref, Stored]]:
        """Records of a kind in order of name; environments when the kind is empty."""
        found = [
            (ref, stored)
            for ref, stored in self.records.items()
            if ref.kind == kind and (not kind or ref.environment == environment)
        ]
        return sorted(found, key=lambda one: one[0])


def catalog_records(catalog: Catalog) -> dict[Ref, Record]:
    """The records of a catalog, each under its name."""
    found: dict[Ref, Record] = {}
    for environment in catalog.environments:
        found[Ref(environment.name)] = without_sections(environment)
        for kind in SECTIONS:
            records: Iterable[Offer] = getattr(environment, kind)
            found.update(
                {Ref(environment.name, kind, one.name): one for one in records}
            )
    return found


def without_sections(environment: Environment) -> Environment:
    return msgspec.structs.replace(environment, **dict.fromkeys(SECTIONS, ()))


def encode_record(record: Record) -> bytes:
    """Equal records have equal bytes, whatever the order of their texts was."""
    return _encode(record)


def decode_record(kind: str, data: bytes) -> Record:
    """Raises msgspec.MsgspecError when the bytes are not such a record."""
    return _DECODERS[kind].decode(data)


def _environment(
    name: str,
    records: Mapping[Ref, Stored],
    sections: Mapping[str, tuple[Record, ...]],
) -> Environment:
    own = records[Ref(name)].record
    return msgspec.structs.replace(
        own, **{kind: sections.get(kind, ()) for kind in SECTIONS}
    )  # pyright: ignore[reportReturnType]


def _sections(
    records: Mapping[Ref, Stored],
) -> dict[str, dict[str, tuple[Record, ...]]]:
    """By environment, then by kind, in order of name."""
    found: dict[str, dict[str, list[Ref]]] = {}
    for ref in records:
        if ref.kind:
            by_kind = found.setdefault(ref.environment, {})
            by_kind.setdefault(ref.kind, []).append(ref)
    return {
        environment: {
            kind: tuple(records[ref].record for ref in sorted(refs))
            for kind, refs in by_kind.items()
        }
        for environment, by_kind in found.items()
    }


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_DECODERS = {
    kind: msgspec.msgpack.Decoder(record) for kind, record in RECORD_OF_KIND.items()
}
