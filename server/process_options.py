"""What the supervisor tells a child process."""

from pathlib import Path

import msgspec

from server.access.pem_files import TlsFiles
from server.access.rate_limits import RateLimits
from server.admission import CALLS_MAX
from server.data_folder import DataFolder
from server.log_lines import LogFormat

#: Unless `propono serve` is told another.
CONNECTION_AGE_SECONDS = 600.0


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
    #: How long a client of the decision port keeps a connection.
    connection_age_seconds: float = CONNECTION_AGE_SECONDS
    #: Calls in flight in one worker.
    calls_max: int = CALLS_MAX
    log_format: LogFormat = "json"
    #: How often one caller may call the admin port.
    admin_limits: RateLimits = RateLimits()
    #: Of this process, in the page that all of them map.
    writer_slot: int = 0
    #: Whether every caller must say who they are, on loopback too.
    auth_required: bool = False
    #: None for plaintext.
    tls: TlsFiles | None = None
    #: HOST:PORT of the metrics; the admin process serves them. Empty is nowhere.
    metrics_listen: str = ""
    #: Where a worker tells others what it serves: `catalog_store.signal_page`.
    place: int = 0

    @property
    def folder(self) -> DataFolder:
        return DataFolder(Path(self.data))
