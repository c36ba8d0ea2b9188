"""Processes that have nothing open and everything imported: forked, not started anew.

Starting Python and importing takes longer than most commands work.
"""

import multiprocessing
import os
import sys
from importlib import import_module
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

#: What commands import, but for `serve`, whose processes are started by itself; and
#: whoever is killed at a moment. There is one place to fork from, and it imports once.
IMPORTED = (
    "server.cli.audit",
    "server.cli.backup",
    "server.cli.batch",
    "server.cli.catalog_publishing",
    "server.cli.contacts",
    "server.cli.decisions",
    "server.cli.doctor",
    "server.cli.keys",
    "server.cli.propositions",
    "server.cli.quotas",
    "server.cli.replay",
    "server.cli.rules",
    "server.cli.tokens",
    "tests.test_publication_loss",
    "tests.test_scheduled_loss",
    __name__,
)


def clean_processes() -> ForkServerContext:
    """What starts them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    return context


def run_command(
    arguments: list[str], folder: Path, deadline_seconds: float
) -> tuple[int, str, str]:
    """Run `propono` in a folder: its status, standard output and standard error."""
    with TemporaryDirectory() as kept:
        printed = Path(kept, "stdout"), Path(kept, "stderr")
        process = clean_processes().Process(
            target=_be_propono, args=(arguments, folder, printed, dict(os.environ))
        )
        process.start()
        process.join(deadline_seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"propono {' '.join(arguments)} does not end")
        return process.exitcode, printed[0].read_text(), printed[1].read_text()


def _be_propono(
    arguments: list[str],
    folder: Path,
    printed: tuple[Path, Path],
    variables: dict[str, str],
) -> None:
    for descriptor, path in enumerate(printed, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    # The environment is the tests' of now, not of when the first command ran.
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.argv = ["propono", *arguments]
    import_module("server.cli").main()
