"""A design that is reached in its data folder."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from getpass import getuser
from typing import Any

from catalog_store.design_records import Ref
from catalog_store.design_store import DesignStore
from catalog_store.records import Catalog, Record, UnixMs
from server.access.callers import Caller
from server.access.roles import Role
from server.data_folder import DataFolder
from server.design.applying import ApplyOptions, apply_catalog
from server.design.approval_desk import ApprovalDesk
from server.design.approved import has_approvals
from server.design.catalog_methods import answer_of
from server.design.editing import DesignEditor
from server.design.past import DesignPast
from server.design.publishing import Publisher, published_offers
from server.design.scheduling import Scheduling
from server.live.collector import collections_put_off
from server.wire import admin_pb2 as pb
from server.wire.scheduling_pb2 import ScheduledPublication

#: Learns how many of how many records are done.
Progress = Callable[[int, int], None]


class LocalDesign:
    """What the admin port does, without it; whoever may write the files may do it."""

    def __init__(self, store: DesignStore, folder: DataFolder) -> None:
        published = published_offers(folder)
        self._environments = store.environments
        self._editor = DesignEditor(store, _now_ms, published)
        self._past = DesignPast(store)
        self._publisher = Publisher(folder, _now_ms, store.environments)
        self._scheduling = Scheduling(folder, self._publisher, _now_ms)

    def apply(
        self, records: Mapping[Ref, Record], options: ApplyOptions, progress: Progress
    ) -> pb.ApplyCatalogResponse:
        """Raises what `apply_catalog` raises."""
        with collections_put_off():
            return answer_of(apply_catalog(self._editor, getuser(), records, options))

    def publish(
        self, request: pb.PublishRequest, progress: Progress
    ) -> pb.PublishResponse:
        """Raises what `Publisher.publish` and `Scheduling.schedule` raise."""
        design = self._editor.design()
        if request.HasField("publish_time"):
            return self._scheduling.schedule(
                request,
                self._publisher.catalog_of(design),
                design.version,
                getuser(),
                progress,
            )
        return self._publisher.publish(
            self._publisher.catalog_of(design),
            getuser(),
            validate_only=request.validate_only,
            strict=request.strict,
            progress=progress,
        )

    def scheduled(self, *, show_ended: bool) -> list[ScheduledPublication]:
        """Raises DamagedSchedule."""
        return self._scheduling.list(show_ended=show_ended)

    def cancel(self, name: str) -> ScheduledPublication:
        """Raises what `Scheduling.cancel` raises."""
        return self._scheduling.cancel(name, getuser())

    def ask(self, method: str, request: Any) -> Any:
        """One of the methods about approvals; raises what `ApprovalDesk.ask` raises."""
        caller = Caller(getuser(), Role.ADMINISTRATOR, "")
        desk = ApprovalDesk(self._editor, self._publisher)
        return desk.ask(method, request, caller)

    def environments_with_approvals(self) -> list[str]:
        """Raises DesignStoreFailed and DamagedDesign."""
        return [one.name for one in self._environments() if has_approvals(one)]

    def catalog(self, version: int = 0) -> Catalog:
        """Now, or as it was; raises DesignStoreFailed, UnknownChange, DamagedDesign."""
        if version:
            return self._editor.design_at(version).catalog
        return self._editor.design().catalog

    def log(self, request: pb.ListDesignChangesRequest) -> pb.ListDesignChangesResponse:
        """Raises what `DesignPast.list` raises."""
        return self._past.list(request)

    def record(self, request: pb.GetDesignRecordRequest) -> pb.GetDesignRecordResponse:
        """Raises what `DesignPast.record` raises."""
        return self._past.record(request)


@contextmanager
def local_design(folder: DataFolder) -> Generator[LocalDesign]:
    """The design of a data folder, which a server may serve at the same time.

    Raises DesignStoreFailed.
    """
    folder.create()
    with DesignStore(folder.design) as store:
        yield LocalDesign(store, folder)


def _now_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)
