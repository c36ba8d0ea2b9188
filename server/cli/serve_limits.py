"""The options of `propono serve` that say how often the admin port may be called."""

from collections.abc import Callable
from functools import reduce, wraps
from typing import Any

import click

from server.access.rate_limits import RateLimits

_Command = Callable[..., Any]
_LIMIT_MAX = 1_000_000


def limit_options(command: _Command) -> _Command:
    """Adds `admin_limits`: a `RateLimits`."""

    @wraps(command)
    def with_limits(
        *arguments: Any,
        admin_costly: int,
        admin_cheap: int,
        admin_failed: int,
        **options: Any,
    ) -> Any:
        limits = RateLimits(admin_costly, admin_cheap, admin_failed)
        return command(*arguments, admin_limits=limits, **options)

    default = RateLimits()
    options = [
        _limit(
            "--admin-costly",
            default.costly_per_minute,
            "Publications, catalogs and uploads of one caller a minute.",
        ),
        _limit(
            "--admin-cheap",
            default.cheap_per_second,
            "Other calls of the admin port of one caller a second.",
        ),
        _limit(
            "--admin-failed",
            default.failed_per_minute,
            "Refused credentials from one address a minute, of the admin port.",
        ),
    ]
    return reduce(lambda made, option: option(made), reversed(options), with_limits)


def _limit(name: str, default: int, text: str) -> Callable[[_Command], _Command]:
    return click.option(
        name,
        type=click.IntRange(1, _LIMIT_MAX),
        default=default,
        show_default=True,
        metavar="N",
        help=text,
    )
