"""What stands in addresses of the API: references, ids and keys, and nothing that only looks so."""

from __future__ import annotations

from django.urls import register_converter


class TicketConverter:
    """``HD-1042``."""

    regex = "HD-[1-9][0-9]{0,11}"

    def to_python(self, text: str) -> int:
        return int(text.removeprefix("HD-"))

    def to_url(self, number: int) -> str:
        return f"HD-{number}"


class IdConverter:
    regex = "[1-9][0-9]{0,14}"

    def to_python(self, text: str) -> int:
        return int(text)

    def to_url(self, number: int) -> str:
        return str(number)


class KeyConverter:
    """The key of a detail."""

    regex = "[-a-zA-Z0-9_]{1,50}"

    def to_python(self, text: str) -> str:
        return text

    def to_url(self, key: str) -> str:
        return key


def register() -> None:
    register_converter(TicketConverter, "ticket")
    register_converter(IdConverter, "id")
    register_converter(KeyConverter, "key")
