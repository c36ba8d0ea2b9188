"""From a request to a decision that lacks only what changes with every call.

Names are resolved and what depends on the catalog is checked: the environment, who the
contact is, the spaces, the context, the profile. The history and the time come with
`PreparedDecision.call`, inside the transaction when the decision is recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from catalog_store.records import UnixMs
from compiler.runtime.values import MISSING
from contact_store.history import HistoryStore
from contact_store.profile_reader import Profile, ProfileReader
from contact_store.profiles import ProfileStore
from contact_store.reach import Look, Reach
from contact_store.records import Proposition
from server.answer_bytes import OfferParts
from server.context_values import (
    check_context,
    context_slots,
    declared_slots,
    slots_at,
)
from server.engine.call import Call, SpaceCall
from server.engine.history_slots import KnownNames
from server.engine.live_catalog import LiveCatalog, LiveEnvironment
from server.engine.live_offers import LiveSpace
from server.identification import Identified, identify, space_in
from server.looks import looks_of
from server.recurring_requests import REQUESTS_MAX
from server.requests import InvalidRequest, UnknownName
from server.resource_names import known_names
from server.translation import AskedDecision


class PreparedForm(NamedTuple):
    """What is the same for all that ask the same of one environment."""

    #: For each space asked for, its place in `calls`; None when nothing decides it.
    places: tuple[int | None, ...]
    calls: tuple[SpaceCall, ...]
    #: Of the space of each of `calls`.
    offer_parts: tuple[OfferParts, ...]
    context_values: dict[str, object]
    #: As rules of the environment that decides read them, but for the built-in ones.
    context_slots: tuple[object, ...]
    warnings: tuple[str, ...]


class PreparedDecision(NamedTuple):
    """A decision that lacks only history and time."""

    asked: AskedDecision
    catalog: LiveCatalog
    #: That was asked for; `identified` says which one decides.
    environment: LiveEnvironment
    identified: Identified
    form: PreparedForm
    #: The contact's slots.
    contact: tuple[object, ...]
    #: How many of these are absent.
    absent_count: int
    names: KnownNames | None
    #: How far back the rules of the environment that decides look.
    looks: tuple[Look, ...]
    #: Also the seed of the draw.
    interaction: int

    @property
    def records(self) -> bool:
        """Whether this decision can store anything."""
        return not self.asked.dry_run and any(
            call.space.recording for call in self.form.calls
        )

    def call(
        self,
        history: Sequence[Proposition],
        decided_at_ms: UnixMs,
        quotas_left: Mapping[int, int] = MappingProxyType({}),
        fallbacks_left: Mapping[int, int] = MappingProxyType({}),
        newest: Callable[[], Sequence[Proposition]] | None = None,
    ) -> Call:
        """The whole call; somebody must be there to decide it.

        `quotas_left`, `fallbacks_left` and `newest` are as in Call: whoever proposes
        says what there is.
        """
        decides = self.identified.environment
        assert decides is not None
        assert self.names is not None
        at_ms = self.asked.at_ms(decided_at_ms)
        return Call(
            environment=decides,
            contact=self.contact,
            context=slots_at(self.form.context_slots, at_ms),
            history=history,
            spaces=self.form.calls,
            at_ms=at_ms,
            quotas_left=quotas_left,
            fallbacks_left=fallbacks_left,
            decided_at_ms=decided_at_ms,
            seed=self.interaction,
            excluded=self.asked.excluded,
            allow_duplicates=self.asked.allow_duplicates,
            names=self.names,
            newest=newest,
        )

    def reach(self, decided_at_ms: UnixMs) -> Reach:
        """What the decision must see of the contact's history."""
        return Reach(self.looks, self.asked.at_ms(decided_at_ms))


#: Where nobody decides.
_NOBODY = Profile((), 0)


