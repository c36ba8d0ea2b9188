"""Whether a server that is up answers what the judge answers.

Dry runs of contacts who have no past, each compared with `row_by_row.judged`: offers,
their order and their weights, under the seed that the answer names.
"""

from pathlib import Path

from bench.attributes import CONTEXT
from bench.catalogs import callers
from bench.matching import WrongAnswer
from bench.revisions import KEPT, loaded
from bench.row_by_row import judged, rows_best_first
from bench.served_rows import PROPOSITIONS, request, shape
from server.client import Client

#: Contacts compared; the judge looks at every row for each.
COMPARED = 40
#: Of one call: servers share the machine with what starts them.
TIMEOUT_SECONDS = 10.0


def check(
    address: str, offers: int, compared: int = COMPARED, kept: Path = KEPT
) -> int:
    """How many propositions were compared; raises WrongAnswer and CallFailed."""
    subject = loaded(shape(offers), kept)
    rows = rows_best_first(subject)
    client = Client.connect(address, TIMEOUT_SECONDS)
    proposed = 0
    try:
        for number, person in enumerate(callers(shape(offers), compared), 1):
            asked = request(number)
            answer = client.propose(asked)
            context = tuple(asked.context[kind.name] for kind in CONTEXT)
            seed = int(answer.interaction_id, 16)
            anew = person._replace(context=context, history=())
            expected = [
                (subject.live.offers[offer].name, weight)
                for offer, weight in judged(subject, rows, anew, PROPOSITIONS, seed)
            ]
            found = [(one.offer, one.weight) for one in answer.results[0].propositions]
            if found != expected:
                raise WrongAnswer(f"contact {number}: {found} instead of {expected}")
            proposed += len(found)
    finally:
        client.close()
    if not proposed:
        raise WrongAnswer("nobody was proposed anything: there is nothing to compare")
    return proposed
