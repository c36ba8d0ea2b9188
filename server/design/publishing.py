"""Publish: the design to the revision that decides."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from catalog_store.design_errors import DesignStoreFailed
from catalog_store.design_records import Design, Ref
from catalog_store.records import Catalog, Environment, Offer, UnixMs
from catalog_store.revisions import NothingPublished, Revisions
from catalog_store.scheduled_publications import ScheduledPublications, is_outdated
from compiler.revision import Compilation, Progress
from compiler.source import Refused
from server.audit.publications import tell_current
from server.compiled_here import KeptCompilation
from server.data_folder import DataFolder
from server.design.approval_upkeep import PublishedOffers
from server.design.approved import ApprovedVersions, published_catalog
from server.design.editing import DesignEditor
from server.design.thread import DesignThread
from server.golden.trial import try_golden_decisions
from server.publication import compile_records, publish_records, switch_offer
from server.requests import NotPublishable
from server.revision_message import revision_message
from server.sources import require_design
from server.switching import all_switched
from server.transport import Context, Handler, unary_handler
from server.wire import admin_pb2 as pb

#: Diagnostics in an answer.
DIAGNOSTICS_MAX = 100


class Publisher:
    """Publishes the design of one data folder; for one thread at a time."""

    def __init__(
        self,
        folder: DataFolder,
        now_ms: Callable[[], UnixMs],
        designed: Callable[[], Sequence[Environment]] = tuple,
    ) -> None:
        """`designed` gives the environments that the design has now."""
        self._folder = folder
        self._now_ms = now_ms
        self._designed = designed
        self._kept = KeptCompilation()
        self._versions = ApprovedVersions()

    def catalog_of(self, design: Design) -> Catalog:
        """What a publication of a design is compiled from."""
        return published_catalog(design, self._versions)

    def publish(
        self,
        catalog: Catalog,
        publisher: str,
        *,
        validate_only: bool,
        progress: Progress | None = None,
        after: int | None = None,
        strict: bool = False,
        analysed: bool = True,
    ) -> pb.PublishResponse:
        """Compile a catalog and publish it, or only find that this could be done.

        Of what was not published the revision has no number and no name. With `after`,
        the current revision must still have that number; with `strict`, warnings are
        refused; without `analysed`, nobody looks for what can never be proposed. Raises
        NotPublishable, which GoldenDecisionsFailed is too, OtherSource, PublicationBusy
        and DesignStoreFailed; what was published before then goes on deciding.
        """
        if not catalog.environments:
            raise NotPublishable(
                ["the design is empty: apply a catalog, or create one"]
            )
        folder = self._folder
        revisions = Revisions(folder.catalog)
        require_design(catalog.environments, self._designed(), revisions)
        tell_current(revisions)
        try:
            if validate_only:
                compilation = compile_records(
                    folder,
                    catalog,
                    progress,
                    strict=strict,
                    analysed=analysed,
                    kept=self._kept,
                )
                try_golden_decisions(compilation.catalog)
                return _answer(_revision_of(compilation), compilation)
            manifest, compilation = publish_records(
                folder,
                catalog,
                publisher=publisher,
                now_ms=self._now_ms(),
                progress=progress,
                after=after,
                strict=strict,
                analysed=analysed,
                kept=self._kept,
            )
        except Refused as refused:
            raise NotPublishable(
                [one.render() for one in refused.diagnostics]
            ) from None
        except OSError as error:
            raise DesignStoreFailed(f"nothing was published: {error}") from error
        answer = _answer(revision_message(manifest, manifest.number), compilation)
        outdated = [*_outdated(folder, manifest.digest)]
        answer.diagnostics[:] = [*outdated, *answer.diagnostics]
        return answer

    def switch_offer(self, ref: Ref, publisher: str, *, enabled: bool) -> Offer | None:
        """The offer of the current revision, switched there; None if it has none.

        Raises what `publish` raises.
        """
        try:
            return switch_offer(
                self._folder,
                ref.environment,
                ref.name,
                enabled=enabled,
                publisher=publisher,
                now_ms=self._now_ms(),
                kept=self._kept,
            )
        except NothingPublished:
            return None
        except Refused as refused:
            raise NotPublishable(
                [one.render() for one in refused.diagnostics]
            ) from None
        except OSError as error:
            raise DesignStoreFailed(f"nothing was published: {error}") from error

    async def switched(self) -> None:
        """Wait until every worker decides with what is published.

        Raises WorkersBehind, and DamagedRevision.
        """
        revisions = Revisions(self._folder.catalog)
        try:
            number = revisions.current_number()
        except NothingPublished:
            return
        await all_switched(revisions.signal(), number)


def published_offers(folder: DataFolder) -> PublishedOffers:
    """Reads the offers of the revision that decides; raises DamagedRevision."""

    def read(environment: str) -> Sequence[Offer]:
        revisions = Revisions(folder.catalog)
        try:
            revision = revisions.open(revisions.current())
        except NothingPublished:
            return ()
        try:
            if environment not in revision.environment_names:
                return ()
            return revision.environment(environment).offers
        finally:
            revision.close()

    return read


def publish_handler(
    editor: DesignEditor,
    publisher: Publisher,
    thread: DesignThread,
    compiling: DesignThread,
    schedule: Callable[[pb.PublishRequest, Catalog, int, str], pb.PublishResponse],
    admit: Callable[[Context], str],
) -> Handler:
    """Publish as a gRPC handler; what takes long runs on `compiling`.

    `schedule` is for a catalog and its version that are to be published later.
    """

    async def answer(request: pb.PublishRequest, caller: str) -> bytes:
        design = await thread.run(editor.design)
        if request.HasField("publish_time"):
            scheduled = await compiling.run(
                lambda: schedule(
                    request, publisher.catalog_of(design), design.version, caller
                )
            )
            return scheduled.SerializeToString()
        published = await compiling.run(
            lambda: publisher.publish(
                publisher.catalog_of(design),
                caller,
                validate_only=request.validate_only,
                strict=request.strict,
            )
        )
        if not request.validate_only:
            await publisher.switched()
        return published.SerializeToString()

    return unary_handler(pb.PublishRequest, answer, admit)


def _outdated(folder: DataFolder, digest: str) -> Iterator[str]:
    """What is scheduled and would take back what has just been published."""
    known = ScheduledPublications(folder.scheduled).readable()
    for one in known:
        if one.is_waiting and is_outdated(one, digest, known):
            at = datetime.fromtimestamp(one.publish_at_ms / 1_000, UTC)
            yield (
                f"warning: {one.name}, scheduled by {one.publisher} for"
                f" {at.isoformat(timespec='seconds')}, is older than this and will be"
                " refused: cancel it, and schedule what is designed now"
            )


def _revision_of(compilation: Compilation) -> pb.Revision:
    environments = compilation.catalog.environments
    return pb.Revision(
        digest=compilation.catalog.digest(),
        offer_count=sum(len(one.environment.offers) for one in environments),
        rule_count=sum(len(one.rules) for one in environments),
    )


def _answer(revision: pb.Revision, compilation: Compilation) -> pb.PublishResponse:
    found = compilation.diagnostics[:DIAGNOSTICS_MAX]
    return pb.PublishResponse(
        revision=revision, diagnostics=[one.render() for one in found]
    )
