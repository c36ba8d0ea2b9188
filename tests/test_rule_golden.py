"""Rules as files: each compiles to exactly the tree and Python, or the diagnostics.

--update-golden writes them anew; read the difference before committing.
"""

from pathlib import Path

import pytest
from rule_examples import SCHEMA, SEGMENTS

from compiler.rules import Kind, compile_rule, explain_rule
from compiler.source import Refused, Source

CASES = sorted((Path(__file__).parent / "rules").glob("*.txt"))
SEPARATOR = "\n----\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden_rule(path: Path, request: pytest.FixtureRequest) -> None:
    """Each file in tests/rules compiles to exactly the output that it records."""
    text, _, expected = path.read_text().partition(SEPARATOR)
    actual = explained(path.stem, text)

    if request.config.getoption("--update-golden"):
        path.write_text(f"{text}{SEPARATOR}{actual}")
    else:
        assert expected == actual


def test_there_are_golden_rules() -> None:
    """An empty folder would pass every case it does not have."""
    assert len(CASES) >= 20


def explained(name: str, text: str) -> str:
    kind = Kind.FORMULA if name.startswith("formula") else Kind.CONDITION
    try:
        tree = compile_rule(Source(name, text), SCHEMA, kind, SEGMENTS).tree
    except Refused as refused:
        return f"{refused}\n"
    return explain_rule(tree)
