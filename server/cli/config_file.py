"""`--config FILE`: options of a command in a TOML file, under their own names.

    workers = 2
    calls-max = 512
    keep-inputs = "5%"

What the command line or the environment says wins. Each value is read as if it stood on
the command line: nothing is possible here that is not possible there.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import click

#: Of the file.
CONFIG_BYTES_MAX = 65_536


def _take(
    click_context: click.Context, parameter: click.Parameter, path: Path | None
) -> None:
    if path is None:
        return
    known = {
        option.removeprefix("--"): found.name
        for found in click_context.command.params
        if found is not parameter
        for option in found.opts
        if option.startswith("--")
    }
    taken: dict[str, str] = {}
    for name, value in _read(path).items():
        if name not in known:
            names = ", ".join(sorted(known))
            raise click.BadParameter(
                f"{path}: there is no option {name!r}; known: {names}"
            )
        # A bool is an int to Python, and 1 to whoever asks for a number.
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise click.BadParameter(f"{path}: {name!r} is neither text nor a number")
        taken[known[name]] = str(value)
    click_context.default_map = taken


def _read(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(CONFIG_BYTES_MAX + 1)
        if len(data) > CONFIG_BYTES_MAX:
            raise click.BadParameter(f"{path} has more than {CONFIG_BYTES_MAX} bytes")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise click.BadParameter(
            f"{path} cannot be read: {error.strerror}; check the path"
        ) from None
    except RecursionError:
        raise click.BadParameter(f"{path} is nested too deeply") from None
    except ValueError as error:
        raise click.BadParameter(f"{path} is not TOML: {error}") from None


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    # Before all others, for which it is where to look.
    is_eager=True,
    expose_value=False,
    callback=_take,
    metavar="FILE",
    help="TOML with these options by name; what stands here wins.",
)
