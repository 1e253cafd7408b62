"""Markdown as it lies on the page: what stands below each heading, block by block, with its lines."""

from __future__ import annotations

from dataclasses import dataclass

from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Part:
    """What stands below a heading; lines count from 0 in the whole text."""

    title: str
    line: int
    tokens: list[Token]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list or quotation at the top of a part."""

    kind: str
    first: int
    last: int
    tokens: list[Token]

    @property
    def said(self) -> str:
        """What its first paragraph says, as one line."""
        inline = next((token for token in self.tokens if token.type == "inline"), None)
        return " ".join(inline.content.split("\n")) if inline else ""


def split(tokens: list[Token], tag: str, first: int, last: int) -> tuple[list[Token], list[Part]]:
    """What stands before the first heading of this level, and what stands below each."""
    places = [
        place
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == tag and token.level == 0
    ]
    if not places:
        return tokens, []
    parts = []
    for place, following in zip(places, [*places[1:], len(tokens)], strict=True):
        heading = tokens[place].map or [first, first]
        end = tokens[following].map if following < len(tokens) else None
        parts.append(
            Part(
                title=tokens[place + 1].content.strip(),
                line=heading[0],
                tokens=tokens[place + 3 : following],
                first=heading[1],
                last=end[0] if end else last,
            )
        )
    return tokens[: places[0]], parts


def blocks_of(tokens: list[Token], level: int = 0) -> list[Block]:
    """The blocks at this level, each with the tokens in it."""
    blocks = []
    begin = 0
    for place, token in enumerate(tokens):
        if token.level != level:
            continue
        if token.nesting == 1:
            begin = place
        else:
            start = begin if token.nesting == -1 else place
            lines = tokens[start].map or [0, 0]
            kind = tokens[start].type.removesuffix("_open")
            blocks.append(Block(kind, lines[0], lines[1], tokens[start : place + 1]))
    return blocks


def items_of(block: Block) -> list[Block]:
    """The items of a list."""
    return blocks_of(block.tokens[1:-1], level=block.tokens[0].level + 1)
