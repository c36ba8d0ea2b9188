"""Twenty attributes like those of a bank's contacts, and conditions over them.

Each kind of attribute makes values and conjuncts. A conjunct is true for about 45 % of
contacts, so that three to seven of them leave about 3 %.
"""

from random import Random
from typing import NamedTuple

from catalog_store.records import Attribute, AttributeType
from compiler.runtime.values import MISSING

Value = bool | int | float | str | object

#: The share of contacts of whom an optional attribute is known.
KNOWN_SHARE = 0.8


class Choice(NamedTuple):
    """One of `size` texts, number n being n times rarer than the first."""

    name: str
    size: int

    def declared(self) -> AttributeType:
        return AttributeType.STRING

    def value(self, random: Random) -> Value:
        return self._texts(random, 1)[0]

    def conjunct(self, path: str, random: Random) -> str:
        match random.choices(("in", "not in", "either", "==", "!="), (8, 5, 2, 2, 3))[
            0
        ]:
            case "in":
                return f"{path} in {self._listed(random, 3, 8)}"
            case "not in":
                return f"!({path} in {self._listed(random, 2, 4)})"
            case "either":
                one, other = self._texts(random, 2)
                return f"({path} == '{one}' || {path} == '{other}')"
            case operator:
                return f"{path} {operator} '{self._texts(random, 1)[0]}'"

    def _listed(self, random: Random, low: int, high: int) -> str:
        count = random.randint(low, min(high, self.size - 1))
        return "[" + ", ".join(f"'{text}'" for text in self._texts(random, count)) + "]"

    def _texts(self, random: Random, count: int) -> list[str]:
        """Different ones, the frequent ones more often."""
        found: dict[str, None] = {}
        while len(found) < count:
            # The inverse of the distribution, which ends at `self.size`.
            number = int((self.size + 1) ** random.random()) - 1
            found[f"{self.name}_{number:02d}"] = None
        return list(found)


class Number(NamedTuple):
    """A number from 0 up to `stop`, uniform; thresholds are multiples of `step`."""

    name: str
    stop: int
    step: float
    optional: bool = False

    def declared(self) -> AttributeType:
        return AttributeType.INT if self.step >= 1 else AttributeType.DOUBLE

    def value(self, random: Random) -> Value:
        if self.optional and random.random() > KNOWN_SHARE:
            return MISSING
        if self.step >= 1:
            return random.randrange(self.stop)
        return random.uniform(0.0, self.stop)

    def conjunct(self, path: str, random: Random) -> str:
        share = random.uniform(0.2, 0.6)
        match random.choice((">=", "<=", "range", "not")):
            case ">=":
                condition = f"{path} >= {self._threshold(1 - share)}"
            case "<=":
                condition = f"{path} <= {self._threshold(share)}"
            case "range":
                low = random.uniform(0.0, 1 - share)
                condition = (
                    f"{path} >= {self._threshold(low)}"
                    f" && {path} < {self._threshold(low + share)}"
                )
            case _:
                condition = f"!({path} > {self._threshold(share)})"
        return f"has({path}) && {condition}" if self.optional else condition

    def _threshold(self, share: float) -> str:
        steps = round(share * self.stop / self.step)
        return (
            str(steps * int(self.step))
            if self.step >= 1
            else f"{steps * self.step:.2f}"
        )


class Flag(NamedTuple):
    """True or false, both equally frequent."""

    name: str

    def declared(self) -> AttributeType:
        return AttributeType.BOOL

    def value(self, random: Random) -> Value:
        return random.random() < 0.5

    def conjunct(self, path: str, random: Random) -> str:
        return path if random.random() < 0.5 else f"!{path}"


Kind = Choice | Number | Flag

CONTACT: tuple[Kind, ...] = (
    *(Choice(f"choice_{count}", count) for count in (5, 8, 12, 20, 30, 50)),
    Number("age", 100, 1),
    Number("visits", 400, 5),
    Number("products", 12, 1),
    Number("balance", 100_000, 100),
    Number("tenure_days", 9_000, 30, optional=True),
    Number("last_login_days", 365, 1, optional=True),
    Number("affinity", 1, 0.01),
    Number("risk", 1, 0.01),
    Number("income_ratio", 4, 0.05),
    Flag("opted_in"),
    Flag("employed"),
    Flag("homeowner"),
)
CONTEXT: tuple[Kind, ...] = (Choice("page", 16), Choice("device", 6))


def declared(kinds: tuple[Kind, ...], *, ranged: bool = False) -> tuple[Attribute, ...]:
    """As an environment declares them; ranges are those of the values made here."""
    return tuple(
        Attribute(
            name=kind.name,
            type=kind.declared(),
            minimum=0 if ranged and isinstance(kind, Number) else None,
            maximum=kind.stop if ranged and isinstance(kind, Number) else None,
        )
        for kind in kinds
    )


def rule(random: Random, low: int, high: int) -> str:
    """A rule of `low` to `high` conjuncts over different attributes."""
    paths = [("contact", kind) for kind in CONTACT] + [("context", k) for k in CONTEXT]
    asked = random.sample(paths, random.randint(low, high))
    return " && ".join(
        kind.conjunct(f"{record}.{kind.name}", random) for record, kind in asked
    )


def formula(random: Random, *, bounded: bool) -> str:
    """A weight from what is known of the contact; bounded ones end at constants."""
    path = random.choice(("affinity", "risk", "income_ratio"))
    low, high = random.randint(1, 40), random.randint(41, 99)
    if bounded:
        return f"contact.{path} >= 0.{random.randint(10, 90)} ? {high}.0 : {low}.0"
    return f"{low}.0 + {high}.0 * contact.{path}"


def competing_formula(random: Random, weight: int) -> str:
    """From half of a weight to the whole, in proportion to what is known."""
    path = random.choice(("affinity", "risk"))
    return f"{weight}.0 * (0.5 + 0.5 * contact.{path})"
