"""Whether what runs here was installed from sources or from a compiled wheel."""

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import Literal


def build_kind() -> Literal["compiled", "interpreted"]:
    """Of the engine; see docs/decisions/0032-what-calls-pass-through-is-compiled.md."""
    spec = find_spec("server.engine.decision")
    assert spec is not None
    is_compiled = str(spec.origin).endswith(tuple(EXTENSION_SUFFIXES))
    return "compiled" if is_compiled else "interpreted"
