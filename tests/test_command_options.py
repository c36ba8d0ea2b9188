"""One word for one thing, over all commands."""

from collections.abc import Iterator

import click

from server.cli import propono

#: What calls the decision port.
DECISIONS = {"propose", "propose-batch", "update"}


def commands(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found, (*words, name))
        else:
            yield " ".join((*words, name)), found


def options(flag: str) -> dict[str, click.Option]:
    """By command."""
    assert isinstance(propono, click.Group)
    return {
        words: each
        for words, command in commands(propono)
        for each in command.params
        if isinstance(each, click.Option) and flag in each.opts
    }


def test_the_admin_port_has_one_name() -> None:
    """`--admin-server` and its variable, `--server` for decisions only."""
    ports = options("--admin-server")

    assert {"catalog push", "catalog rollback", "catalog apply"} <= set(ports)
    assert {each.envvar for each in ports.values()} == {"PROPONO_ADMIN_SERVER"}
    assert set(options("--server")) == DECISIONS
    tokens = options("--token-file")
    assert set(tokens) == set(ports)
    assert {each.envvar for each in tokens.values()} == {"PROPONO_TOKEN_FILE"}
