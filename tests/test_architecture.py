"""The house: what may import what, how long things may be, what they may be called."""

import ast
import re
import statistics
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("catalog_store", "compiler", "contact_store", "server")

LINES_MAX = 400
FUNCTION_LINES_MAX = 70
MEDIAN_LINES_MAX = 140
BANNED_NAMES = {"utils", "helpers", "manager", "common", "base", "util", "misc"}

STANDARD = "(standard library)"

#: The diagram of README.md and design: the longest prefix that matches decides.
MAY_IMPORT = {
    "catalog_store": {"catalog_store", "lmdb", "msgspec"},
    "catalog_store.keys": {"cryptography"},
    "catalog_store.record": {"msgspec"},
    "catalog_store.golden_decisions": {"catalog_store.record"},
    "catalog_store.attribute_values": {"catalog_store.records"},
    "catalog_store.records": {
        "catalog_store.counting",
        "catalog_store.golden_decisions",
        "catalog_store.record",
    },
    "catalog_store.signatures": {"catalog_store", "cryptography"},
    "compiler": {
        "compiler",
        "catalog_store.records",
        "catalog_store.golden_decisions",
        "catalog_store.attribute_values",
        "catalog_store.counting",
        "catalog_store.category_paths",
        "catalog_store.compiled",
        "catalog_store.index_tables",
        "catalog_store.stored_rule",
        "cel_expr_python",
        "google.protobuf",
        "msgspec",
    },
    # Jinja's words, and nothing else of it.
    "compiler.template_tags": {"compiler", "jinja2"},
    # Of the compiler, all that the engine needs: it must not bring the rest along.
    "compiler.runtime": {"compiler.runtime", "re2"},
    "contact_store": {"contact_store", "catalog_store.records", "lmdb", "msgspec"},
    "contact_store.records": {"catalog_store.records", "msgspec"},
    "server": {
        "server",
        "catalog_store",
        "contact_store",
        "compiler.runtime",
        "google.protobuf",
        "msgspec",
    },
    "server.metrics": {
        "server.engine",
        "server.metrics_files",
        "server.metrics_layout",
    },
    "server.metrics_layout": {"server.access.permissions", "server.engine"},
    "server.metrics_files": {"catalog_store.durable_files", "server.metrics_layout"},
    "server.metrics_page": {
        "server.metrics_files",
        "server.metrics_layout",
        "prometheus_client",
    },
    "server.server_metrics": {
        "server.recording_state",
        "server.shared_page",
        "prometheus_client",
    },
    "server.metrics_listener": {
        "server.metrics_page",
        "server.server_metrics",
        "server.shared_page",
        "prometheus_client",
    },
    # Pure: no store, no wire, no gRPC.
    "server.engine": {
        "server.engine",
        "compiler.runtime",
        "catalog_store.counting",
        "catalog_store.records",
        "contact_store.records",
        "contact_store.status_changes",
    },
    # The wire: our messages and gRPC's; generated code is not measured here.
    "server.status": {
        "server.refusals",
        "server.audit.entries",
        "server.golden.failures",
        "server.requests",
        "catalog_store",
        "contact_store",
        "google.protobuf",
        "google.rpc",
        "grpc",
        "grpc_status",
    },
    "server.transport": {
        "server.admission",
        "server.log_lines",
        "server.requests",
        "server.status",
        "google.protobuf",
        "grpc",
    },
    "server.access.guard": {
        "server.access",
        "server.audit",
        "server.requests",
        "server.status",
        "server.transport",
        "grpc",
    },
    "server.access.tls": {"server.access", "grpc"},
    # The decision port's server. grpcio's inside is imported by name, in one module.
    "server.rpc": {"server.rpc", "server.requests", "server.status"},
    "server.rpc.core": set(),
    "server.rpc.queue_loop": {"server.rpc"},
    "server.contact_stream": {
        "server.requests",
        "server.transport",
        "google.protobuf",
        "grpc",
    },
    "server.push_stream": {
        "server.requests",
        "server.transport",
        "server.wire",
        "grpc",
    },
    "server.publication_client": {
        "server.client",
        "server.client_access",
        "server.wire",
        "grpc",
    },
    "server.standard_services": {
        "server.requests",
        "server.transport",
        "google.protobuf",
        "grpc",
        "grpc_health",
        "grpc_reflection",
    },
    "server.client_access": {"grpc"},
    "server.client": {"server.client_access", "server.wire", "google.rpc", "grpc"},
    "server.admin_client": {
        "server.client",
        "server.client_access",
        "server.wire",
        "grpc",
    },
    # Compiling happens here, and never in a worker.
    "server.publication": {
        "server",
        "catalog_store",
        "compiler",
        "msgspec",
    },
    "server.compiled_here": {"catalog_store", "compiler.revision"},
    # A change is checked before it is stored.
    "server.design.editing": {"server.design", "catalog_store", "compiler"},
    "server.design.approval_upkeep": {"server.design", "catalog_store", "compiler"},
    "server.design.applying": {"server", "catalog_store", "compiler.source"},
    "server.design.publishing": {"server", "catalog_store", "compiler"},
    "server.design.remote": {"server", "catalog_store", "google.protobuf", "grpc"},
    "server.design.zones": {"catalog_store", "compiler"},
    "server.design.refusals": {"server", "compiler.source"},
    "server.files": {
        "server.files",
        "catalog_store.records",
        "compiler",
        "contact_store",
        "msgspec",
        "pyarrow",
        "yaml",
    },
    "server.cli": {
        "server",
        "catalog_store",
        "compiler",
        "contact_store",
        "click",
        "google.protobuf",
        "msgspec",
        "rich",
    },
}


