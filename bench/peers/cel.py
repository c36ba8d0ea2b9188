"""Rules of the work in CEL, for the peers that speak it."""

import json

from bench.peers.work import Among, Between, Condition, Flagged, Known, Offer


def rule(offer: Offer, record: str, *, doubles: bool) -> str:
    """One expression; attributes are fields of `record`.

    Where every number arrives as a double, `doubles` writes them so.
    """
    return " && ".join(_condition(one, record, doubles) for one in offer.conditions)


def _condition(condition: Condition, record: str, doubles: bool) -> str:
    path = f"{record}.{condition.name}"
    match condition:
        case Among(_, (text,)):
            return f"{path} == {json.dumps(text)}"
        case Among():
            return f"{path} in {json.dumps(condition.texts)}"
        case Flagged():
            return path if condition.flag else f"!{path}"
        case Known():
            return f"has({path})"
        case Between():
            return _between(condition, path, doubles)


def _between(condition: Between, path: str, doubles: bool) -> str:
    ends = (
        f"{path} {operator} {float(end) if doubles else end}"
        for operator, end in ((">=", condition.low), ("<", condition.high))
        if end is not None
    )
    known = [f"has({path})"] if condition.optional else []
    return " && ".join([*known, *ends])
