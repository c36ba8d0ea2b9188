"""Every mistake that a catalog's folder can contain: one constructor each."""

from collections.abc import Collection

from compiler.catalog_diagnostics import hint, shown
from compiler.source import Diagnostic, Severity, Source, Span


def not_a_folder(name: str) -> Diagnostic:
    return _file(name, "is not a folder; name the one that holds the environments")


def unreadable(name: str, reason: str) -> Diagnostic:
    return _file(name, f"cannot be read: {reason}; correct its permissions or links")


def not_regular(name: str) -> Diagnostic:
    return _file(name, "is not a regular file; put the YAML text itself here")


def link_loop(name: str) -> Diagnostic:
    return _file(name, "is a link to a folder above it; remove it")


def folders_too_deep(name: str, limit: int) -> Diagnostic:
    return _file(name, f"lies more than {limit} folders deep; move it up")


def too_many_files(name: str, limit: int) -> Diagnostic:
    return _file(name, f"holds more than {limit} files and folders; join some")


def file_too_large(name: str, limit: int) -> Diagnostic:
    return _file(name, f"is larger than {limit} bytes; split it into several files")


def catalog_too_large(name: str, limit: int) -> Diagnostic:
    return _file(name, f"holds more than {limit} bytes of YAML; remove what is old")


def not_utf8(name: str, before: str, byte: int) -> Diagnostic:
    """`before` is the text up to the byte, so that the place can be shown."""
    source = Source(name, before)
    return Diagnostic(
        source,
        Span(len(before), len(before)),
        f"the byte 0x{byte:02X} is not UTF-8; save the file as UTF-8",
    )


def outside_environment(name: str) -> Diagnostic:
    return _file(name, "belongs to no environment; move it into that one's folder")


def wrong_suffix(name: str) -> Diagnostic:
    return _file(name, "is not read; end its name in .yaml")


def no_environment(name: str) -> Diagnostic:
    return _file(
        name, "holds no environment; make a folder in it, with an environment.yaml"
    )


def no_environment_file(name: str) -> Diagnostic:
    return _file(name, "has no environment.yaml; write one")


def not_sections(source: Source, span: Span) -> Diagnostic:
    return Diagnostic(
        source,
        span,
        "a catalog file is a mapping; start with a key such as offers and a colon",
    )


def unknown_section(
    source: Source, span: Span, key: str, known: Collection[str]
) -> Diagnostic:
    return Diagnostic(source, span, f"unknown key {shown(key)}; {hint(key, known)}")


def misplaced_key(source: Source, span: Span, key: str) -> Diagnostic:
    return Diagnostic(
        source, span, f"{key!r} is the environment's; move it to environment.yaml"
    )


def name_twice(
    source: Source, span: Span, what: str, name: str, first: Source, offset: int
) -> Diagnostic:
    line, column = first.line_and_column(offset)
    return Diagnostic(
        source,
        span,
        f"{what} {shown(name)} stands twice, first at {first.name}:{line}:{column}; "
        "remove one",
    )


def more(name: str, limit: int) -> Diagnostic:
    return _file(
        name,
        f"only the first {limit} mistakes are shown; correct them and look again",
        Severity.NOTE,
    )


def _file(name: str, message: str, severity: Severity = Severity.ERROR) -> Diagnostic:
    return Diagnostic(Source(name, ""), Span(0, 0), message, severity)
