"""A catalog of a shape, compiled once and kept, and loaded as a worker loads it."""

import hashlib
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress

import catalog_store
from bench import catalogs
from bench.catalogs import ENVIRONMENT, NOW_MS, SPACE, Caller, Shape
from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import Manifest
from catalog_store.records import Catalog, Environment
from catalog_store.revisions import NothingPublished, Revisions
from compiler.revision import compile_catalog, compiler_fingerprint
from compiler.rule_fields import environment_schema
from compiler.runtime.linker import LinkedRule, link
from compiler.runtime.values import MISSING
from compiler.schema import NOW
from server.engine.call import Call, SpaceCall
from server.engine.live_catalog import LiveEnvironment
from server.live_loading import load
from server.resource_names import known_names

ROOT = Path(__file__).parent.parent
#: Compiled catalogs are kept here; whoever changes the compiler gets new ones.
KEPT = ROOT / "build" / "bench"


class Loaded(NamedTuple):
    """A published environment, as decided with and as it was written."""

    record: Environment
    live: LiveEnvironment
    #: The same rules linked apart from the live ones, for what judges them.
    rules: tuple[LinkedRule, ...]
    rule_of: dict[str, int]


def published(shape: Shape, kept: Path = KEPT) -> tuple[Revisions, Manifest]:
    """The revision of a shape, compiled unless that was done before."""
    revisions = Revisions(kept / _key(shape))
    try:
        return revisions, revisions.current()
    except NothingPublished:
        pass
    environment = catalogs.environment(shape)
    # Shapes of one size have the same rules: the first one compiles them.
    plain = Shape(
        shape.rows,
        conjuncts=shape.conjuncts,
        distinct_rules=shape.distinct_rules,
        seed=shape.seed,
    )
    alike = shape.own_rows == 1 and not shape.inheriting
    previous = _catalog(*published(plain, kept)) if alike and shape != plain else None
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"compiling {shape.rows:,} rows, once", total=None)
        compilation = compile_catalog(
            Catalog(environments=(environment,)),
            previous,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    installed = revisions.install_catalog(compilation.catalog)
    return revisions, revisions.publish(installed, publisher="bench", now_ms=NOW_MS)


def loaded(shape: Shape, kept: Path = KEPT) -> Loaded:
    """The environment of a shape, ready to decide with."""
    revisions, manifest = published(shape, kept)
    revision = revisions.open(manifest)
    try:
        live = load(revision, manifest).environments[ENVIRONMENT]
        return Loaded(
            revision.environment(ENVIRONMENT),
            live,
            tuple(link(rule.code, rule.tree) for rule in revision.rules(ENVIRONMENT)),
            revision.rule_of(ENVIRONMENT),
        )
    finally:
        revision.close()


def calls(loaded: Loaded, callers: list[Caller], count: int) -> list[Call]:
    """One call per contact, for the best `count` offers; seeds differ."""
    asked = SpaceCall(loaded.live.spaces[SPACE], count)
    names = known_names(loaded.live)
    return [
        Call(
            environment=loaded.live,
            contact=caller.contact,
            context=context_slots(loaded.record, caller),
            history=caller.history,
            spaces=(asked,),
            at_ms=NOW_MS,
            seed=seed,
            names=names,
        )
        for seed, caller in enumerate(callers)
    ]


def context_slots(record: Environment, caller: Caller) -> tuple[object, ...]:
    """The time, what the engine fills in, and what the caller says."""
    schema = environment_schema(record)
    built_in = schema.context[: len(schema.context) - len(record.context_attributes)]
    return (
        *(NOW_MS * 1_000 if a.name == NOW.name else MISSING for a in built_in),
        *caller.context,
    )


def _catalog(revisions: Revisions, manifest: Manifest) -> CompiledCatalog:
    revision = revisions.open(manifest)
    try:
        return revision.catalog()
    finally:
        revision.close()


def _key(shape: Shape) -> str:
    """Other sources, other shape: other folder."""
    sha256 = hashlib.sha256(f"{compiler_fingerprint()} {shape}".encode())
    here, store = Path(__file__).parent, Path(catalog_store.__file__).parent
    for path in (*(here / name for name in _THE_CATALOG), *sorted(store.glob("*.py"))):
        sha256.update(path.read_bytes())
    return f"{shape.rows}-{sha256.hexdigest()[:16]}"


#: Files of this package that say what a catalog is.
_THE_CATALOG = ("attributes.py", "catalogs.py", "revisions.py")
