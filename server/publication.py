"""From a catalog, in files or as records, to the revision that decides.

Everything that can be refused is refused before the pointer moves: files are read and
checked, rules compiled, and the new revision is loaded once, as a worker would load
it. Whatever fails, the revision before keeps deciding.
"""

from collections.abc import Set
from pathlib import Path

import msgspec

from catalog_store.artifact import ArtifactError, write_artifact
from catalog_store.collection import collect
from catalog_store.compiled import CompiledCatalog
from catalog_store.keys import PrivateKey
from catalog_store.manifest import Manifest
from catalog_store.records import Attribute, Catalog, Offer, UnixMs
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from compiler.analysis import analyse
from compiler.revision import (
    Compilation,
    Progress,
    compile_catalog,
    rebuild,
)
from compiler.runtime.encoding import EncodingError
from compiler.runtime.linker import CODE_TAG
from compiler.source import Diagnostic, Refused, Severity
from server.compiled_here import KeptCompilation, compiled_here, opened, remember
from server.data_folder import DataFolder
from server.files import read_catalog
from server.golden.running import require_golden_decisions
from server.live.collector import collections_put_off
from server.live_loading import load
from server.requests import UnknownName
from server.sources import Accept, accept_anything, environments_in

_OTHER_CATALOG = "the file does not hold what its manifest says"


def compile_files(
    path: Path,
    previous: CompiledCatalog | None = None,
    progress: Progress | None = None,
    *,
    strict: bool = False,
) -> Compilation:
    """Read and compile a folder; raises Refused with positions in its files.

    The diagnostics tell as well of what can never be proposed; with `strict` warnings
    are refused.
    """
    with collections_put_off():
        files = read_catalog(path, _errors)
        try:
            compilation = compile_catalog(files.catalog, previous, progress=progress)
        except Refused as refused:
            raise Refused(map(files.relocate, refused.diagnostics)) from None
        analysed = _analysed(compilation)
    relocated = tuple(map(files.relocate, analysed.diagnostics))
    return _accepted(analysed._replace(diagnostics=relocated), strict=strict)


def compile_to_artifact(
    path: Path,
    artifact: Path,
    key: PrivateKey | None = None,
    *,
    sequence: int = 1,
    progress: Progress | None = None,
) -> tuple[Manifest, Compilation]:
    """Compile a folder into a file that every server can publish that trusts the key.

    `sequence` is higher than that of all artifacts before.
    """
    compilation = compile_files(path, progress=progress)
    manifest = write_artifact(artifact, compilation.catalog, key, sequence=sequence)
    return manifest, compilation


def publish_files(
    data: DataFolder,
    path: Path,
    *,
    publisher: str,
    now_ms: UnixMs,
    progress: Progress | None = None,
    accept: Accept = accept_anything,
    strict: bool = False,
) -> tuple[Manifest, Compilation]:
    """Compile a folder and make it the current revision.

    Rules that the current revision has already are taken from it, if it was compiled
    here. Raises Refused, GoldenDecisionsFailed, PublicationBusy, and what `accept`
    raises.
    """
    revisions = Revisions(data.catalog)
    previous = compiled_here(revisions)
    compilation = compile_files(path, previous, progress, strict=strict)
    accept([one.environment for one in compilation.catalog.environments])
    published = _publish_compiled(revisions, compilation, publisher, now_ms)
    return published, compilation


def compile_records(
    data: DataFolder,
    catalog: Catalog,
    progress: Progress | None = None,
    *,
    strict: bool = False,
    analysed: bool = True,
    kept: KeptCompilation | None = None,
) -> Compilation:
    """Compile the catalog of a design, as `publish_records` does; raises Refused."""
    with collections_put_off():
        previous = compiled_here(Revisions(data.catalog), kept)
        compilation = compile_catalog(catalog, previous, progress=progress)
        if analysed:
            compilation = _analysed(compilation)
        return _accepted(compilation, strict=strict)


def publish_records(
    data: DataFolder,
    catalog: Catalog,
    *,
    publisher: str,
    now_ms: UnixMs,
    progress: Progress | None = None,
    after: int | None = None,
    strict: bool = False,
    analysed: bool = True,
    kept: KeptCompilation | None = None,
) -> tuple[Manifest, Compilation]:
    """Compile the catalog of a design and make it the current revision.

    With `after`, the current revision must still have that number. Raises Refused,
    GoldenDecisionsFailed and PublicationBusy.
    """
    compilation = compile_records(
        data, catalog, progress, strict=strict, analysed=analysed, kept=kept
    )
    revisions = Revisions(data.catalog)
    published = _publish_compiled(
        revisions, compilation, publisher, now_ms, after=after, kept=kept
    )
    return published, compilation


