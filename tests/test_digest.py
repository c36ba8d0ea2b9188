"""The digest of a compiled catalog."""

import subprocess
import sys

_LARGE = """
from catalog_store.records import Catalog, Environment
from compiler.revision import compile_catalog
from msgspec.structs import replace
compiled = compile_catalog(Catalog(environments=(Environment(name="bank"),))).catalog
(bank,) = compiled.environments
names = ["environments/bank:weights[0].rule"]
names += [f"environments/bank/categories/group_{i:02d}:weights[{j}].rule"
          for i in range(30) for j in range(2)]
names += [f"environments/bank/offers/offer_{i:06d}:weights[{j}].rule"
          for i in range(100_000) for j in range(3)]
rules = dict(zip(names, range(len(names))))
print(replace(compiled, environments=(replace(bank, rule_of=rules),)).digest())
"""


def test_a_catalog_of_300_000_rules_has_a_digest() -> None:
    """Encoding so many names in order once ended the process.

    In a process of its own, which is what a crash would end.
    """
    ran = subprocess.run(
        [sys.executable, "-c", _LARGE],
        check=False,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(ran.stdout.strip()) == 64
