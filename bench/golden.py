"""How long golden decisions and the static analysis take of a publication.

    python -m bench.golden --rows 10000 --decisions 100

Each golden decision has a time and a contact of its own. The bar is 100 ms for 100 of
them on 10,000 offers.
"""

import time
from pathlib import Path
from random import Random
from typing import Any

import click
from msgspec.structs import replace

from bench.catalogs import NOW_MS, SPACE, Shape
from bench.revisions import KEPT, published
from bench.timing import report
from catalog_store.compiled import CompiledCatalog
from catalog_store.golden_decisions import GoldenDecision, GoldenSpace
from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Environment,
    UnixMs,
)
from compiler.analysis import analyse
from compiler.revision import compile_catalog
from server.engine.decision import decide
from server.golden.calls import golden_call
from server.golden.running import require_golden_decisions
from server.golden.trial import loaded
from server.resource_names import known_names

#: Between the times of two golden decisions.
_APART_MS = 3_600_000
REPEATS = 3


def with_golden_decisions(compiled: CompiledCatalog, count: int) -> CompiledCatalog:
    """The catalog with golden decisions that it meets."""
    record = compiled.environments[0].environment
    random = Random(1)
    asked = tuple(
        GoldenDecision(
            name=f"golden_{number}",
            decided_at=UnixMs(NOW_MS + number * _APART_MS),
            contact=_values(record.contact_attributes, random),
            context=_values(record.context_attributes, random),
            spaces=(GoldenSpace(name=SPACE, absent=("nobody",), max_propositions=3),),
        )
        for number in range(count)
    )
    with loaded(compiled) as (_, live):
        decides = live.environments[record.name]
        names = known_names(decides)
        golden = tuple(_met(one, decides, names) for one in asked)
    return _compiled(replace(record, golden_decisions=golden), compiled)


def _met(one: GoldenDecision, decides: Any, names: Any) -> GoldenDecision:
    """Expecting what comes out; offers of equal weight together."""
    (shown,) = decide(golden_call(one, decides, names)).spaces
    groups: dict[float, list[str]] = {}
    for chosen in shown.chosen:
        scored = chosen.scored
        groups.setdefault(scored.weight, []).append(scored.offer.name)
    expected = tuple(map(tuple, groups.values()))
    return replace(
        one,
        spaces=(GoldenSpace(name=SPACE, expected=expected, max_propositions=3),),
    )


def _compiled(record: Environment, previous: CompiledCatalog) -> CompiledCatalog:
    return compile_catalog(Catalog(environments=(record,)), previous).catalog


def _values(attributes: tuple[Attribute, ...], random: Random) -> dict[str, Any]:
    made = {
        AttributeType.BOOL: lambda: random.random() < 0.5,
        AttributeType.INT: lambda: random.randrange(100),
        AttributeType.DOUBLE: lambda: random.random() * 100,
        AttributeType.STRING: lambda: f"v{random.randrange(20)}",
    }
    return {a.name: made[a.type]() for a in attributes if a.type in made}


def measure(rows: int, decisions: int, kept: Path = KEPT) -> dict[str, object]:
    """The best of REPEATS, in milliseconds; golden decisions just after loading."""
    revisions, manifest = published(Shape(rows), kept)
    revision = revisions.open(manifest)
    try:
        compiled = revision.catalog()
    finally:
        revision.close()
    golden = with_golden_decisions(compiled, decisions)
    making: list[float] = []
    analysing: list[float] = []
    for _ in range(REPEATS):
        with loaded(golden) as (file, live):
            begun = time.perf_counter()
            require_golden_decisions(file, live)
            making.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        analyse(golden.environments[0])
        analysing.append(time.perf_counter() - begun)
    return {
        "offers": rows,
        "golden_decisions": decisions,
        "golden_ms": round(min(making) * 1_000, 1),
        "analysis_ms": round(min(analysing) * 1_000, 1),
    }


@click.command()
@click.option("--rows", default=10_000, show_default=True)
@click.option("--decisions", default=100, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(rows: int, decisions: int, output: str) -> None:
    """Measure what a publication does beside compiling."""
    report("golden decisions", [measure(rows, decisions)], output)


if __name__ == "__main__":
    main()
