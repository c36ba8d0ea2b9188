"""A real admin port that serves the design of a folder, for tests."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.protobuf.message_factory import GetMessageClass

from catalog_store.design_records import Ref, Stored
from catalog_store.records import Record, UnixMs
from catalog_store.revisions import Revisions
from server.access.callers import Caller, current_caller
from server.access.roles import Role
from server.admin import admin_handlers
from server.client import CallFailed, call_failed
from server.data_folder import DataFolder
from server.design.catalog_methods import design_record
from server.design.handlers import DesignService
from server.design.nouns import NOUNS, Noun
from server.design.translation import message_of
from server.push import PublicationService
from server.transport import Context, build_server, methods_of
from server.wire import admin_pb2
from tests.bank import NOON_MS
from tests.servers import DEADLINE_SECONDS

PARENT = "environments/bank"


def told(rpc_context: Context) -> str:
    """Whoever the call says, an administrator where it does not say."""
    metadata = dict(rpc_context.invocation_metadata() or ())
    name = str(metadata.get("caller", "anyone"))
    role = Role(metadata.get("role", Role.ADMINISTRATOR))
    current_caller.set(Caller(name, role, ""))
    return name


#: One of each noun, in an order in which each refers to earlier ones only.
SAMPLES: dict[str, dict[str, Any]] = {
    "environment": {
        "contact_attributes": [{"name": "age", "type": 2}],
        "default": True,
        "time_zone": "Europe/Lisbon",
    },
    "category": {"label": "Cards", "themes": ["travel"], "rule": "contact.age > 17"},
    "space": {"channel": 1, "fields": [{"name": "title"}], "rendering": {"text": "x"}},
    "offer": {
        "label": "Gold",
        "category": "sample",
        "spaces": ["sample"],
        "weights": [{"weight": 2.5}, {"formula": "double(contact.age)"}],
        "content": {"title": "Gold for you"},
    },
    "segment": {"rule": "contact.age > 60"},
    "zone": {"spaces": ["sample"]},
    "presentation_rule": {"maximum": 1, "offers": ["sample"], "label": "Once"},
    "typology": {"rules": ["sample"]},
    "quota": {"limit": 10, "period": 3, "offers": ["sample"]},
    "golden_decision": {
        "spaces": [{"name": "sample", "expected": [{"offers": ["sample"]}]}],
        "decide_time": {"seconds": NOON_MS // 1_000},
        "contact": {"age": 40},
        "past": [
            {
                "offer": "sample",
                "space": "sample",
                "event_time": {"seconds": 1},
                "status": 1,
            }
        ],
    },
}
BY_ORDER = [next(n for n in NOUNS if n.field == field) for field in SAMPLES]
METHODS = methods_of(admin_pb2.DESCRIPTOR.services_by_name["AdminService"])


class DesignAdmin(NamedTuple):
    """Asks a design's admin port."""

    channel: grpc.Channel
    address: str
    clock: "Clock"
    #: Who calls.
    metadata: tuple[tuple[str, str], ...] = ()

    def as_(self, name: str, role: Role = Role.OFFER_MANAGER) -> "DesignAdmin":
        """The same port, called by somebody else."""
        return self._replace(metadata=(("caller", name), ("role", role)))

    def call(self, method: str, /, **fields: Any) -> Any:
        """Raises CallFailed."""
        request = GetMessageClass(METHODS[method].input_type)(**fields)
        return self.send(method, request.SerializeToString())

    def send(self, method: str, data: bytes) -> Any:
        answer_type = GetMessageClass(METHODS[method].output_type)
        call = self.channel.unary_unary(f"/propono.v1.AdminService/{method}")
        try:
            answer = call(data, timeout=DEADLINE_SECONDS, metadata=self.metadata)
            return answer_type.FromString(answer)
        except grpc.RpcError as error:
            raise call_failed(error) from None

    def apply(self, records: dict[Ref, Record], **options: Any) -> Any:
        """Raises CallFailed."""
        sent = [
            design_record(ref, message_of(ref, Stored(record, 0)))
            for ref, record in records.items()
        ]
        request = admin_pb2.ApplyCatalogRequest(options=options, records=sent)
        return self.stream([request.SerializeToString()])

    def stream(self, requests: list[bytes]) -> Any:
        """Raises CallFailed."""
        call = self.channel.stream_unary("/propono.v1.AdminService/ApplyCatalog")
        try:
            data = call(iter(requests), timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            raise call_failed(error) from None
        return admin_pb2.ApplyCatalogResponse.FromString(data)

    def export(self, **fields: Any) -> list[Any]:
        """Raises CallFailed."""
        call = self.channel.unary_stream("/propono.v1.AdminService/ExportCatalog")
        asked = admin_pb2.ExportCatalogRequest(**fields).SerializeToString()
        parts = call(asked, timeout=DEADLINE_SECONDS)
        try:
            return [admin_pb2.ExportCatalogResponse.FromString(p) for p in parts]
        except grpc.RpcError as error:
            raise call_failed(error) from None

    def refused(self, method: str, /, **fields: Any) -> tuple[str, str, str]:
        """Code, reason and text of a call that must fail."""
        try:
            self.call(method, **fields)
        except CallFailed as failure:
            return failure.code, failure.reason, str(failure)
        raise AssertionError(f"{method} was not refused")


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> UnixMs:
        return UnixMs(self.now_ms)


@contextmanager
def design_admin(folder: Path) -> Generator[DesignAdmin]:
    """Serve a folder's design on a free port, on an event loop of its own."""
    clock = Clock()
    ready: list[int] = []
    started, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        design = DesignService(DataFolder(folder), clock)
        revisions = Revisions(folder / "catalog")
        server = build_server(
            [
                admin_handlers(
                    revisions,
                    PublicationService(
                        DataFolder(folder), clock, designed=design.environments
                    ),
                    told,
                    design.methods(told),
                )
            ],
            reuse_port=False,
        )
        ready.append(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        started.set()
        await stop.wait()
        await server.stop(1.0)
        design.close()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    serving = threading.Thread(target=run)
    serving.start()
    try:
        assert started.wait(DEADLINE_SECONDS)
        address = f"127.0.0.1:{ready[0]}"
        with grpc.insecure_channel(address) as channel:
            yield DesignAdmin(channel, address, clock)
    finally:
        loop.call_soon_threadsafe(stop.set)
        serving.join(DEADLINE_SECONDS)


def create(admin: DesignAdmin, noun: Noun, **fields: Any) -> Any:
    asked = {f"{noun.field}_id": "sample", **fields}
    if noun.kind:
        asked.setdefault("parent", PARENT)
    else:
        asked[f"{noun.field}_id"] = asked.get("environment_id", "bank")
        if asked[f"{noun.field}_id"] == "sample":
            asked[f"{noun.field}_id"] = "bank"
    asked.setdefault(noun.field, SAMPLES[noun.field])
    return getattr(admin.call(f"Create{noun.singular}", **asked), noun.field)


def name_of(noun: Noun, name: str = "sample") -> str:
    return noun.name_of(Ref("bank", noun.kind, name))
