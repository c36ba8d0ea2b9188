"""GoRules ZEN: one decision table, one row an offer, best first.

Rows have one column an attribute, `field` set, so that ZEN's own index is used, and
no trace. `collect` gives every row that matches; `first` gives the best one only.
"""

import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

from bench.peers.installation import ZEN
from bench.peers.work import (
    KINDS,
    TOP,
    Among,
    Between,
    Condition,
    Contact,
    Flagged,
    Known,
    Work,
)


def engine(work: Work, hit_policy: str = "collect") -> Callable[[Contact], list[str]]:
    """The best offers of a contact; raises NotInstalled.

    The documented fast way: content is parsed once, and the engine keeps it.
    """
    zen = _module()
    content = zen.ZenDecisionContent(json.dumps(_graph(work, hit_policy)))
    evaluate = zen.ZenEngine({"loader": lambda key: content}).evaluate
    names = [offer.name for offer in work.best_first]

    def best(contact: Contact) -> list[str]:
        found = evaluate("offers", contact)["result"]
        rows = found if isinstance(found, list) else [found] if found else []
        return [names[row["row"]] for row in rows[:TOP]]

    return best


def _module() -> Any:
    folder = str(ZEN.found().parent.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module("zen")


def _graph(work: Work, hit_policy: str) -> dict[str, object]:
    rules = [
        {"_id": str(row), "row": str(row)}
        | {one.name: _cell(one) for one in offer.conditions}
        for row, offer in enumerate(work.best_first)
    ]
    table = {
        "hitPolicy": hit_policy,
        "inputs": [{"id": k.name, "name": k.name, "field": k.name} for k in KINDS],
        "outputs": [{"id": "row", "name": "row", "field": "row"}],
        "rules": rules,
    }
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "asked", "name": "asked", "type": "inputNode"},
            {
                "id": "table",
                "name": "table",
                "type": "decisionTableNode",
                "content": table,
            },
            {"id": "found", "name": "found", "type": "outputNode"},
        ],
        "edges": [
            {"id": "1", "sourceId": "asked", "targetId": "table", "type": "edge"},
            {"id": "2", "sourceId": "table", "targetId": "found", "type": "edge"},
        ],
    }


def _cell(condition: Condition) -> str:
    """A comparison with what is not known is false, as it must be."""
    match condition:
        case Among():
            return ", ".join(json.dumps(text) for text in condition.texts)
        case Flagged():
            return "true" if condition.flag else "false"
        case Known():
            return "!= null"
        case Between(_, None, high, _):
            return f"< {high}"
        case Between(_, low, None, _):
            return f">= {low}"
        case Between(_, low, high, _):
            return f"[{low}..{high})"
