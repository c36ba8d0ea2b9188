"""Microseconds of one decision, next to looking at one row after the other.

    python -m bench.matching --rows 10000 --rows 100000

Every answer is compared with the judge's before anything is timed. Ratios come from
one run; absolute figures are the machine's.
"""

import timeit
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import click

from bench.catalogs import Caller, Shape, callers, environment
from bench.revisions import KEPT, Loaded, calls, context_slots, loaded
from bench.row_by_row import (
    Row,
    all_matching,
    first_matching,
    judged,
    rows_best_first,
)
from bench.timing import Times, report
from compiler.rule_fields import environment_schema
from compiler.rules import Kind, compile_rule
from compiler.runtime.linker import LinkedRule, link
from compiler.source import Source
from server.engine.arbitration import Draw, Scored
from server.engine.call import Call
from server.engine.decision import decide
from server.engine.eligibility import Conditions
from server.engine.race import Candidates, Race
from server.engine.ranking import NOBODY_IS_PASSED_OVER, ranked

#: Offers asked for.
TOP = 3
#: Above it catalogs come in their plain shape only.
ROWS_OF_ALL_SHAPES_MAX = 10_000
#: Rules that differ in the largest catalogs: compiling more takes many minutes.
DISTINCT_RULES_MAX = 100_000


