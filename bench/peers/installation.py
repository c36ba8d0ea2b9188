"""Peers are installed into build/peers, in the versions named here; never into the
project.

    python -m bench.peers.installation

What cannot be had is said, and the others go on.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "build" / "peers"


class Package(NamedTuple):
    """One peer, as its own package manager knows it."""

    name: str
    version: str
    #: Installs it, given its folder; the first word is looked for on the PATH.
    command: tuple[str, ...]
    #: Below its folder, once it is there.
    file: str

    @property
    def folder(self) -> Path:
        return BUILD / f"{self.name}-{self.version}"

    def found(self) -> Path:
        """The file that is used of it; raises NotInstalled."""
        path = self.folder / self.file
        if not path.exists():
            raise NotInstalled(self)
        return path


class NotInstalled(Exception):
    """A peer is not there; says how to get it."""

    def __init__(self, package: Package) -> None:
        super().__init__(
            f"{package.name} {package.version} is not installed;"
            " to install it: python -m bench.peers.installation"
        )


ZEN = Package(
    "zen-engine",
    "2.1.3",
    (
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
        *("--target", ".", "zen-engine==2.1.3"),
    ),
    "zen/__init__.py",
)
CERBOS = Package(
    "cerbos",
    "0.55.0",
    (
        *("npm", "install", "--no-audit", "--no-fund", "--prefix", "."),
        "@cerbos/cerbos-linux-x64@0.55.0",
    ),
    "node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64",
)
OPA = Package(
    "opa",
    "1.22.2",
    ("go", "install", "github.com/open-policy-agent/opa@v1.22.2"),
    "opa",
)
PACKAGES = (ZEN, CERBOS, OPA)


def install(package: Package) -> str:
    """Install one; returns what to tell about it."""
    what = f"{package.name} {package.version}"
    if (package.folder / package.file).exists():
        return f"{what}: is there"
    program = shutil.which(package.command[0])
    if program is None:
        return f"{what}: {package.command[0]} is not on the PATH, and would install it"
    package.folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [program, *package.command[1:]],
        cwd=package.folder,
        env={**os.environ, "GOBIN": str(package.folder)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return f"{what}: {(done.stderr or done.stdout).strip()}"
    return f"{what}: installed"


@click.command()
def main() -> None:
    """Install what peers can be had; the first time takes minutes."""
    for package in PACKAGES:
        click.echo(install(package))


if __name__ == "__main__":
    main()
