"""Sets of rows or offers: integers with one bit for each."""

from collections.abc import Iterable, Iterator

#: Bits looked at first; the next stretch is twice as long, and so on. The best three
#: of 3 % of rows stand among the first 128 more often than not.
_STRETCH_BITS = 128


def ascending(rows: int, first: int = 0) -> Iterator[int]:
    """The numbers of the bits of a set, lowest first, as far as anybody asks.

    `first` is added to each.

    PERF: taking the lowest bit off a set of 10,000 rows takes 1.4 us, and 11 us of one
    of 100,000. The best rows stand lowest: a stretch of low bits is cheap to cut off,
    its digits are cheap to search, and stretches that double in length reach the end
    of any set in a few steps.
    """
    stretch = _STRETCH_BITS
    while rows:
        low = rows & ((1 << stretch) - 1)
        if low:
            digits = bin(low)[:1:-1]
            row = digits.find("1")
            while row >= 0:
                yield first + row
                row = digits.find("1", row + 1)
        rows >>= stretch
        first += stretch
        stretch *= 2


def lowest_bit(members: int) -> int:
    """The number of the lowest bit of a set that is not empty."""
    return (members & -members).bit_length() - 1


def set_of(members: Iterable[int], size: int) -> int:
    """The set of some of `size` numbers."""
    bits = bytearray((size + 7) // 8)
    for member in members:
        bits[member >> 3] |= 1 << (member & 7)
    return int.from_bytes(bits, "little")
