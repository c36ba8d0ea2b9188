"""`serve --config FILE`: the same options, from a file."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from server.cli.config_file import CONFIG_BYTES_MAX, config_option
from server.cli.serve import serve
from tests.servers import children_of, serving
from tests.test_supervisor import health

NOT_SERVING = 2


@click.command()
@config_option
@click.option("--calls-max", "calls", type=click.IntRange(1, 99), default=7)
@click.option("--data", envvar="PROPONO_DATA", default="data")
def shown(calls: int, data: str) -> None:
    """Says what it was given."""
    click.echo(f"{calls} {data}")


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ([], {}, "5 filed"),
        (["--calls-max", "6"], {}, "6 filed"),
        ([], {"PROPONO_DATA": "set"}, "5 set"),
        (["--data", "typed"], {"PROPONO_DATA": "set"}, "5 typed"),
    ],
)
def test_what_is_nearer_wins(
    tmp_path: Path,
    arguments: list[str],
    variables: dict[str, str],
    expected: str,
) -> None:
    """The command line, then the environment, then the file, wherever it is named."""
    path = tmp_path / "propono.toml"
    path.write_text('calls-max = 5\ndata = "filed"\n')
    for given in (["--config", path, *arguments], [*arguments, "--config", path]):
        done = CliRunner().invoke(shown, [*map(str, given)], env=variables)
        assert done.output.strip() == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("wrokers = 2", "there is no option 'wrokers'; known: admin-"),
        ('config = "other.toml"', "there is no option 'config'"),
        ("kept_share = 1", "there is no option 'kept_share'"),
        ("workers = true", "'workers' is neither text nor a number"),
        ("workers = [1]", "'workers' is neither text nor a number"),
        ("[workers]\nmax = 1", "'workers' is neither text nor a number"),
        ("workers = 2.5", "Invalid value for '--workers': '2.5' is not a valid"),
        ("workers = 65", "Invalid value for '--workers': 65 is not in the range"),
        ("keep-inputs = 5", "'5' is not all, none, or such as 5%"),
        ("workers = ", "is not TOML"),
        ("workers = 1\nworkers = 2", "is not TOML"),
        ("a = " + "[" * 20_000, "is nested too deeply"),
        ("\udcff", "is not TOML"),
        ("#" * (CONFIG_BYTES_MAX + 1), "has more than 65536 bytes"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_file_is_wrong_usage(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    """Nothing is served; what is wrong is named."""
    path = tmp_path / "propono.toml"
    if text is not None:
        path.write_bytes(text.encode(errors="surrogateescape"))
    done = CliRunner().invoke(serve, ["--config", str(path)], terminal_width=200)

    assert done.exit_code == 2
    assert reason in " ".join(done.output.split())


def test_a_server_takes_its_options_from_a_file(tmp_path: Path) -> None:
    """As many workers as the command line says, with the file's reserve."""
    path = tmp_path / "propono.toml"
    path.write_text('workers = 3\ndisk-reserve = "999999GiB"\nlog-format = "text"\n')
    with serving(tmp_path / "data", 1, "--config", str(path)) as server:
        children = children_of(server.process.pid)
        recording = health(server.decisions, "propono.v1.DecisionService/recording")

    assert sorted(children) == ["admin0", "keeper0", "worker0"]
    assert recording == NOT_SERVING
