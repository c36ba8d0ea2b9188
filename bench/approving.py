"""Milliseconds from an approval to the last worker that serves it.

    python -m bench.approving --offers 10000 --workers 2

One offer is edited and submitted; the time is that of `Review` with `publish`, over the
wire, until it answers: then every worker has switched, which is asked over new
connections after each. Bar: 1 s.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import grpc
from msgspec.structs import replace

from bench.catalogs import Shape, environment
from bench.publishing import check
from bench.served_bank import Served, serving
from bench.timing import report
from catalog_store.design_records import catalog_records
from catalog_store.records import Catalog, Environment, EnvironmentSource
from server.data_folder import DataFolder
from server.design.applying import ApplyOptions
from server.design.local import local_design
from server.wire import admin_pb2 as pb
from server.wire import catalog_pb2, design_offers_pb2


class Approver:
    """Edits, submits and approves one offer over a server's admin port."""

    def __init__(self, served: Served, data: Path, record: Environment) -> None:
        self._served = served
        self._answer = b""
        self._channel = grpc.insecure_channel(served.admin)
        token = (data / "admin.token").read_text().strip()
        self._metadata = (("authorization", f"Bearer {token}"),)
        offer = record.offers[0]
        self._name = f"environments/{record.name}/offers/{offer.name}"

    def milliseconds(self, label: str) -> tuple[float, float]:
        """Of the review that publishes, and of disabling the offer and enabling it."""
        offer = catalog_pb2.Offer(name=self._name, label=label)
        edit = design_offers_pb2.UpdateOfferRequest(offer=offer)
        edit.update_mask.paths.append("label")
        self._call("UpdateOffer", edit)
        submission = pb.SubmitForApprovalRequest(name=self._name)
        self._call("SubmitForApproval", submission)
        review = pb.ReviewRequest(
            name=self._name,
            state=catalog_pb2.APPROVAL_STATE_APPROVED,
            publish=True,
        )
        approved = self._call("Review", review)
        number = pb.ReviewResponse.FromString(self._answer).revision.number
        check(self._served, number)
        switches = [
            self._call(
                "SetOfferDisabled",
                pb.SetOfferDisabledRequest(name=self._name, disabled=disabled),
            )
            for disabled in (True, False)
        ]
        return approved, sum(switches) / 2

    def _call(self, method: str, request: Any) -> float:
        """Raises grpc.RpcError."""
        call = self._channel.unary_unary(f"/propono.v1.AdminService/{method}")
        began = time.perf_counter()
        data = request.SerializeToString()
        self._answer = call(data, metadata=self._metadata, timeout=60.0)
        return (time.perf_counter() - began) * 1e3


def prepare(data: Path, offers: int) -> Environment:
    """Everything published first, and so approved when approvals begin."""
    record = environment(Shape(offers))
    with local_design(DataFolder(data)) as design:

        def apply(source: EnvironmentSource | None) -> None:
            catalog = Catalog(environments=(replace(record, source=source),))
            design.apply(catalog_records(catalog), ApplyOptions(), _silent)
            design.publish(pb.PublishRequest(), _silent)

        apply(None)
        apply(EnvironmentSource.RECORDS)
    return record


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


@click.command()
@click.option("--offers", default=10_000, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--repeats", default=7, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(offers: int, workers: int, repeats: int, output: str) -> None:
    """Time what approving publishes."""
    with TemporaryDirectory(prefix="propono-approving-") as folder:
        data = Path(folder) / "data"
        record = prepare(data, offers)
        with serving(data, workers) as served:
            approver = Approver(served, data, record)
            found = [approver.milliseconds(f"label {n}") for n in range(repeats)]
    lines: list[dict[str, object]] = []
    for what, times in zip(
        ("approve and publish", "disable"), zip(*found, strict=True), strict=True
    ):
        ordered = sorted(times)
        lines.append(
            {
                "what": f"{offers:,} offers, {workers} workers: {what}",
                "median": f"{ordered[len(ordered) // 2]:,.0f} ms",
                "lowest": f"{ordered[0]:,.0f} ms",
                "highest": f"{ordered[-1]:,.0f} ms",
                "bar at 10,000": "1 s",
            }
        )
    report("From an approval to every worker", lines, output)


if __name__ == "__main__":
    main()
