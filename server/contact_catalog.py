"""What the current revision says of contacts: attributes, and names for numbers.

Read from the revision's file when it is needed, and kept until another revision is
current: the admin process decides nothing, and loads no live catalog.
"""

from typing import NamedTuple

import msgspec

from catalog_store.records import Environment, resource_name
from catalog_store.revisions import NothingPublished, Revisions
from contact_store.names import name_hash
from server.contact_values import ProfileForm
from server.requests import UnknownName


class PublishedEnvironment(NamedTuple):
    """What calls about contacts need of an environment."""

    name: str
    anonymous: bool
    anonymous_environment: str | None
    form: ProfileForm


class PublishedName(NamedTuple):
    """What a number in history stands for."""

    environment: str
    name: str


class ContactCatalog:
    """The current revision, as calls about contacts see it."""

    def __init__(self, revisions: Revisions) -> None:
        self._revisions = revisions
        self._signal = revisions.signal()
        self._seen = b""
        self._environments: dict[str, PublishedEnvironment] = {}
        self._default: str | None = None
        self._names: dict[int, PublishedName] | None = None

    def environment(self, name: str) -> PublishedEnvironment:
        """Empty names the default one; raises UnknownName and NothingPublished."""
        self._refresh()
        name = name or self._default or ""
        found = self._environments.get(name)
        if found is None:
            raise UnknownName("environment", name, self._environments)
        return found

    def name_of(self, number: int) -> PublishedName | None:
        """None when the current revision has nothing that history knows so."""
        self._refresh()
        if self._names is None:
            self._names = self._read_names()
        return self._names.get(number)

    def space_numbers(self, environment: str, space: str) -> set[int]:
        """What spaces of that name may be in history, gone ones included."""
        self._refresh()
        return {
            name_hash(resource_name(one, "spaces", space))
            for one in {environment, *self._environments}
        }

    def _refresh(self) -> None:
        """Read the current revision's heads, if another one became current."""
        signal = self._signal.value()
        if signal == self._seen and self._environments:
            return
        try:
            revision = self._revisions.open(self._revisions.current())
        except NothingPublished:
            raise NothingPublished(
                "nothing is published yet; a catalog declares the attributes"
            ) from None
        try:
            heads = [revision.head(n).environment for n in revision.environment_names]
        finally:
            revision.close()
        self._environments = {head.name: _published(head) for head in heads}
        self._default = next((head.name for head in heads if head.default), None)
        self._names = None
        self._seen = signal

    def _read_names(self) -> dict[int, PublishedName]:
        revision = self._revisions.open(self._revisions.current())
        names: dict[int, PublishedName] = {}
        try:
            for environment in revision.environment_names:
                for kind in ("offers", "categories", "spaces"):
                    for one in revision.items(environment, kind, _Named):
                        number = name_hash(resource_name(environment, kind, one.name))
                        names[number] = PublishedName(environment, one.name)
        finally:
            revision.close()
        return names


class _Named(msgspec.Struct):
    """Of an offer, a category or a space no more than its name."""

    name: str


def _published(record: Environment) -> PublishedEnvironment:
    return PublishedEnvironment(
        record.name,
        record.anonymous,
        record.anonymous_environment,
        ProfileForm(record.contact_attributes),
    )
