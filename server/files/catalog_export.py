"""A catalog to a folder of files, from which `catalog_files` reads it again.

<environment>/environment.yaml     what it says itself
<environment>/<section>.yaml       everything of one kind, in order of name
<environment>/offers/<category>.yaml
<environment>/.../<name>-2.yaml    the next part of what would be a long file
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from catalog_store.records import Catalog, Environment, Offer, Record
from server.files.catalog_files import SECTIONS
from server.files.catalog_folder import ENVIRONMENT_FILE, FILE_BYTES_MAX
from server.files.yaml_text import record_text, section_text

#: Of a file that could have been two.
_LONG_BYTES = 1_048_576
#: Above it, offers are not filed by category: a catalog has at most 10,000 files.
_CATEGORY_FILES_MAX = 1_000


class ExportRefused(Exception):
    """The catalog cannot be written there; the text says why."""


def export_catalog(catalog: Catalog, folder: Path) -> int:
    """Write a catalog to a new or an empty folder; returns the number of files.

    All of it is there, or nothing. Raises ExportRefused.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportRefused(f"{folder} is not empty; name a new folder")
    count = 0
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for name, text in _files(catalog):
                _write(new / name, text)
                count += 1
            new.chmod(0o755)
            os.replace(new, folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise ExportRefused(f"{folder} cannot be written: {error}") from None
    return count


def _write(path: Path, text: str) -> None:
    data = text.encode()
    if len(data) > FILE_BYTES_MAX:
        raise ExportRefused(
            f"{path.name} would have {len(data)} bytes, and a file has at most"
            f" {FILE_BYTES_MAX}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for environment in catalog.environments:
        folder, zone = environment.name, _zone(environment)
        own = msgspec.structs.replace(environment, **dict.fromkeys(SECTIONS, ()))
        yield f"{folder}/{ENVIRONMENT_FILE}", record_text(own, zone)
        for section in SECTIONS:
            for name, records in _parts_of(environment, section):
                texts = _texts(section, records, zone)
                for number, text in enumerate(texts, start=1):
                    # No name has a hyphen: it is nobody's but ours.
                    suffix = "" if number == 1 else f"-{number}"
                    yield f"{folder}/{name}{suffix}.yaml", text


def _parts_of(
    environment: Environment, section: str
) -> Iterator[tuple[str, Sequence[Record]]]:
    """Records of a section, by the name of the file that they are for."""
    records: Sequence[Record] = getattr(environment, section)
    if section != "offers":
        if records:
            yield section, records
        return
    by_category: dict[str, list[Offer]] = {}
    for offer in environment.offers:
        by_category.setdefault(offer.category, []).append(offer)
    if len(by_category) > _CATEGORY_FILES_MAX:
        yield section, records
        return
    for category, offers in by_category.items():
        yield f"offers/{category}", offers


def _texts(section: str, records: Sequence[Record], zone: tzinfo) -> list[str]:
    text = section_text(section, records, zone)
    if len(text.encode()) <= _LONG_BYTES or len(records) == 1:
        return [text]
    middle = len(records) // 2
    first, rest = records[:middle], records[middle:]
    return _texts(section, first, zone) + _texts(section, rest, zone)


def _zone(environment: Environment) -> tzinfo:
    """As the files are read."""
    try:
        return ZoneInfo(environment.time_zone)
    except (ValueError, OSError, LookupError):
        return UTC
