"""What can go wrong with stored contacts.

On reading:                 CorruptRecord
On writing:                 HistoryFull, StatusLogFull, InvalidProfile, StoreFailed,
                            StoreStalled
On what a caller sent:      InvalidContactId, UnknownProposition, RequestIdReused
On importing:               ImportInProgress
"""


class ContactStoreError(Exception):
    """Any of the errors below; the text is fit for whoever sent the request."""


class CorruptRecord(ContactStoreError):
    """A stored value fails its checksum or cannot be decoded; nothing of it is used."""

    def __init__(self, key: bytes, reason: str) -> None:
        super().__init__(
            f"the stored value at key {key.hex()} is damaged ({reason}): run"
            " `propono doctor --repair`, which says when a backup is needed"
        )
        self.key = key


class StoreFailed(ContactStoreError):
    """LMDB or the disk under it refused; nothing of the transaction is stored."""


class StoreStalled(StoreFailed):
    """The disk, or whoever is writing, takes too long; nothing was begun."""

    def __init__(self) -> None:
        super().__init__("the store does not answer; nothing was stored: try again")


class HistoryFull(ContactStoreError):
    """A contact's record holds as many propositions as it may."""


class StatusLogFull(ContactStoreError):
    """A proposition's log holds as many changes as it may."""


class InvalidContactId(ContactStoreError):
    """A text that cannot be a contact id."""


class InvalidProfile(ContactStoreError):
    """Values that do not fit the attributes; names each attribute at fault."""


class UnknownProposition(ContactStoreError):
    """A proposition id that no proposition has, for whatever reason.

    Forged, misspelt, erased and moved ids are all told the same.
    """

    def __init__(self) -> None:
        super().__init__(
            "unknown proposition: send the proposition_id of an earlier answer"
        )


class RequestIdReused(ContactStoreError):
    """A request id came back with another request."""

    def __init__(self) -> None:
        super().__init__(
            "request_id was already used for another request: make a new id for each"
            " request, and keep it only for that request's retries"
        )


class ImportInProgress(ContactStoreError):
    """Another process is importing contacts into the same store."""

    def __init__(self) -> None:
        super().__init__(
            "another import into this store is running: wait until it has finished"
        )
