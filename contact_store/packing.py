"""A contact's record as bytes, and back."""

import msgspec

from contact_store.errors import CorruptRecord
from contact_store.records import ContactRecord
from contact_store.sealed import seal, unseal

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ContactRecord).decode


def pack_record(key: bytes, record: ContactRecord) -> bytes:
    return seal(key, _encode(record))


def unpack_record(key: bytes, value: bytes) -> ContactRecord:
    """The record, or CorruptRecord naming the key."""
    try:
        return _decode(unseal(key, value))
    except msgspec.DecodeError as error:
        raise CorruptRecord(key, str(error)) from error
