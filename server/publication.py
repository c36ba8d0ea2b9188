"""From a catalog, in files or as records, to the revision that decides.

Everything that can be refused is refused before the pointer moves: files are read and
checked, rules compiled, and the new revision is loaded once, as a worker would load
it. Whatever fails, the revision before keeps deciding.
"""

import hashlib
from pathlib import Path

import msgspec

from catalog_store.artifact import write_artifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.manifest import Manifest
from catalog_store.records import Attribute, Catalog, Offer, UnixMs
from catalog_store.revisions import DamagedRevision, NothingPublished, Revisions
from compiler.analysis import analyse
from compiler.revision import (
    Compilation,
    Progress,
    compile_catalog,
    compiler_fingerprint,
    rebuild,
)
from compiler.runtime.encoding import EncodingError
from compiler.runtime.linker import CODE_TAG
from compiler.source import Diagnostic, Refused
from server.data_folder import DataFolder
from server.files import read_catalog
from server.live.collector import collections_put_off
from server.live_loading import load
from server.requests import UnknownName


def compile_files(
    path: Path,
    previous: CompiledCatalog | None = None,
    progress: Progress | None = None,
    *,
    analysed: bool = False,
) -> Compilation:
    """Read and compile a folder; raises Refused with positions in its files.

    With `analysed`, the diagnostics tell as well of what can never be proposed.
    """
    with collections_put_off():
        files = read_catalog(path, _errors)
        try:
            compilation = compile_catalog(files.catalog, previous, progress=progress)
        except Refused as refused:
            raise Refused(map(files.relocate, refused.diagnostics)) from None
    found = list(compilation.diagnostics)
    if analysed:
        for one in compilation.catalog.environments:
            found += analyse(one.environment, one.rules, one.rule_of)
    relocated = tuple(map(files.relocate, found))
    return compilation._replace(diagnostics=relocated)


def compile_to_artifact(
    path: Path, artifact: Path, progress: Progress | None = None
) -> tuple[Manifest, Compilation]:
    """Compile a folder into a file that any server can publish."""
    compilation = compile_files(path, progress=progress)
    return write_artifact(artifact, compilation.catalog), compilation


def publish_files(
    data: DataFolder,
    path: Path,
    *,
    publisher: str,
    now_ms: UnixMs,
    progress: Progress | None = None,
) -> tuple[Manifest, Compilation]:
    """Compile a folder and make it the current revision.

    Rules that the current revision has already are taken from it, if it was compiled
    here.
    """
    revisions = Revisions(data.catalog)
    compilation = compile_files(path, _compiled_here(revisions), progress)
    published = _publish_compiled(revisions, compilation, publisher, now_ms)
    return published, compilation


def compile_records(
    data: DataFolder, catalog: Catalog, progress: Progress | None = None
) -> Compilation:
    """Compile the catalog of a design, as `publish_records` does; raises Refused."""
    with collections_put_off():
        previous = _compiled_here(Revisions(data.catalog))
        return compile_catalog(catalog, previous, progress=progress)


def publish_records(
    data: DataFolder,
    catalog: Catalog,
    *,
    publisher: str,
    now_ms: UnixMs,
    progress: Progress | None = None,
) -> tuple[Manifest, Compilation]:
    """Compile the catalog of a design and make it the current revision.

    Raises Refused and PublicationBusy.
    """
    compilation = compile_records(data, catalog, progress)
    revisions = Revisions(data.catalog)
    published = _publish_compiled(revisions, compilation, publisher, now_ms)
    return published, compilation


def switch_offer(
    data: DataFolder,
    environment: str,
    name: str,
    *,
    enabled: bool,
    publisher: str,
    now_ms: UnixMs,
) -> Offer | None:
    """Publish the current revision again with one offer enabled, or disabled.

    Gives the offer as it then is; None if there is none, and nothing is published when
    it is so already. Raises NothingPublished, Refused, and PublicationBusy as well when
    another revision is published meanwhile.
    """
    revisions = Revisions(data.catalog)
    current = revisions.current()
    previous = _compiled_here(revisions)
    compiled = previous or _opened(revisions, current)
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
    _publish_compiled(revisions, compilation, publisher, now_ms, after=current.number)
    return switched