def sources() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "wire" not in path.parts
    ]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Full names of the modules, or of the things in them, that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_each_module_imports_only_what_the_diagram_allows(path: Path) -> None:
    """Directions of import are those that README.md draws."""
    rules = [prefix for prefix in MAY_IMPORT if is_below(module_name(path), prefix)]
    allowed = MAY_IMPORT[max(rules, key=len)]
    wrong = {
        name
        for name in imported(path)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(is_below(name, prefix) for prefix in allowed)
    }

    assert wrong == set()


def test_only_one_module_names_grpc_status_codes() -> None:
    """Our errors meet gRPC's vocabulary in server.status and nowhere else."""
    naming = {
        module_name(path)
        for path in sources()
        if re.search(r"\b(StatusCode|code_pb2|abort_with_status)\b", path.read_text())
    }

    # A call offers what grpc.aio's offers, and passes on what it is given.
    assert naming == {"server.status", "server.transport", "server.rpc.server_call"}


def test_files_and_functions_stay_short() -> None:
    """No file has over 400 lines, no function over 70, and most are far below."""
    lengths: list[int] = []
    long: list[str] = []
    for path in [*sources(), *(ROOT / "tests").glob("*.py")]:
        text = path.read_text()
        lines = text.count("\n")
        lengths.append(lines)
        if lines > LINES_MAX:
            long.append(f"{path}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                size = node.end_lineno - node.lineno + 1
                if size > FUNCTION_LINES_MAX:
                    long.append(f"{path}:{node.lineno}: {node.name}: {size} lines")

    assert long == []
    assert statistics.median(lengths) <= MEDIAN_LINES_MAX


def test_names_say_what_is_inside() -> None:
    """No module has one of the names that could hold anything."""
    banned = [p for p in sources() if BANNED_NAMES & set(p.stem.split("_"))]

    assert banned == []


def test_each_package_docstring_is_a_map_of_its_modules() -> None:
    """A package's docstring names every module in it."""
    missing = [
        f"{package}: {path.stem}"
        for package in {path.parent for path in sources()}
        for path in package.glob("*.py")
        if path.stem not in ("__init__", "__main__")
        and path.stem not in (ast.get_docstring(_init(package)) or "")
    ]

    assert missing == []


def test_no_registry_address_is_in_any_file() -> None:
    """Where packages come from is the machine's business."""
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org"]
    files = [p for p in ROOT.iterdir() if p.is_file()] + sources()
    found = [
        f for f in files if any(h in f.read_text("utf-8", "ignore") for h in hosts)
    ]

    assert found == []


def _init(package: Path) -> ast.Module:
    return ast.parse((package / "__init__.py").read_text())
