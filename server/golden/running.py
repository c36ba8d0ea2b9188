"""All golden decisions of a revision, and the refusal if one came out otherwise."""

from collections.abc import Iterator
from typing import NamedTuple

from catalog_store.golden_decisions import GoldenDecision
from catalog_store.revision_file import RevisionFile
from catalog_store.revisions import DamagedRevision
from server.engine.live_catalog import LiveCatalog
from server.golden.failures import GoldenDecisionsFailed, GoldenFailure
from server.golden.outcomes import failures_of
from server.resource_names import known_names

#: Failures that are explained; after them, golden decisions are no longer made.
FAILURES_MAX = 100


class GoldenOutcome(NamedTuple):
    """One golden decision, made."""

    environment: str
    golden: GoldenDecision
    #: Empty when it came out as expected.
    failures: tuple[GoldenFailure, ...]

    @property
    def resource(self) -> str:
        """Its resource name, as the contract has it."""
        return f"environments/{self.environment}/goldenDecisions/{self.golden.name}"


def require_golden_decisions(revision: RevisionFile, catalog: LiveCatalog) -> None:
    """Make all of them; raises GoldenDecisionsFailed, and DamagedRevision.

    `catalog` is what was loaded from the file.
    """
    failures: list[GoldenFailure] = []
    for outcome in golden_outcomes(revision, catalog):
        failures += outcome.failures
        if len(failures) >= FAILURES_MAX:
            break
    if failures:
        raise GoldenDecisionsFailed(failures)


def golden_outcomes(
    revision: RevisionFile, catalog: LiveCatalog
) -> Iterator[GoldenOutcome]:
    """Each as it is made; raises DamagedRevision."""
    for name in revision.environment_names:
        environment = catalog.environments[name]
        names = known_names(environment)
        for golden in revision.items(name, "golden_decisions", GoldenDecision):
            try:
                failures = failures_of(golden, environment, names)
            except (LookupError, ValueError) as error:
                raise DamagedRevision(
                    f"the golden decision {golden.name!r} is of another version of"
                    f" Propono ({error!r}); publish the catalog's files again"
                ) from error
            yield GoldenOutcome(name, golden, tuple(failures))
