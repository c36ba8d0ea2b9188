"""What history keeps as numbers, by the names that rules know it by."""

from collections.abc import Mapping
from weakref import ref

from contact_store.channels import CHANNEL_OF_CODE
from server.engine.history_slots import KnownNames
from server.engine.live_catalog import LiveEnvironment
from server.engine.live_offers import OfferNumbers

_CHANNEL_NAMES = {code: str(channel) for code, channel in CHANNEL_OF_CODE.items()}


def known_names(environment: LiveEnvironment) -> KnownNames:
    """The names of an environment, good as long as it decides.

    They do not keep it: what decides with them does, and an environment that was
    replaced is given back in small steps, not by whoever forgets its names last.
    """
    numbers = environment.offer_numbers
    assert isinstance(numbers, OfferNumbers)
    names = ref(numbers.name_of_hash)

    def of_hash() -> Mapping[int, str]:
        known = names()
        assert known is not None, "the environment is gone"
        return known

    return KnownNames(of_hash, _CHANNEL_NAMES)
