"""What the supervisor tells a child process."""

from pathlib import Path

import msgspec

from server.data_folder import DataFolder


class ProcessOptions(msgspec.Struct, frozen=True):
    """Sent as JSON; the same for a worker and for the admin process."""

    #: Path of the data folder.
    data: str
    #: HOST:PORT.
    listen: str
    #: Whether the services describe themselves to whoever asks.
    reflection: bool
    #: The share of contacts whose decisions can be replayed.
    kept_share: float = 0.01
    #: How long propositions are kept after their last change.
    retention_days: int = 400
    #: HOST:PORT of the metrics; the admin process serves them. Empty is nowhere.
    metrics_listen: str = ""
    #: Where a worker tells others what it serves: `catalog_store.signal_page`.
    place: int = 0

    @property
    def folder(self) -> DataFolder:
        return DataFolder(Path(self.data))
