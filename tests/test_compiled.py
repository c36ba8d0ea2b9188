"""The wheel of `make wheel`, whose hot path is machine code, does what the sources do.

It is built as whoever deploys it does, and tests of decisions, from the engine's own to
those of served calls, run once more on it, unchanged. Not those that look inside
compiled modules or put other things there (contenders, answer_bytes).
"""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from tests.servers import PROPONO, ROOT

INSTALLED = ROOT / "build" / "compiled"
BUILD_SECONDS, RUN_SECONDS = 900, 900
#: Set where the tests of this wheel run.
MARK = "PROPONO_WHEEL_TESTED"

TESTED = (
    *("arbitration", "bad_input", "batch_served", "cold_decisions"),
    *("decision", "decision_random", "decision_service"),
    *("explained_changes", "explanation", "explanation_random", "golden_decisions"),
    *("hammer", "history_snapshot", "identification", "live_loading", "metrics"),
    *("metrics_slots", "presentation", "profiles", "quota_answers", "quota_fallback"),
    *("quota_periods", "quotas", "recurring_requests", "rendering", "replay"),
    *("rule_history_decisions", "rulings", "rulings_kept", "scenarios", "shown"),
    *("space_content", "stored_expressions", "stored_values", "suppression"),
    *("switching", "tie_fairness", "worker"),
)


@pytest.fixture(scope="module")
def variables() -> dict[str, str]:
    """The environment of a process that has the wheel before the sources."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if not (shutil.which("cc") and headers.exists()):
        pytest.skip("no C compiler, or no Python.h: apt-get install gcc python3-dev")
    done = subprocess.run(
        ["make", "build/compiled/.made"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    path = os.pathsep.join([str(INSTALLED), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", MARK: "1"}


def patterns() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project["tool"]["propono"]["compiled"]


def listed() -> list[Path]:
    return [path for one in patterns() for path in sorted(ROOT.glob(one))]


def test_every_listed_module_is_machine_code(variables: dict[str, str]) -> None:
    """And each pattern of the list finds some."""
    names = [
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        for path in listed()
        if path.name != "__init__.py"
    ]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    print(importlib.import_module(name).__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *names],
        capture_output=True,
        text=True,
        check=True,
        timeout=RUN_SECONDS,
        env=variables,
    )
    files = done.stdout.splitlines()

    assert all(any(ROOT.glob(one)) for one in patterns())
    assert [one for one in files if not one.endswith(".so")] == []
    assert all(one.startswith(str(INSTALLED)) for one in files)


def test_its_version_says_so(variables: dict[str, str]) -> None:
    """And that of the sources that they are not."""
    said = [
        subprocess.run(
            [PROPONO, "--version"], capture_output=True, text=True, check=True, env=env
        ).stdout
        for env in (variables, None)
    ]

    assert [one.split()[-1] for one in said] == ["(compiled)", "(interpreted)"]


def test_no_listed_module_has_a_class_of_a_builtin_one() -> None:
    """A dict of our own compiled by mypyc 2.4.1 ends its process, sooner or later, once
    it is referred to weakly and collected as garbage."""
    harmless = {"NamedTuple", "Enum", "Protocol", "Exception", "Generic"}
    found: set[str] = set()
    for path in listed():
        tree = ast.parse(path.read_text())
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        harmless_here = harmless | {one.name for one in classes}
        parents = {ast.unparse(parent) for one in classes for parent in one.bases}
        found |= {one.partition("[")[0] for one in parents} - harmless_here

    assert found == set()


def test_it_does_what_the_sources_do(variables: dict[str, str]) -> None:
    """Tests of decisions, in process and served, with the wheel's code."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-o", "pythonpath=build/compiled ."),
            "tests/test_compiled.py::test_the_wheel_is_what_is_tested",
            *(f"tests/test_{name}.py" for name in TESTED),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        env=variables,
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert " passed" in done.stdout


@pytest.mark.skipif(MARK not in os.environ, reason="runs where the wheel is tested")
def test_the_wheel_is_what_is_tested() -> None:
    """The tests beside this one have the engine from where it should be."""
    from server.engine import decision

    assert str(decision.__file__).startswith(str(INSTALLED))
    assert str(decision.__file__).endswith(".so")