class Preparation:
    """Prepares decisions, and keeps what only depends on the catalog."""

    def __init__(
        self,
        profiles: ProfileStore,
        history: HistoryStore,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._profiles = profiles
        self._history = history
        self._random_bytes = random_bytes
        self._revision = -1
        #: Of environments of that revision.
        self._readers: dict[str, ProfileReader] = {}
        self._names: dict[str, KnownNames] = {}
        self._looks: dict[str, tuple[Look, ...]] = {}
        #: By what is asked, of which environment, and which one decides.
        self._forms: dict[tuple[bytes, str, str | None], PreparedForm] = {}
        #: By the environments that decide, and their spaces.
        self._offer_parts: dict[tuple[str, str], OfferParts] = {}
        #: By what history knows them by; filled when a proposition is answered.
        self._spaces: dict[int, tuple[LiveEnvironment, LiveSpace]] = {}

    def prepare(self, asked: AskedDecision, catalog: LiveCatalog) -> PreparedDecision:
        """Raises UnknownName and InvalidRequest."""
        environment = self.environment(asked, catalog)
        identified = identify(asked, environment, catalog, self)
        return self.prepare_as(identified, asked, environment, catalog)

    def environment(
        self, asked: AskedDecision, catalog: LiveCatalog
    ) -> LiveEnvironment:
        """What is asked for; raises UnknownName when that, or all spaces, are."""
        self.use(catalog)
        environment = _environment(catalog, asked.environment)
        for one in asked.spaces:
            if one.space in environment.spaces:
                return environment
        raise UnknownName("space", asked.spaces[0].space, environment.spaces)

    def prepare_as(
        self,
        identified: Identified,
        asked: AskedDecision,
        environment: LiveEnvironment,
        catalog: LiveCatalog,
    ) -> PreparedDecision:
        """For somebody who is identified already; raises InvalidRequest."""
        decides = identified.environment
        key = (asked.form, environment.name, decides and decides.name)
        form = self._forms.get(key) if asked.form else None
        if form is None:
            form = self._prepared_form(asked, environment, decides, catalog)
            if asked.form:
                if len(self._forms) >= REQUESTS_MAX:
                    self._forms.clear()
                self._forms[key] = form
        contact = _NOBODY if decides is None else self._profile(decides, identified)
        return PreparedDecision(
            asked=asked,
            catalog=catalog,
            environment=environment,
            identified=identified,
            form=form,
            contact=contact.slots,
            absent_count=contact.absent_count,
            names=None if decides is None else self._names_of(decides),
            looks=() if decides is None else self._looks_of(decides),
            interaction=self.new_interaction(),
        )

    def profile(self, environment: LiveEnvironment, contact_id: str) -> Profile | None:
        """None when there is none."""
        return self._reader(environment).read(contact_id)

    def has_profile(self, environment: LiveEnvironment, contact_id: str) -> bool:
        return self.profile(environment, contact_id) is not None

    def bound_contact(self, environment: str, visitor_id: str) -> str | None:
        """The contact that a visitor is bound to."""
        return self._history.bound_contact(environment, visitor_id)

    def new_interaction(self) -> int:
        return int.from_bytes(self._random_bytes(8))

    def new_visitor_id(self) -> str:
        return self._random_bytes(16).hex()

    def use(self, catalog: LiveCatalog) -> None:
        """Forget what was of another revision."""
        if catalog.revision != self._revision:
            self.forget()
            self._revision = catalog.revision

    def forget(self) -> None:
        """Forget what is of any revision."""
        self._revision = -1
        self._readers, self._names, self._spaces = {}, {}, {}
        self._looks, self._forms, self._offer_parts = {}, {}, {}

    def space_of(
        self, catalog: LiveCatalog, space_hash: int
    ) -> tuple[LiveEnvironment, LiveSpace] | None:
        """The space that history knows by a number; None when it is gone."""
        self.use(catalog)
        if not self._spaces:
            self._spaces = {
                space.space_hash: (environment, space)
                for environment in catalog.environments.values()
                for space in environment.spaces.values()
            }
        return self._spaces.get(space_hash)

    def call_of(
        self,
        environment: LiveEnvironment,
        contact_id: str | None,
        context: dict[str, object],
        at_ms: UnixMs,
    ) -> Call:
        """A call that asks for no space, for expressions; None is nobody's profile."""
        profile = (
            None if contact_id is None else self._reader(environment).get(contact_id)
        )
        return Call(
            environment=environment,
            contact=profile or (MISSING,) * len(environment.contact_attributes),
            context=context_slots(context, environment.context_attributes, at_ms),
            history=(),
            spaces=(),
            at_ms=at_ms,
            seed=0,
            names=self._names_of(environment),
        )

    def _prepared_form(
        self,
        asked: AskedDecision,
        environment: LiveEnvironment,
        decides: LiveEnvironment | None,
        catalog: LiveCatalog,
    ) -> PreparedForm:
        """Raises InvalidRequest."""
        schemas = [environment.context_attributes]
        if decides is not None and decides is not environment:
            schemas.append(decides.context_attributes)
        values, violations = check_context(asked.context, schemas)
        if violations:
            raise InvalidRequest(violations)
        places: list[int | None] = []
        calls: list[SpaceCall] = []
        parts: list[OfferParts] = []
        for one in asked.spaces:
            space = space_in(decides, environment, one.space)
            places.append(None if space is None else len(calls))
            if decides is not None and space is not None:
                calls.append(
                    SpaceCall(space, one.max_propositions, one.categories, one.themes)
                )
                key = (decides.name, space.name)
                parts.append(self._offer_parts.setdefault(key, OfferParts()))
        attributes = () if decides is None else decides.context_attributes
        return PreparedForm(
            places=tuple(places),
            calls=tuple(calls),
            offer_parts=tuple(parts),
            context_values=values,
            context_slots=declared_slots(values, attributes),
            warnings=_warnings(asked, environment, catalog),
        )

    def _profile(self, decides: LiveEnvironment, identified: Identified) -> Profile:
        """The contact's; all absent when there is no profile."""
        contact_id = identified.contact_id
        # Of a batch, nobody in particular is prepared for first.
        profile = self.profile(decides, contact_id) if contact_id else None
        if profile is None:
            count = len(decides.contact_attributes)
            return Profile((MISSING,) * count, count)
        return profile

    def _reader(self, environment: LiveEnvironment) -> ProfileReader:
        reader = self._readers.get(environment.name)
        if reader is None:
            reader = self._readers[environment.name] = ProfileReader(
                self._profiles,
                environment.name,
                environment.contact_attributes,
                MISSING,
            )
        return reader

    def _names_of(self, environment: LiveEnvironment) -> KnownNames:
        names = self._names.get(environment.name)
        if names is None:
            names = self._names[environment.name] = known_names(environment)
        return names

    def _looks_of(self, environment: LiveEnvironment) -> tuple[Look, ...]:
        looks = self._looks.get(environment.name)
        if looks is None:
            looks = self._looks[environment.name] = looks_of(environment)
        return looks


def _environment(catalog: LiveCatalog, name: str) -> LiveEnvironment:
    name = name or catalog.default_environment or ""
    environment = catalog.environments.get(name)
    if environment is None:
        raise UnknownName("environment", name, catalog.environments)
    return environment


def _warnings(
    asked: AskedDecision, environment: LiveEnvironment, catalog: LiveCatalog
) -> tuple[str, ...]:
    """What the call names and neither the environment nor its anonymous one has.

    Pages that do not know who is signed in name the categories of both.
    """
    both = [environment]
    if environment.anonymous_environment is not None:
        both.append(catalog.environments[environment.anonymous_environment])
    explanation = asked.explanation
    offers = {*asked.excluded, *(explanation.offers if explanation else ())}
    named = (
        ("category", {n for one in asked.spaces for n in one.categories}, "categories"),
        ("theme", {n for one in asked.spaces for n in one.themes}, "themes"),
        ("offer", offers, "offer_numbers"),
    )
    return tuple(
        f"unknown {kind} {name!r} ignored"
        for kind, names, known in named
        for name in sorted(names)
        if not any(name in getattr(each, known) for each in both)
    )
