"""The command line: tables and JSON, refusals with reasons, and exit statuses."""

import json
from pathlib import Path

import pytest

from tests.servers import BANK, Server, run


def test_propose_and_update_over_the_wire(bank: Server) -> None:
    """A table to read with everything that an update needs."""
    server = ("--server", bank.decisions)
    ask = ("propose", "--space", "web_home_side", "--contact", "C000005", *server)
    table = run(*ask, "--max", "2", "--context", "page=home")
    answer = json.loads(run(*ask, "--max", "2", "--output", "json"))
    proposed = answer["results"][0]["propositions"][0]

    assert [word in table for word in ("offer", "weight", "proposition")] == [True] * 3
    assert answer["identification_mode"] == "IDENTIFICATION_MODE_EXPLICIT"
    assert (
        run("update", proposed["proposition_id"], "accepted", *server) == "accepted\n"
    )
    # Without an event time, accepted is not turned back.
    assert (
        run("update", proposed["proposition_id"], "presented", *server) == "accepted\n"
    )


def test_a_visitor_is_given_an_id(bank: Server) -> None:
    """Nobody is named, and the anonymous environment decides in the same call."""
    ask = ("propose", "--space", "web_home_side", "--server", bank.decisions)
    first = json.loads(run(*ask, "--output", "json"))
    again = json.loads(run(*ask, "--visitor", first["visitor_id"], "--output", "json"))

    assert first["identification_mode"] == "IDENTIFICATION_MODE_ANONYMOUS"
    assert len(first["visitor_id"]) == 32
    assert again["visitor_id"] == first["visitor_id"]
    assert first["results"][0]["space"] == "web_home_side"


def test_a_dry_run_records_nothing(bank: Server) -> None:
    """No id to update, and the next call sees nothing of it."""
    ask = ("propose", "--space", "web_home_side", "--contact", "C000009", "--dry-run")
    ask = (*ask, "--max", "3", "--server", bank.decisions, "--output", "json")
    offers = []
    for _ in range(4):
        answer = json.loads(run(*ask))
        made = answer["results"][0]["propositions"]
        assert not any("proposition_id" in one for one in made)
        offers.append({one["offer"] for one in made})

    assert offers[0]
    assert all(found == offers[0] for found in offers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("propose", "--space", "web_home_sid", "--contact", "C000002"),
            "NOT_FOUND: unknown space 'web_home_sid'; did you mean 'web_home_side'",
        ),
        (
            ("propose", "--space", "web_home_side", "--context", "pag=home"),
            "INVALID_ARGUMENT: context.pag: is not declared; did you mean 'page'",
        ),
        (("update", "AQ", "accepted"), "NOT_FOUND: unknown proposition"),
    ],
)
def test_refusals_end_with_1_and_the_reason(
    bank: Server, arguments: tuple[str, ...], said: str
) -> None:
    """In words, not as a traceback."""
    refused = run(*arguments, "--server", bank.decisions, status=1)

    assert refused.startswith(said)
    assert "Traceback" not in refused


@pytest.mark.parametrize(
    "arguments",
    [
        ("propose",),
        ("propose", "--space", "x", "--max", "many"),
        ("propose", "--space", "x", "--max", "-1"),
        ("propose", "--space", "x", "--context", "page"),
        ("update", "AQ", "maybe"),
        ("catalog", "validate", "no/such/folder"),
        ("no_such_command",),
        ("serve", "--workers", "0"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    """Before anything is done."""
    assert "Usage:" in run(*arguments, status=2)


def test_nobody_listening_is_said_in_words() -> None:
    """UNAVAILABLE and the address."""
    ask = ("propose", "--space", "x", "--contact", "y", "--server", "127.0.0.1:1")

    assert run(*ask, status=1).startswith("UNAVAILABLE: ")


def test_validate_prints_mistakes_or_json(tmp_path: Path) -> None:
    """For people with carets, for scripts as a list."""
    environment = tmp_path / "catalog" / "shop" / "environment.yaml"
    environment.parent.mkdir(parents=True)
    environment.write_text('rule: "contact.age > 1"\n')
    path = environment.parent.parent
    said = run("catalog", "validate", path, status=1)

    assert "environment.yaml:1:16: error: unknown attribute contact.age" in said
    assert "^^^" in said
    assert run("catalog", "validate", BANK).startswith("2 environments, 45 offers")
    found = json.loads(run("catalog", "validate", BANK, "--output", "json"))
    assert {one["severity"] for one in found} == {"note"}


def test_a_bad_artifact_is_refused(tmp_path: Path) -> None:
    """Nothing is published, and the reason names the file."""
    artifact = tmp_path / "x.propono"
    artifact.write_bytes(b"PROPONO2 but no more")
    said = run("catalog", "publish", artifact, "--data", tmp_path / "d", status=1)

    assert "x.propono: its manifest" in said
    assert (
        json.loads(
            run("catalog", "history", "--data", tmp_path / "d", "--output", "json")
        )
        == []
    )


def test_a_rule_is_checked_and_explained() -> None:
    """Silent when right; otherwise the caret; explain shows tree and Python."""
    check = ("rule", "check", "--catalog", BANK)

    assert run(*check, "contact.age >= 18 && segment.affluent") == ""
    assert "did you mean 'age'" in run(*check, "contact.agee > 1", status=1)
    assert "unknown environment 'x'" in run(
        *check, "true", "--environment", "x", status=1
    )
    explained = run("rule", "explain", "--catalog", BANK, "contact.age >= 18")
    assert "contact[0] >= 18" in explained
    assert "contact.age: a table with keys 18" in explained


def test_help_is_there_for_every_command() -> None:
    """`-h` lists options, and ends with 0."""
    for command in (
        ("serve",),
        ("catalog",),
        ("catalog", "publish"),
        ("contacts",),
        ("contacts", "import"),
        ("propose",),
        ("update",),
        ("rule", "explain"),
    ):
        assert "Usage: propono " + " ".join(command) in run(*command, "-h")
