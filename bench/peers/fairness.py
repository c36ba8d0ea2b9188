"""What to know before comparing figures; printed with them."""

from importlib.metadata import version

from bench.peers.installation import PACKAGES

NOTES = (
    "Every answer of every peer was compared with that of a loop written by hand before"
    " it was timed.",
    "Propono's decision also counts caps, draws ties, keeps to windows and spaces, and"
    " answers with content; the others answer a set of names, or the best 3 of it.",
    "The plain loops call the functions that Propono's compiler makes of the rules: no"
    " others are as fast. Their setup is Propono's.",
    "Best first stops at the third eligible offer: that needs weights that are the same"
    " for everybody, and is fast because 3 % of the offers are eligible here.",
    "Each server has one process on one core, the client another core, plaintext on the"
    " loopback, contacts in turn; 64 in flight are spread over 8 connections.",
    "Propono is asked in dry runs: nothing is recorded. Its attributes are stored, as"
    " they are used, or sent with the call, as everybody else's are.",
    "Propono's server knows who calls, admits, counts, looks up profile and history;"
    " engines on the same stack do none of it.",
    "Setup of a server is from the rules to the first answer, the start of its process"
    " and compiling included; memory is that of all its processes.",
    "Cerbos answers with every eligible offer, as outputs of the rules of one resource,"
    " or of one resource an offer in one call; it has its audit log and schemas off.",
    "OPA answers with every eligible offer, over HTTP/1.1, for it has no gRPC: a"
    " connection for each call in flight, and another client.",
    "flagd is not here: it could not be installed as a package.",
    "ZEN's table for `first` answers with one offer, not three.",
)


def versions() -> str:
    """Of peers that are there, and of what Propono stands on."""
    peers = [one for one in PACKAGES if (one.folder / one.file).exists()]
    ours = [f"grpcio {version('grpcio')}", f"protobuf {version('protobuf')}"]
    return ", ".join([*(f"{one.name} {one.version}" for one in peers), *ours])
