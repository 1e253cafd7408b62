"""Bytes and header fields to text, whatever they claim to be. Pure; raises nothing."""

from __future__ import annotations

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from charset_normalizer import from_bytes

#: Python calls them text encodings, and no mail means them; some take quadratic time.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7", "mbcs"}
)
#: The guess at a charset looks at so many bytes, and is no better than dice below so few.
_SAMPLE = 64_000
_TOO_FEW = 100
_LONGEST_FIELD = 8_000
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
#: Marks, embeddings, overrides and isolates (Unicode Standard Annex 9): in a name or a subject
#: they can make one thing look like another.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LINES = re.compile("\r\n|[\r\u0085\u2028\u2029\x0b\x0c]")
_UNSAFE_IN_NAMES = re.compile(r'[<>:"|?*\\/]')


def decode_bytes(data: bytes, declared: str | None) -> str:
    """Decode by the declared charset, else a guess, else Latin-1, which always succeeds."""
    for charset in (declared, "utf-8"):
        text = _decode_as(data, charset)
        if text is not None:
            return text
    if len(data) < _TOO_FEW:
        return _decode_as(data, "iso-8859-1") or ""
    try:
        guess = from_bytes(data[:_SAMPLE]).best()
    except Exception:  # a guess that fails is no guess
        guess = None
    text = _decode_as(data, guess.encoding) if guess else None
    return text if text is not None else data.decode("latin-1")


def _decode_as(data: bytes, charset: str | None) -> str | None:
    if not charset:
        return None
    try:
        name = codecs.lookup(charset.strip("'\" ")).name
        if name in _NOT_CHARSETS:
            return None
        if name == "iso8859-1":
            # What says Latin-1 is mostly Windows-1252, as the WHATWG Encoding Standard has it.
            try:
                return data.decode("cp1252")
            except UnicodeDecodeError:
                pass
        return data.decode(name)
    except (LookupError, ValueError, TypeError):
        return None


def header_bytes(value: str) -> bytes:
    """The bytes of a header field as the ``email`` package holds it (surrogates for 8-bit)."""
    return value.encode("utf-8", "surrogateescape")


def unfolded(value: str) -> str:
    """A header field on one line, with 8-bit characters decoded and encoded words left alone."""
    return one_line(decode_bytes(header_bytes(value[:_LONGEST_FIELD]), None))


def header_text(value: str) -> str:
    """A header field for people: unfolded, its encoded words (RFC 2047) decoded."""
    value = decode_bytes(header_bytes(value[:_LONGEST_FIELD]), None)
    value = re.sub(r"[\r\n]+[ \t]*", " ", value)
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return one_line(value)
    text = "".join(
        piece if isinstance(piece, str) else decode_bytes(piece, charset)
        for piece, charset in pieces
    )
    return one_line(text)


def one_line(text: str) -> str:
    """Text for a subject or a name: no controls, no direction controls, no line breaks.

    An encoded line break in a subject would otherwise make every answer to it fail.
    """
    text = _BIDI.sub("", storable(_LINES.sub("\n", text)))
    return " ".join(text.split())


def body_text(text: str) -> str:
    """Text of several lines: line ends made one kind, controls dropped but tabs kept."""
    return storable(_LINES.sub("\n", text)).strip("\n").rstrip()


def storable(text: str) -> str:
    """What PostgreSQL and UTF-8 can hold: no NUL, no other controls, no lone surrogates."""
    return _CONTROLS.sub("", text).encode("utf-8", "replace").decode("utf-8")


def safe_name(name: str, *, otherwise: str) -> str:
    """A file name to offer: no folders, no controls, no leading dots, 150 characters at most."""
    name = one_line(name).replace("\\", "/").rpartition("/")[2]
    name = _UNSAFE_IN_NAMES.sub("_", name).strip(". ")
    if len(name) > 150:
        stem, dot, extension = name.rpartition(".")
        if dot and len(extension) <= 12:
            name = f"{stem[: 149 - len(extension)]}.{extension}"
        name = name[:150]
    return name or otherwise
