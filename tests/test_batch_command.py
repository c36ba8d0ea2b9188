"""`propono propose-batch`: tables in and out, and killed at any moment without harm."""

import json
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.files.proposition_parts import PropositionParts, State
from tests.servers import (
    DEADLINE_SECONDS,
    PROPONO,
    Server,
    run,
)

SPACE = ("--space", "email_newsletter")


def rows_of(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def write_ids(path: Path, ids: list[str]) -> Path:
    path.write_text("contact_id\n" + "".join(f"{one}\n" for one in ids))
    return path


def bank_ids(path: Path) -> list[str]:
    return [line.partition(",")[0] for line in path.read_text().splitlines()[1:]]


def test_every_contact_has_a_row(
    bank: Server, bank_contacts: Path, tmp_path: Path
) -> None:
    """One per proposition, or one that says why there is none, in the order asked."""
    lines = [line.split(",") for line in bank_contacts.read_text().splitlines()]
    served = [line[0] for line in lines if line[lines[0].index("default")] == "no"]
    ids = [served[0], "stranger", "x" * 257, served[1]]
    run(
        *("propose-batch", write_ids(tmp_path / "in.csv", ids), tmp_path / "o.parquet"),
        *(*SPACE, "--max", 2, "--dry-run", "--server", bank.decisions),
    )
    rows = rows_of(tmp_path / "o.parquet")

    assert list(dict.fromkeys(row["contact_id"] for row in rows)) == ids
    for row in rows:
        told = [value for value in row.values() if value is not None]
        if row["contact_id"] == "stranger":
            assert told == ["stranger", "decided"]
        elif row["contact_id"] == ids[2]:
            assert told == [ids[2], "failed", row["error"]]
            assert row["error"].startswith("contact_id has 257 bytes")
        else:
            assert (row["outcome"], row["space"]) == ("decided", "email_newsletter")
            assert dict(row["content"])["title"]
            assert row["proposition_id"] is None
            assert row["weight"] > 0
            assert row["event_time"].tzinfo is not None
    assert [row["rank"] for row in rows if row["contact_id"] == ids[0]] == [1, 2]


def test_a_segment_can_stand_for_the_input(bank: Server, tmp_path: Path) -> None:
    """Part by part the same as in one; the summary says what came of it."""
    files = [tmp_path / "parts.parquet", tmp_path / "whole.parquet"]
    printed = [
        json.loads(
            run(
                *("propose-batch", file, "--segment", "retired", *SPACE, "--max", 3),
                *("--on-shortfall", "cancel", "--contact-time", in_days(90)),
                *("--dry-run", "--server", bank.decisions, "--output", "json"),
                *("--part", part),
            )
        )
        for file, part in zip(files, (7, 10_000), strict=True)
    ]
    parts, whole = map(rows_of, files)

    who = [(row["contact_id"], row["outcome"], row["rank"]) for row in parts]
    assert who == [(row["contact_id"], row["outcome"], row["rank"]) for row in whole]
    outcomes = Counter({row["contact_id"]: row["outcome"] for row in parts}.values())
    for one in printed:
        assert one["contacts"] == sum(outcomes.values()) > 14
        assert one["decided"] == outcomes["decided"]
        assert one["canceled"] == outcomes["canceled"]
        assert one["propositions"] == 3 * outcomes["decided"]
    assert sorted(tmp_path.iterdir()) == sorted(files)


def in_days(days: int) -> str:
    moment = time.time() + days * 86_400
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def test_input_may_be_parquet_with_numbers(bank: Server, tmp_path: Path) -> None:
    """Of a column that is named."""
    table = pa.table({"row": pa.array([7, 8], pa.int64()), "x": ["a", "b"]})
    pq.write_table(table, tmp_path / "in.parquet")
    run(
        *("propose-batch", tmp_path / "in.parquet", tmp_path / "out.parquet"),
        *("--contact-column", "row", *SPACE, "--dry-run", "--server", bank.decisions),
    )

    found = {row["contact_id"] for row in rows_of(tmp_path / "out.parquet")}
    assert found == {"7", "8"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["in.csv", "out.parquet"], 2, "--space"),
        (["out.parquet", *SPACE], 2, "give INPUT and OUTPUT, or --segment and OUTPUT"),
        (["in.csv", "out.parquet", "--segment", "retired", *SPACE], 2, "give INPUT"),
        (["in.csv", "out.csv", *SPACE], 2, "name it .parquet"),
        (["in.csv", "out.parquet", *SPACE, "--max", "101"], 2, "--max"),
        (["in.csv", "out.parquet", *SPACE, "--contact-time", "soon"], 2, "is not like"),
        (["none.csv", "out.parquet", *SPACE], 1, "none.csv: no such file"),
        (["twice.csv", "out.parquet", *SPACE], 1,
         "twice.csv: line 4 repeats 'b' of line 2; line 5 has no contact"),
        (["other.csv", "out.parquet", *SPACE], 1,
         "no column 'contact_id': name the contacts' column; there are a, b"),
        (["out.parquet", "--segment", "retird", *SPACE], 1,
         "segment: is an unknown segment, 'retird'; did you mean 'retired'?"),
        (["in.csv", "out.parquet", "--space", "email_newslettr"], 1,
         "NOT_FOUND: unknown space 'email_newslettr'; did you mean"),
        (["in.csv", "out.parquet", *SPACE, "--context", "pge=home"], 1, "context.pge"),
        (["in.csv", "there.parquet", *SPACE], 1, "is there already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_refusals(
    bank: Server,
    tmp_path: Path,
    arguments: list[str],
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In words, and nothing is left behind that the next attempt would stumble over."""
    write_ids(tmp_path / "in.csv", ["C000001"])
    (tmp_path / "twice.csv").write_text("contact_id,x\nb,1\na,2\nb,3\n,4\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "there.parquet").touch()
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [str(PROPONO), "propose-batch", *arguments, "--server", bank.decisions],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
    )

    assert done.returncode == status, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_it_goes_on_with_the_same_arguments_only(bank: Server, tmp_path: Path) -> None:
    """Others are refused with what differs; the same ones finish it."""
    given = write_ids(tmp_path / "in.csv", [f"C00000{n}" for n in range(1, 6)])
    output = tmp_path / "out.parquet"
    command = ("propose-batch", given, output, *SPACE, "--part", 2)
    away = run(*command, "--server", "127.0.0.1:1", "--patience", 0, status=1)
    other = run(*command, "--max", 2, "--server", bank.decisions, status=1)
    write_ids(given, ["C000001", "C000002"])
    changed = run(*command, "--server", bank.decisions, status=1)
    write_ids(given, [f"C00000{n}" for n in range(1, 6)])
    run(*command, "--server", bank.decisions)

    assert "the same command goes on from here" in away
    assert "max_propositions was '1' and is '2'" in other
    assert "contacts (a digest) was" in changed
    assert len({row["contact_id"] for row in rows_of(output)}) == 5


def test_a_part_of_long_ago_is_not_asked_for_again(
    bank: Server, tmp_path: Path
) -> None:
    """The server may have forgotten what it recorded of it; one may insist."""
    given = write_ids(tmp_path / "in.csv", ["C000011", "C000012"])
    output = tmp_path / "out.parquet"
    command = ("propose-batch", given, output, *SPACE, "--server")
    run(*command, "127.0.0.1:1", "--patience", 0, status=1)
    path = tmp_path / ".out.parquet.parts" / "state.json"
    state = msgspec.json.decode(path.read_bytes(), type=State)
    asked_at_ms = state.asked_at_ms - 56 * 60_000
    path.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(state, asked_at_ms=asked_at_ms))
    )
    refused = run(*command, bank.decisions, status=1)
    run(*command, bank.decisions, "--again")

    assert "was asked for over 55 minutes ago" in refused
    assert len({row["contact_id"] for row in rows_of(output)}) == 2


def test_one_command_at_a_time_writes_an_output(bank: Server, tmp_path: Path) -> None:
    """Another one is told so."""
    given = write_ids(tmp_path / "in.csv", ["C000001"])
    output = tmp_path / "out.parquet"
    with PropositionParts(output) as parts:
        parts.begin("b", {})
        refused = run("propose-batch", given, output, *SPACE, status=1)
        parts.abandon()

    assert "another command is writing it" in refused
