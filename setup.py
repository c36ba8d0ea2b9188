"""Builds Propono; everything but machine code is said in pyproject.toml.

With PROPONO_COMPILED=1 the modules that pyproject.toml lists under tool.propono are
compiled by mypyc, beside their sources: see ADR 32 in docs/decisions. Without it
nothing is compiled, and nothing but Python is needed.
"""

import os
import tomllib
from pathlib import Path

from setuptools import Extension, setup

GENERATED = Path("build/mypyc")


def machine_code() -> list[Extension]:
    if os.environ.get("PROPONO_COMPILED") != "1":
        return []
    from mypyc.build import mypycify

    listed = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["propono"]
    files = [str(path) for one in listed["compiled"] for path in Path().glob(one)]
    GENERATED.mkdir(parents=True, exist_ok=True)
    return mypycify(
        ["--config-file=pyproject.toml", *sorted(files)],
        group_name="propono",
        target_dir=str(GENERATED),
    )


setup(ext_modules=machine_code())
