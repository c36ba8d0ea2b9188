"""What can go wrong with design records.

On opening, reading and writing:   DesignStoreFailed, DamagedDesign
On what a caller wants to change:  UnknownChange
"""


class DesignStoreError(Exception):
    """Any of the errors below; the text is fit for whoever sent the request."""


class DesignStoreFailed(DesignStoreError):
    """LMDB or the disk under it refused; nothing of the transaction is stored."""


class DamagedDesign(DesignStoreError):
    """A stored value fails its checksum or cannot be decoded; nothing of it is used."""

    def __init__(self, key: bytes, reason: str) -> None:
        super().__init__(
            f"the design's value at key {key.hex()} is damaged ({reason});"
            " restore it from a backup"
        )
        self.key = key
        self.reason = reason


class UnknownChange(DesignStoreError):
    """No change of the design has this number."""
