"""Where an environment is published from: its source, and who refuses what for it.

What the design says of an environment counts; where it says nothing, what the revision
that decides now says.

    source        Publish from the design        files and artifacts
    none          all of it                      yes
    records       what is approved               refused
    artifact      refused                        yes

One revision holds all environments: one of them that would be replaced, or left out,
by the wrong side is enough for a refusal.
"""

from collections.abc import Callable, Iterable, Mapping

from catalog_store.design_store import DesignStore
from catalog_store.records import Environment, EnvironmentSource
from catalog_store.revision_file import RevisionFile
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from server.data_folder import DataFolder
from server.requests import OtherSource

#: Raises OtherSource when these environments, from files or an artifact, may not be
#: published; none are those that are not known yet.
Accept = Callable[[Iterable[Environment]], None]


def accept_anything(sent: Iterable[Environment]) -> None:
    """For folders whose design is somebody else's to ask."""


def accept_for(designed: Iterable[Environment], revisions: Revisions) -> Accept:
    """What may be published from files and artifacts into a folder."""
    sources = _sources(designed, revisions)

    def accept(sent: Iterable[Environment]) -> None:
        for name, source in sources.items():
            if source is EnvironmentSource.RECORDS:
                raise OtherSource(
                    f"environment {name!r} is published from its design records, of"
                    " what is approved: `propono catalog apply` takes files into the"
                    " design; or let an administrator change its source"
                )
        for environment in sent:
            if environment.source is EnvironmentSource.RECORDS:
                raise OtherSource(
                    f"environment {environment.name!r} says itself that it is published"
                    " from design records only: `propono catalog apply` it, or leave"
                    " its source out"
                )

    return accept


def accept_in(folder: DataFolder, revisions: Revisions) -> Accept:
    """The same of a data folder; its design must not be open in this process.

    Raises DesignStoreFailed and DamagedDesign.
    """
    designed: list[Environment] = []
    if (folder.design / "data.mdb").exists():
        with DesignStore(folder.design) as store:
            designed = store.environments()
    return accept_for(designed, revisions)


def require_design(
    sent: Iterable[Environment], designed: Iterable[Environment], revisions: Revisions
) -> None:
    """Raises OtherSource when these environments of a design may not be published.

    The design may have another source by now than when they were taken from it.
    """
    designed = list(designed)
    approved = {one.name for one in sent if one.source is EnvironmentSource.RECORDS}
    for one in designed:
        if one.source is EnvironmentSource.RECORDS and one.name not in approved:
            raise OtherSource(
                f"environment {one.name!r} is published of what is approved by now, and"
                " this is not: publish the design as it is now"
            )
    for name, source in _sources(designed, revisions).items():
        if source is EnvironmentSource.ARTIFACT:
            raise OtherSource(
                f"environment {name!r} is published from files and artifacts: push one;"
                " or let an administrator change its source in the design"
            )


def environments_in(revision: RevisionFile) -> list[Environment]:
    """The environments of a revision, without what is in them; closes it."""
    try:
        return [revision.head(name).environment for name in revision.environment_names]
    finally:
        revision.close()


def _sources(
    designed: Iterable[Environment], revisions: Revisions
) -> Mapping[str, EnvironmentSource | None]:
    live = {one.name: one.source for one in _live(revisions)}
    said = {one.name: one.source for one in designed if one.source is not None}
    return {**live, **said}


def _live(revisions: Revisions) -> list[Environment]:
    try:
        return environments_in(revisions.open(revisions.current()))
    except (NothingPublished, DamagedRevision):
        # One that cannot be read says nothing: what replaces it is welcome.
        return []