def switch_offer(
    data: DataFolder,
    environment: str,
    name: str,
    *,
    enabled: bool,
    publisher: str,
    now_ms: UnixMs,
    kept: KeptCompilation | None = None,
) -> Offer | None:
    """Publish the current revision again with one offer enabled, or disabled.

    Gives the offer as it then is; None if there is none, and nothing is published when
    it is so already. Raises NothingPublished, Refused, and PublicationBusy as well when
    another revision is published meanwhile.
    """
    revisions = Revisions(data.catalog)
    current = revisions.current()
    previous = compiled_here(revisions, kept)
    compiled = previous or opened(revisions, current)
    places = {one.environment.name: one.environment for one in compiled.environments}
    record = places.get(environment)
    found = [one for one in record.offers if one.name == name] if record else []
    if record is None or not found or found[0].enabled == enabled:
        return found[0] if found else None
    switched = msgspec.structs.replace(found[0], enabled=enabled)
    offers = tuple(switched if one is found[0] else one for one in record.offers)
    places[environment] = msgspec.structs.replace(record, offers=offers)
    with collections_put_off():
        catalog = Catalog(environments=tuple(places.values()))
        compilation = compile_catalog(catalog, previous)
    _publish_compiled(
        revisions, compilation, publisher, now_ms, current.number, kept, switched=True
    )
    return switched


def publish_artifact(
    data: DataFolder,
    artifact: Path,
    *,
    publisher: str,
    now_ms: UnixMs,
    accept: Accept = accept_anything,
) -> Manifest:
    """Verify a compiled catalog and make it the current revision.

    Raises ArtifactError, GoldenDecisionsFailed, PublicationBusy, and what `accept`
    raises.
    """
    revisions = Revisions(data.catalog)
    with revisions.preparing():
        installed = revisions.install_artifact(artifact, now_ms)
        return publish_installed(
            revisions, installed, publisher=publisher, now_ms=now_ms, accept=accept
        )


def publish_installed(
    revisions: Revisions,
    installed: Manifest,
    *,
    publisher: str,
    now_ms: UnixMs,
    accept: Accept,
) -> Manifest:
    """Make an artifact of which all bytes were verified the current revision.

    Its code is used if it is for this Python, since whoever signed it is trusted; else
    it is rebuilt from the trees. Raises ArtifactError, GoldenDecisionsFailed,
    PublicationBusy, and what `accept` raises.
    """
    try:
        runnable = _runnable(revisions, installed)
        if runnable is installed:
            _check_digest(revisions, installed)
        _try(revisions, runnable)
        accept(environments_in(revisions.open_installed(runnable)))
    except DamagedRevision as error:
        raise ArtifactError(str(error)) from None
    return revisions.publish(runnable, publisher=publisher, now_ms=now_ms)


def roll_back(
    data: DataFolder,
    number: int,
    *,
    publisher: str,
    now_ms: UnixMs,
    served: Set[str] = frozenset(),
) -> Manifest:
    """Publish an earlier revision again, under a new number.

    `served` are the sha256 of files that a worker of this very server decided with.
    Raises UnknownRevision, DamagedRevision, GoldenDecisionsFailed and PublicationBusy.
    """
    revisions = Revisions(data.catalog)
    with revisions.preparing():
        earlier = revisions.manifest(number)
        for _ in revisions.verify_in_steps(earlier, again=True):
            pass
        runnable = _runnable(revisions, earlier)
        # PERF: the bytes are those that a worker of this server loaded. 10,000 offers
        # and two workers, bench/publishing.py, on 2 cores that were busy: 279 ms until
        # all have switched; with the trial 417 ms.
        if runnable.file_sha256 not in served:
            _try(revisions, runnable)
        return revisions.publish(
            runnable, publisher=publisher, now_ms=now_ms, rollback_of=number
        )


