"""Makes clients of a bank that nobody is, for demonstrations and load tests.

    python -m examples.bank.contacts 100000 --seed 7 -o clients.csv
    propono contacts import clients.csv --environment bank --key client

The same count and seed make the same file, and a greater count begins with the same
clients. Age decides about job and marital status, the job about education, both about
money; who was reached in an earlier campaign answers more often in the next.
"""

import csv
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import click

COUNT_MAX = 100_000_000

#: Month of the last call -> share; most calls are made in spring and summer.
MONTHS = {
    "jan": 3,
    "feb": 6,
    "mar": 2,
    "apr": 7,
    "may": 28,
    "jun": 12,
    "jul": 15,
    "aug": 14,
    "sep": 2,
    "oct": 3,
    "nov": 8,
    "dec": 1,
}

#: Job -> share among those of working age, median balance in euro, and the weights of
#: primary, secondary, tertiary and unknown education.
JOBS: dict[str, tuple[float, int, tuple[int, ...]]] = {
    "admin.": (12, 420, (5, 81, 11, 3)),
    "blue-collar": (22, 380, (39, 54, 2, 5)),
    "entrepreneur": (3.5, 430, (13, 37, 45, 5)),
    "housemaid": (2.5, 410, (49, 33, 14, 4)),
    "management": (21, 590, (3, 12, 82, 3)),
    "self-employed": (3.5, 530, (9, 37, 52, 2)),
    "services": (9.5, 350, (9, 82, 5, 4)),
    "technician": (17, 430, (3, 68, 26, 3)),
    "unemployed": (3, 520, (20, 55, 23, 2)),
    "unknown": (0.5, 650, (18, 25, 15, 42)),
}
STUDENT = (0.0, 520, (5, 52, 24, 19))
RETIRED = (0.0, 850, (36, 43, 16, 5))
EDUCATIONS = ("primary", "secondary", "tertiary", "unknown")

_T = TypeVar("_T")


class Client(NamedTuple):
    """One row of the file; money in euro, times in days."""

    client: str
    age: int
    job: str
    marital: str
    education: str
    default: str
    housing: str
    loan: str
    balance: int
    contact: str
    day: int
    month: str
    #: Calls made in the current campaign.
    campaign: int
    #: Since the last call of an earlier campaign; -1 is never.
    pdays: int
    #: Calls made in earlier campaigns.
    previous: int
    poutcome: str


def clients(count: int, seed: int) -> Iterator[Client]:
    """That many clients, the same for the same seed."""
    dice = random.Random(seed)
    for number in range(1, count + 1):
        yield _client(f"C{number:06d}", dice)


def _client(name: str, dice: random.Random) -> Client:
    age = _age(dice)
    job = _job(age, dice)
    marital = _marital(age, dice)
    _, balance_median, education_weights = _facts_of(job)
    education = _one_of(EDUCATIONS, education_weights, dice)
    balance = _balance(balance_median, age, dice)
    default = dice.random() < (0.08 if balance < 0 else 0.006)
    housing = dice.random() < _housing_chance(age, job)
    loan = dice.random() < (0.26 if balance < 0 else 0.14) and job != "student"
    pdays, previous, poutcome = _earlier_campaigns(balance, dice)
    return Client(
        name,
        age,
        job,
        marital,
        education,
        _yes_or_no(default),
        _yes_or_no(housing),
        _yes_or_no(loan),
        balance,
        _one_of(("cellular", "telephone", "unknown"), (65, 6, 29), dice),
        dice.randint(1, 28),
        _one_of(tuple(MONTHS), tuple(MONTHS.values()), dice),
        min(1 + int(dice.expovariate(0.6)), 50),
        pdays,
        previous,
        poutcome,
    )


def _age(dice: random.Random) -> int:
    # Most are between 30 and 50; one in twenty is old enough to have retired.
    if dice.random() < 0.05:
        return min(60 + int(dice.expovariate(0.12)), 95)
    return max(18, min(round(dice.gauss(40, 9.5)), 62))


def _job(age: int, dice: random.Random) -> str:
    if age >= 60 and dice.random() < 0.75:
        return "retired"
    if age >= 52 and dice.random() < 0.12:
        return "retired"
    if age <= 26 and dice.random() < 0.35:
        return "student"
    return _one_of(tuple(JOBS), [share for share, _, _ in JOBS.values()], dice)


def _facts_of(job: str) -> tuple[float, int, tuple[int, ...]]:
    if job == "student":
        return STUDENT
    return RETIRED if job == "retired" else JOBS[job]


def _marital(age: int, dice: random.Random) -> str:
    married = min(max((age - 20) / 30, 0.03), 0.72)
    divorced = min(max((age - 26) / 160, 0.005), 0.16)
    return _one_of(
        ("married", "divorced", "single"),
        (married, divorced, 1 - married - divorced),
        dice,
    )


def _balance(median: int, age: int, dice: random.Random) -> int:
    if dice.random() < 0.085:
        return -round(dice.expovariate(1 / 320))
    if dice.random() < 0.07:
        return 0
    older = 1 + max(age - 35, 0) / 60
    return min(round(median * older * dice.lognormvariate(0, 1.35)), 110_000)


def _housing_chance(age: int, job: str) -> float:
    if job in ("retired", "student"):
        return 0.22
    return 0.68 if 25 <= age <= 45 else 0.5


def _earlier_campaigns(balance: int, dice: random.Random) -> tuple[int, int, str]:
    if dice.random() > 0.18:
        return -1, 0, "unknown"
    previous = min(1 + int(dice.expovariate(0.45)), 60)
    success = 24 if balance > 1_500 else 14
    outcome = _one_of(("failure", "other", "success"), (60, 22, success), dice)
    # Campaigns come half a year apart, give or take.
    pdays = max(1, round(dice.choice((92, 182, 350)) + dice.gauss(0, 20)))
    return pdays, previous, outcome


def _one_of(values: Sequence[_T], weights: Sequence[float], dice: random.Random) -> _T:
    return dice.choices(values, weights)[0]


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


@click.command()
@click.argument("count", type=click.IntRange(0, COUNT_MAX))
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The CSV file to write.",
)
def main(count: int, seed: int, output: Path) -> None:
    """Write COUNT clients to a CSV file."""
    with output.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Client._fields)
        with click.progressbar(
            clients(count, seed), length=count, label="clients", update_min_steps=1_000
        ) as bar:
            writer.writerows(bar)


if __name__ == "__main__":
    main()
