"""What ``make screenshots`` makes of pictures, and of the lines that say how to come in."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.gallery import LOOKS, Signs
from helpdesk.smaller import SIGNATURE, smaller

Pixels = list[list[tuple[int, int, int]]]


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def filtered(row: bytes, above: bytes, size: int, method: int) -> bytes:
    """A row as a browser writes it, by the standard's five filters."""
    made = bytearray([method])
    for i, value in enumerate(row):
        a = row[i - size] if i >= size else 0
        b, c = above[i], above[i - size] if i >= size else 0
        nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
        made.append((value - [0, a, b, (a + b) // 2, nearest][method]) % 256)
    return bytes(made)


def picture(pixels: Pixels, methods: list[int], *, alpha: int | None) -> bytes:
    size = 3 if alpha is None else 4
    above, data = bytes(len(pixels[0]) * size), b""
    for number, colours in enumerate(pixels):
        row = b"".join(bytes(c) + (b"" if alpha is None else bytes([alpha])) for c in colours)
        data += filtered(row, above, size, methods[number % len(methods)])
        above = row
    head = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 2 if size == 3 else 6, 0, 0, 0)
    # Stored, not packed: whatever is written anew is smaller.
    packed = zlib.compress(data, 0)
    half = len(packed) // 2
    return b"".join(
        (
            SIGNATURE,
            chunk(b"IHDR", head),
            chunk(b"tEXt", b"Comment\0" + b"x" * 2000),
            chunk(b"IDAT", packed[:half]),
            chunk(b"IDAT", packed[half:]),
            chunk(b"IEND", b""),
        )
    )


def read(written: bytes) -> Pixels:
    """What is in a picture of ours: no filters, with a palette or without."""
    found: dict[bytes, bytes] = {}
    at = len(SIGNATURE)
    while at < len(written):
        (length,) = struct.unpack_from(">I", written, at)
        kind, content = written[at + 4 : at + 8], written[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", written, at + 8 + length)
        assert zlib.crc32(kind + content) == check
        found[kind] = content
        at += length + 12
    width, height, _depth, colour = struct.unpack(">IIBB", found[b"IHDR"][:10])
    data, palette = zlib.decompress(found[b"IDAT"]), found.get(b"PLTE", b"")
    step = 1 if colour == 3 else 3
    rows = []
    for number in range(height):
        start = number * (width * step + 1)
        assert data[start] == 0
        row = data[start + 1 : start + 1 + width * step]
        if colour == 3:
            row = b"".join(palette[3 * i : 3 * i + 3] for i in row)
        rows.append([(row[i], row[i + 1], row[i + 2]) for i in range(0, len(row), 3)])
    return rows


BYTE = st.integers(0, 255)
PIXELS = st.integers(1, 9).flatmap(
    lambda width: st.lists(
        st.lists(st.tuples(BYTE, BYTE, BYTE), min_size=width, max_size=width),
        min_size=1,
        max_size=6,
    )
)


@given(PIXELS, st.lists(st.integers(0, 4), min_size=1, max_size=5), st.sampled_from([None, 255]))
def test_a_picture_is_smaller_and_has_the_same_pixels(
    pixels: Pixels, methods: list[int], alpha: int | None
) -> None:
    before = picture(pixels, methods, alpha=alpha)
    after = smaller(before)
    assert len(after) < len(before)
    assert read(after) == pixels


def test_more_colours_than_a_palette_holds_are_kept() -> None:
    pixels = [[(x, y, (x * y) % 256) for x in range(40)] for y in range(40)]
    assert read(smaller(picture(pixels, [1], alpha=None))) == pixels


@pytest.mark.parametrize(
    "other",
    [b"GIF89a", picture([[(1, 2, 3)]], [0], alpha=128)],
    ids=["no PNG", "see-through"],
)
def test_what_it_does_not_know_stays_as_it_is(other: bytes) -> None:
    assert smaller(other) == other


def test_the_lines_of_a_start_say_how_to_come_in() -> None:
    lines = iter(
        [
            "loading the demo\n",
            "ready: http://127.0.0.1:8123\n",
            "sign-in: lead marco@brightquay.example a pass word\n",
            "portal: http://127.0.0.1:8000/portal/in/abc/\n",
            "web | more\n",
        ]
    )
    signs = Signs.read(lines)
    assert signs.url == "http://127.0.0.1:8123"
    assert signs.people == {"lead": ("marco@brightquay.example", "a pass word")}
    assert signs.portal.endswith("/portal/in/abc/")
    assert next(lines) == "web | more\n"


def test_a_desk_that_did_not_start_is_said_so() -> None:
    with pytest.raises(ValueError, match="did not start"):
        Signs.read(iter(["ready: http://127.0.0.1:8123\n"]))


def test_there_are_two_widths_and_two_colours() -> None:
    assert {(width, colours) for width, _height, colours in LOOKS.values()} == {
        (1440, "light"), (1440, "dark"), (360, "light"), (360, "dark"),
    }  # fmt: skip