def ensure_runnable(data: DataFolder, now_ms: UnixMs) -> None:
    """Verify the current revision, and publish it anew if its code is for another
    Python; raises DamagedRevision.

    What interrupted publications left behind is removed.
    """
    revisions = Revisions(data.catalog)
    collect(revisions)
    try:
        current = revisions.verify_current()
    except NothingPublished:
        return
    with revisions.preparing():
        runnable = _runnable(revisions, current)
        if runnable is not current:
            _try(revisions, runnable, is_live=True)
            revisions.publish(
                runnable,
                publisher="propono",
                now_ms=now_ms,
                rollback_of=current.number,
            )


def contact_attributes(data: Path, environment: str) -> tuple[Attribute, ...]:
    """The contact schema of a published environment.

    Raises NothingPublished, and UnknownName.
    """
    revisions = Revisions(DataFolder(data).catalog)
    revision = revisions.open(revisions.current())
    try:
        if environment not in revision.environment_names:
            raise UnknownName("environment", environment, revision.environment_names)
        return revision.environment(environment).contact_attributes
    finally:
        revision.close()


def _analysed(compilation: Compilation) -> Compilation:
    """With what its authors cannot mean; warnings before notes."""
    found = list(compilation.diagnostics)
    for one in compilation.catalog.environments:
        found += analyse(one)
    found.sort(key=lambda one: one.severity is Severity.NOTE)
    return compilation._replace(diagnostics=tuple(found))


def _accepted(compilation: Compilation, *, strict: bool) -> Compilation:
    """Raises Refused if it is `strict`, and there are warnings."""
    found = compilation.diagnostics
    if strict and any(one.severity is Severity.WARNING for one in found):
        raise Refused(found)
    return compilation


def _errors(catalog: Catalog) -> list[Diagnostic]:
    """What is wrong with a catalog, its rules included."""
    try:
        return list(compile_catalog(catalog).diagnostics)
    except Refused as refused:
        return refused.diagnostics


def _runnable(revisions: Revisions, manifest: Manifest) -> Manifest:
    """The manifest of the same catalog with code for this Python."""
    return manifest if manifest.code_tag == CODE_TAG else _rebuilt(revisions, manifest)


def _rebuilt(revisions: Revisions, manifest: Manifest) -> Manifest:
    revision = revisions.open_installed(manifest)
    try:
        catalog = revision.catalog()
        if catalog.digest() != manifest.digest:
            raise DamagedRevision(_OTHER_CATALOG)
        rebuilt = revisions.install_catalog(rebuild(catalog))
        return msgspec.structs.replace(rebuilt, origin=manifest.origin)
    except (EncodingError, LookupError, msgspec.MsgspecError) as error:
        raise DamagedRevision(
            f"revision {manifest.number} is of another version of Propono ({error});"
            " publish the catalog's files again"
        ) from None
    finally:
        revision.close()


def _check_digest(revisions: Revisions, installed: Manifest) -> None:
    revision = revisions.open_installed(installed)
    try:
        if revision.catalog().digest() != installed.digest:
            raise DamagedRevision(_OTHER_CATALOG)
    finally:
        revision.close()


def _publish_compiled(
    revisions: Revisions,
    compilation: Compilation,
    publisher: str,
    now_ms: UnixMs,
    after: int | None = None,
    kept: KeptCompilation | None = None,
    *,
    switched: bool = False,
) -> Manifest:
    # PERF: writing, digest and trial make no cycles either; collections in them took
    # 100 ms of publishing 10,000 offers.
    with revisions.preparing(), collections_put_off():
        installed = revisions.install_catalog(compilation.catalog)
        installed = msgspec.structs.replace(installed, switched=switched)
        _try(revisions, installed)
        published = revisions.publish(
            installed, publisher=publisher, now_ms=now_ms, after=after
        )
    remember(revisions, installed)
    if kept is not None:
        kept.keep(installed, compilation.catalog)
    return published


def _try(revisions: Revisions, installed: Manifest, *, is_live: bool = False) -> None:
    """Load an installed file as a worker would, and make its golden decisions.

    Not those of what decides already, and not where an offer was switched. Raises
    DamagedRevision, and GoldenDecisionsFailed.
    """
    revision = revisions.open_installed(installed)
    try:
        catalog = load(revision, msgspec.structs.replace(installed, number=0))
        if not (is_live or installed.switched):
            require_golden_decisions(revision, catalog)
    finally:
        revision.close()