def publish_artifact(
    data: DataFolder, artifact: Path, *, publisher: str, now_ms: UnixMs
) -> Manifest:
    """Verify a compiled catalog and make it the current revision; ArtifactError.

    Its code objects are not used: artifacts are not signed yet, and code from
    elsewhere could do anything. Code is rebuilt from the trees, which can only
    compare and count.
    """
    revisions = Revisions(data.catalog)
    installed = _rebuilt(revisions, revisions.install_artifact(artifact))
    return _publish(revisions, installed, publisher, now_ms)


def roll_back(
    data: DataFolder, number: int, *, publisher: str, now_ms: UnixMs
) -> Manifest:
    """Publish an earlier revision again, under a new number.

    Raises UnknownRevision.
    """
    revisions = Revisions(data.catalog)
    installed = _runnable(revisions, revisions.manifest(number))
    return _publish(revisions, installed, publisher, now_ms, rollback_of=number)


def ensure_runnable(data: DataFolder, now_ms: UnixMs) -> None:
    """Publish the current revision anew if its code is for another Python."""
    revisions = Revisions(data.catalog)
    try:
        current = revisions.current()
    except NothingPublished:
        return
    runnable = _runnable(revisions, current)
    if runnable is not current:
        _publish(revisions, runnable, "propono", now_ms, rollback_of=current.number)


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


def _compiled_here(revisions: Revisions) -> CompiledCatalog | None:
    """The current revision if this very compiler made it on this machine, else None.

    Only what is noted outside of the files says so: nothing that an artifact contains
    can make its rules be taken for our own. The bytes must still be those compiled.
    """
    try:
        current = revisions.current()
        noted = _compiled_here_path(revisions).read_text("ascii")
        file = revisions.folder / "files" / f"{current.file_sha256}.mdb"
        with file.open("rb") as data:
            file_sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    except (NothingPublished, DamagedRevision, OSError, ValueError):
        return None
    if noted != _compiled_here_note(current) or file_sha256 != current.file_sha256:
        return None
    return _opened(revisions, current)


def _opened(revisions: Revisions, manifest: Manifest) -> CompiledCatalog:
    revision = revisions.open(manifest)
    try:
        return revision.catalog()
    finally:
        revision.close()


def _remember_compiled_here(revisions: Revisions, installed: Manifest) -> None:
    path = _compiled_here_path(revisions)
    # Torn by a crash it matches nothing, and everything is compiled: no fsync.
    new_path = path.with_name(path.name + ".new")
    new_path.write_text(_compiled_here_note(installed), "ascii")
    new_path.replace(path)


def _compiled_here_path(revisions: Revisions) -> Path:
    return revisions.folder / "compiled_here"


def _compiled_here_note(manifest: Manifest) -> str:
    return f"{manifest.file_sha256} {compiler_fingerprint()}\n"


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
    revision = revisions.open(manifest)
    try:
        catalog = revision.catalog()
        _check_digest(catalog, manifest)
        return revisions.install_catalog(rebuild(catalog))
    except (EncodingError, LookupError, msgspec.MsgspecError) as error:
        raise DamagedRevision(
            f"revision {manifest.number} is of another version of Propono ({error});"
            " publish the catalog's files again"
        ) from None
    finally:
        revision.close()


def _check_digest(catalog: CompiledCatalog, manifest: Manifest) -> None:
    if catalog.digest() != manifest.digest:
        raise DamagedRevision("the file does not hold what its manifest says")


def _publish_compiled(
    revisions: Revisions,
    compilation: Compilation,
    publisher: str,
    now_ms: UnixMs,
    after: int | None = None,
) -> Manifest:
    installed = revisions.install_catalog(compilation.catalog)
    published = _publish(revisions, installed, publisher, now_ms, after=after)
    _remember_compiled_here(revisions, installed)
    return published


def _publish(
    revisions: Revisions,
    installed: Manifest,
    publisher: str,
    now_ms: UnixMs,
    rollback_of: int | None = None,
    after: int | None = None,
) -> Manifest:
    revision = revisions.open(installed)
    try:
        _check_digest(revision.catalog(), installed)
        load(revision, msgspec.structs.replace(installed, number=0))
    finally:
        revision.close()
    return revisions.publish(
        installed,
        publisher=publisher,
        now_ms=now_ms,
        rollback_of=rollback_of,
        after=after,
    )