def shapes(rows: int) -> dict[str, Shape]:
    """The catalogs of a size, by what is peculiar to them."""
    if rows > DISTINCT_RULES_MAX:
        offers_rows = rows // DISTINCT_RULES_MAX
        return {
            "plain": Shape(
                rows, own_rows=offers_rows, distinct_rules=DISTINCT_RULES_MAX
            )
        }
    found = {"plain": Shape(rows)}
    if rows <= ROWS_OF_ALL_SHAPES_MAX:
        found |= {
            "7 to 9 conjuncts": Shape(rows, conjuncts=(7, 9)),
            "10 weights": Shape(rows, weights=10),
            "20 windows": Shape(rows, multipliers=20),
            "3 own + 5 inherited": Shape(rows, own_rows=3, inheriting=True),
            "formulas, bounded": Shape(rows, formulas=rows // 10),
            "formulas, unbounded": Shape(rows, formulas=rows // 10, bounded=False),
            "formulas, ranges declared": Shape(
                rows, formulas=rows // 10, bounded=False, ranged=True
            ),
            "formulas only, unbounded": Shape(rows, formulas=rows, competing=True),
            "formulas only, ranges declared": Shape(
                rows, formulas=rows, competing=True, ranged=True
            ),
            "10 presentation rules": Shape(rows, presentation_rules=10),
        }
    return found


class WrongAnswer(Exception):
    """The engine and the judge do not agree; says for whom."""


def check(loaded: Loaded, rows: list[Row], people: list[Caller]) -> int:
    """Compare all answers; returns how many rows match on average per contact."""
    matching = 0
    for seed, (caller, call) in enumerate(
        zip(people, calls(loaded, people, TOP), strict=True)
    ):
        expected = judged(loaded, rows, caller, TOP, seed)
        chosen = decide(call).spaces[0].chosen
        actual = [(one.scored.offer.number, one.scored.weight) for one in chosen]
        if actual != expected:
            raise WrongAnswer(f"contact {seed}: {actual} instead of {expected}")
        matching += sum(row.fast(call.contact, call.context) is True for row in rows)
    return matching // len(people)


def best(call: Call) -> list[Scored]:
    """Matching and ranking alone: no page, no past, no answer."""
    conditions = Conditions(call)
    space = call.spaces[0].space
    conditions.enter(space)
    index, everything = call.environment.live_index, Candidates(None, None)
    race = Race(index, space, everything, conditions, call.at_ms)
    draw = Draw(call.seed)
    ranking = ranked(call.environment.offers, race, draw, NOBODY_IS_PASSED_OVER)
    return list(islice(ranking, TOP))


def measure(
    what: str, shape: Shape, *, contacts: int, seconds: float, kept: Path
) -> dict[str, object]:
    """One line of the table."""
    subject = loaded(shape, kept)
    rows = rows_best_first(subject)
    people = callers(shape, contacts)
    matching = check(subject, rows, people)
    asked = calls(subject, people, TOP)

    def one_by_one(ask: Any) -> Times:
        def answer(call: Call) -> object:
            return ask(rows, call.contact, call.context, TOP)

        return Times.of(answer, asked, seconds)

    decided = Times.of(decide, asked, seconds)
    ranked_alone = Times.of(best, asked, seconds)
    every, first = one_by_one(all_matching), one_by_one(first_matching)
    return {
        "what": f"{shape.rows:,} rows, {what}",
        "matching": matching,
        "p50 us": decided.p50_us,
        "p99 us": decided.p99_us,
        "min us": decided.min_us,
        "match + top us": ranked_alone.p50_us,
        "every row us": every.p50_us,
        "ratio": every.p50_us / decided.p50_us,
        "best first us": first.p50_us,
        "ratio, best first": first.p50_us / decided.p50_us,
    }


def rule_by_hand(
    people: list[Caller],
) -> tuple[LinkedRule, Callable[[Any, Any], object], tuple[Any, Any]]:
    """A typed rule of four conditions, the same by hand, and slots that meet it.

    Raises WrongAnswer when the two do not agree on somebody.
    """
    record = environment(Shape(1))
    text = (
        "contact.age >= 18 && contact.age < 95 && contact.balance > 10"
        " && contact.choice_5 in ['choice_5_00', 'choice_5_01', 'choice_5_02']"
    )
    compiled = compile_rule(
        Source("bench", text), environment_schema(record), Kind.CONDITION
    )
    rule = link(compiled.code, compiled.tree_bytes)
    names = [attribute.name for attribute in record.contact_attributes]
    assert [names.index(n) for n in ("choice_5", "age", "balance")] == [0, 6, 9]
    by_hand = lambda contact, context: (  # noqa: E731
        contact[6] >= 18
        and contact[6] < 95
        and contact[9] > 10
        and contact[0] in {"choice_5_00", "choice_5_01", "choice_5_02"}
    )
    slots = [(p.contact, context_slots(record, p)) for p in people]
    for contact, context in slots:
        if rule.fast(contact, context) is not by_hand(contact, context):
            raise WrongAnswer(f"{text}: {contact}")
    return rule, by_hand, next(one for one in slots if by_hand(*one))


def measure_rule(people: list[Caller], loops: int) -> dict[str, object]:
    """That rule against the same by hand, in nanoseconds."""
    rule, by_hand, yes = rule_by_hand(people)

    def nanoseconds(asked: Any) -> float:
        timer = timeit.Timer(lambda: [asked(*yes) for _ in range(1_000)])
        return min(timer.repeat(7, loops)) / loops * 1e6

    hand, fast = nanoseconds(by_hand), nanoseconds(rule.fast)
    return {
        "what": "one rule of four conditions, all true",
        "lambda ns": hand,
        "fast ns": fast,
        "ratio": fast / hand,
        "evaluate ns": nanoseconds(rule.evaluate),
    }


@click.command()
@click.option("--rows", multiple=True, type=int, default=(10_000, 100_000))
@click.option("--what", help="Only the catalog of that name.  [default: all]")
@click.option("--contacts", default=200, show_default=True, help="Contacts asked for.")
@click.option("--seconds", default=2.0, show_default=True, help="Time per figure.")
@click.option("--kept", type=click.Path(path_type=Path), default=KEPT)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    rows: tuple[int, ...],
    what: str | None,
    contacts: int,
    seconds: float,
    kept: Path,
    output: str,
) -> None:
    """Time decisions for the best three offers; 1,000,000 rows only on request."""
    results = [
        measure(
            name,
            shape,
            # Looking at every row of the largest takes seconds for each contact.
            contacts=max(10, min(contacts, 4_000_000 // size)),
            seconds=seconds,
            kept=kept,
        )
        for size in rows
        for name, shape in shapes(size).items()
        if what in (None, name)
    ]
    if not results:
        known = ", ".join(sorted({name for number in rows for name in shapes(number)}))
        raise click.BadParameter(f"there is no {what!r}; there are {known}", None, None)
    report("Top 3 of a catalog", results, output)
    rule = measure_rule(callers(Shape(1), 200), loops=max(1, int(seconds * 50)))
    report("One rule", [rule], output)


if __name__ == "__main__":
    main()
