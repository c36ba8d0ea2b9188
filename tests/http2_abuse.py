"""What a client may send that speaks HTTP/2 badly on purpose; bounded, one socket each.

Frames are built by hand: a library would refuse to send these. Header blocks are
literals without compression (RFC 7541, section 6.2.2).
"""

import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

DATA, HEADERS, RST_STREAM, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4
CANCEL = struct.pack(">I", 8)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: Frames of one attack; the slowest takes a second.
FRAMES = 5_000
#: As many connections of one attack.
CONNECTIONS = 100
SEND_SECONDS = 10.0


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


def _header(name: bytes, value: bytes) -> bytes:
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _call(path: bytes) -> bytes:
    """The header block of a call."""
    return b"".join(
        [
            _header(b":method", b"POST"),
            _header(b":scheme", b"http"),
            _header(b":path", path),
            _header(b":authority", b"localhost"),
            _header(b"content-type", b"application/grpc"),
            _header(b"te", b"trailers"),
        ]
    )


def rapid_resets(path: bytes) -> list[bytes]:
    """Calls that are cancelled as soon as they are made."""
    block = _call(path)
    return [
        frame(HEADERS, END_HEADERS, stream, block)
        + frame(RST_STREAM, 0, stream, CANCEL)
        for stream in range(1, 2 * FRAMES, 2)
    ]


def endless_headers(path: bytes) -> list[bytes]:
    """Headers that go on, frame after frame."""
    more = frame(CONTINUATION, 0, 1, _header(b"x", b"y" * 120) * 8)
    return [frame(HEADERS, 0, 1, _call(path)), *[more] * FRAMES]


def pings(path: bytes) -> list[bytes]:
    return [frame(PING, 0, 0, bytes(8))] * FRAMES


def settings(path: bytes) -> list[bytes]:
    return [frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 100))] * FRAMES


def empty_data(path: bytes) -> list[bytes]:
    """A body of nothing, without end."""
    opened = frame(HEADERS, END_HEADERS, 1, _call(path))
    return [opened, *[frame(DATA, 0, 1)] * FRAMES]


def open_streams(path: bytes) -> list[bytes]:
    """Calls that never send their message."""
    block = _call(path)
    streams = range(1, 2 * FRAMES, 2)
    return [frame(HEADERS, END_HEADERS, stream, block) for stream in streams]


def large_headers(path: bytes) -> list[bytes]:
    """60 kB of them in one block."""
    large = _header(b"x", b"y" * 120) * 500
    parts = [large[at : at + 16_000] for at in range(0, len(large), 16_000)]
    rest = [frame(CONTINUATION, 0, 1, part) for part in parts]
    return [frame(HEADERS, 0, 1, _call(path)), *rest, frame(CONTINUATION, 4, 1)]


def false_lengths(path: bytes) -> list[bytes]:
    """Messages of which 4 GiB are announced and 5 bytes come."""
    block, lie = _call(path), b"\x00" + b"\xff" * 4 + b"abcde"
    return [
        frame(HEADERS, END_HEADERS, stream, block)
        + frame(DATA, END_STREAM, stream, lie)
        for stream in range(1, 200, 2)
    ]


ATTACKS: tuple[Callable[[bytes], list[bytes]], ...] = (
    *(rapid_resets, endless_headers, pings, settings),
    *(empty_data, open_streams, large_headers, false_lengths),
)


def attack(address: str, frames: list[bytes]) -> None:
    """Send all of it over one connection, or as much as the server takes."""
    with _connected(address) as connection, suppress(OSError):
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
        for start in range(0, len(frames), 100):
            connection.sendall(b"".join(frames[start : start + 100]))
            _read_what_is_there(connection)


def is_answered(address: str, path: bytes, frames: list[bytes]) -> bool:
    """Whether a good call is answered on the connection after these frames."""
    last = 4 * FRAMES + 1
    with _connected(address) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
        for start in range(0, len(frames), 100):
            connection.sendall(b"".join(frames[start : start + 100]))
            _read_what_is_there(connection)
        connection.sendall(frame(HEADERS, END_HEADERS, last, _call(path)))
        connection.sendall(frame(DATA, END_STREAM, last, bytes(5)))
        received = b""
        while some := connection.recv(65_536):
            received += some
            while len(received) >= 9 + int.from_bytes(received[:3]):
                kind, stream = received[3], int.from_bytes(received[5:9])
                if kind == HEADERS and stream == last:
                    return True
                received = received[9 + int.from_bytes(received[:3]) :]
    return False


def random_bytes(address: str, seed: int) -> None:
    """Connections that do not speak HTTP/2 at all."""
    draw = random.Random(seed)
    for _ in range(CONNECTIONS):
        with _connected(address) as connection, suppress(OSError):
            connection.sendall(draw.randbytes(draw.randrange(1, 4_000)))
            _read_what_is_there(connection)


def silent_connections(address: str) -> list[socket.socket]:
    """Connections over which nothing comes; whoever asks for them closes them."""
    return [_connected(address) for _ in range(CONNECTIONS)]


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has ended it."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SEND_SECONDS)


def _read_what_is_there(connection: socket.socket) -> None:
    """So that neither side waits for room in its buffers."""
    connection.setblocking(False)
    with suppress(BlockingIOError):
        while connection.recv(65_536):
            pass
    connection.settimeout(SEND_SECONDS)
