"""Of the packages that npm brought, only what ``HELPDESK_VENDORED`` names is served.

They carry demos and libraries besides, with references into the void, at which a production
build stops; and what nobody uses need not be kept safe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder


class Finder(FileSystemFinder):
    """Our own files, and the ones named of the packages."""

    def find_location(self, root: str, path: str, prefix: str | None = None) -> str | None:
        if prefix and path.removeprefix(f"{prefix}/") not in settings.HELPDESK_VENDORED[prefix]:
            return None
        found: str | None = super().find_location(root, path, prefix)
        return found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[Any]:
        for path, storage in super().list(ignore_patterns):
            prefix = getattr(storage, "prefix", None)
            if not prefix or path in settings.HELPDESK_VENDORED[prefix]:
                yield path, storage
