"""A picture in PNG, written again in fewer bytes and with the same pixels (PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE = 256
"""Most colours that one byte can name."""


def smaller(picture: bytes) -> bytes:
    """The same picture, or ``picture`` itself where it is not one of a browser's, or no larger.

    Takes 8-bit RGB and RGBA without interlacing. A few colours become a palette, and what is
    opaque loses its transparency.
    """
    if not picture.startswith(SIGNATURE):
        return picture
    head, data = b"", b""
    for kind, content in _chunks(picture):
        if kind == b"IHDR":
            head = content
        elif kind == b"IDAT":
            data += content
    width, height, depth, colour, _how, _filter, interlaced = struct.unpack(">IIBBBBB", head)
    if depth != 8 or colour not in (2, 6) or interlaced:
        return picture
    rows = _plain(zlib.decompress(data), width, height, 3 if colour == 2 else 4)
    if colour == 6:
        if any(row[3::4] != b"\xff" * width for row in rows):
            return picture
        rows = [_without_alpha(row, width) for row in rows]
    return min(_written(rows, width, height), picture, key=len)


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(picture):
        length, kind = struct.unpack_from(">I4s", picture, at)
        yield kind, picture[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _plain(data: bytes, width: int, height: int, size: int) -> list[bytes]:
    """Undo the filters, row by row."""
    length = width * size
    above, rows = bytes(length), []
    for number in range(height):
        start = number * (length + 1)
        method, row = data[start], bytearray(data[start + 1 : start + 1 + length])
        if method == 1:
            for i in range(size, length):
                row[i] = (row[i] + row[i - size]) & 255
        elif method == 2:
            for i in range(length):
                row[i] = (row[i] + above[i]) & 255
        elif method == 3:
            for i in range(length):
                left = row[i - size] if i >= size else 0
                row[i] = (row[i] + (left + above[i]) // 2) & 255
        elif method == 4:
            for i in range(length):
                left = row[i - size] if i >= size else 0
                corner = above[i - size] if i >= size else 0
                row[i] = (row[i] + _paeth(left, above[i], corner)) & 255
        above = bytes(row)
        rows.append(above)
    return rows


def _paeth(left: int, above: int, corner: int) -> int:
    estimate = left + above - corner
    to_left, to_above, to_corner = (
        abs(estimate - left), abs(estimate - above), abs(estimate - corner),
    )  # fmt: skip
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner


def _without_alpha(row: bytes, width: int) -> bytes:
    plain = bytearray(width * 3)
    for channel in range(3):
        plain[channel::3] = row[channel::4]
    return bytes(plain)


def _written(rows: list[bytes], width: int, height: int) -> bytes:
    colours: dict[bytes, int] = {}
    for row in rows:
        for at in range(0, len(row), 3):
            colours.setdefault(row[at : at + 3], len(colours))
        if len(colours) > PALETTE:
            break
    few = len(colours) <= PALETTE
    if few:
        rows = [bytes(colours[row[at : at + 3]] for at in range(0, len(row), 3)) for row in rows]
    # Flat areas repeat themselves: without a filter deflate finds them best.
    data = b"".join(b"\0" + row for row in rows)
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3 if few else 2, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(colours)) if few else b"",
            _chunk(b"IDAT", zlib.compress(data, 9)),
            _chunk(b"IEND", b""),
        )
    )
