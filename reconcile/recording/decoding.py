"""A body as it was sent over the line, which may be compressed, made into what it stands for: a piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PLAIN, COMPRESSED = frozenset({"", "identity"}), frozenset({"gzip", "x-gzip", "deflate"})

EITHER = zlib.MAX_WBITS | 32
"""The head of the data says whether it is gzip or zlib."""

LONGEST = 2**20
"""Bytes of a piece, so that a small part that stands for a huge one takes little memory."""


class Decoder:
    """Give it the parts in their order. `lost` is set from where on they cannot be understood."""

    def __init__(self, encoding: str) -> None:
        encoding = encoding.strip().lower()
        self.lost = encoding not in PLAIN | COMPRESSED
        self._zlib = zlib.decompressobj(EITHER) if encoding in COMPRESSED else None

    def read(self, part: bytes) -> Iterator[bytes]:
        """What the part stands for, as far as it can be told by now."""
        if self._zlib is None:
            if not self.lost:
                yield part
            return
        try:
            while part and not self.lost:
                yield self._zlib.decompress(part, LONGEST)
                part = self._zlib.unconsumed_tail
        except zlib.error:
            self.lost = True

    def rest(self) -> bytes:
        """What was held back, at the end."""
        return b"" if self._zlib is None or self.lost else self._zlib.flush()
