"""A profile as it is stored, and the slots that a caller wants of it."""

from collections.abc import Callable, Sequence

import msgspec

from contact_store.errors import CorruptRecord, InvalidProfile
from contact_store.layouts import Layout
from contact_store.sealed import seal, unseal
from contact_store.slots import Slot, is_list

#: One profile, encoded.
PROFILE_BYTES_MAX = 65_536

#: Takes the wanted slots, None where absent, from a decoded profile.
Pick = Callable[[tuple[Slot, ...]], tuple[Slot, ...]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[object, ...]).decode


def encode_profile(own_key: bytes, layout: int, values: Sequence[Slot]) -> bytes:
    """The stored form of checked values; raises InvalidProfile when it is too big.

    `own_key` is the profile's key without its layer, since folding changes that.
    """
    payload = _encode((layout, *values))
    if len(payload) > PROFILE_BYTES_MAX:
        raise InvalidProfile(
            f"the profile has {len(payload)} bytes: keep it to {PROFILE_BYTES_MAX}"
        )
    return seal(own_key, payload)


def decode_profile(own_key: bytes, value: bytes) -> tuple[Slot, ...]:
    """Layout number and values; raises CorruptRecord."""
    try:
        values = _decode(unseal(own_key, value))
    except msgspec.DecodeError as error:
        raise CorruptRecord(own_key, str(error)) from error
    if not values:
        raise CorruptRecord(own_key, "empty profile")
    return values


def picking(stored: Layout, wanted: Layout) -> Pick:
    """How to take the wanted slots from profiles of the stored layout.

    An attribute that was stored with another type is absent.
    """
    if stored == wanted and not any(map(is_list, stored.types)):
        return _all_values

    places = {
        slot: place
        for place, slot in enumerate(
            zip(stored.names, stored.types, strict=True), start=1
        )
    }
    taken = [places.get(slot) for slot in zip(wanted.names, wanted.types, strict=True)]

    def pick(values: tuple[Slot, ...]) -> tuple[Slot, ...]:
        slots = [None if place is None else values[place] for place in taken]
        return tuple([_frozen(slot) for slot in slots])

    return pick


def _all_values(values: tuple[Slot, ...]) -> tuple[Slot, ...]:
    return values[1:]


def _frozen(slot: Slot) -> Slot:
    return tuple(slot) if isinstance(slot, list) else slot  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
