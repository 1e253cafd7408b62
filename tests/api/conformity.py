"""Whether an answer is one that the schema foresees: every answer in these tests is asked."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

#: Drawn by several threads at once it lacks answers here and there.
_drawing = Lock()


def schema() -> dict[str, Any]:
    with _drawing:
        return _schema()


@lru_cache(maxsize=1)
def _schema() -> dict[str, Any]:
    with translation.override("en"):
        drawn = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    read: dict[str, Any] = json.loads(json.dumps(drawn, default=str))
    _nullable(read)
    return read


@lru_cache(maxsize=1)
def _paths() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(path))), path)
        for path in schema()["paths"]
    ]


def _nullable(node: Any) -> None:
    """OpenAPI 3.0 says ``nullable`` where JSON Schema has a type of its own."""
    if isinstance(node, list):
        for each in node:
            _nullable(each)
    elif isinstance(node, dict):
        for each in node.values():
            _nullable(each)
        if node.pop("nullable", False) is True:
            rest = dict(node)
            node.clear()
            node["anyOf"] = [rest, {"type": "null"}]


@cache
def _validator(template: str, method: str, status: str, kind: str) -> Any:
    content = schema()["paths"][template][method]["responses"][status]["content"]
    return Draft202012Validator({**content[kind]["schema"], "components": schema()["components"]})


def must_conform(method: str, path: str, status: int, content_type: str, raw: bytes) -> None:
    """Raise ``AssertionError`` for an answer that is not in the schema."""
    template = next((t for pattern, t in _paths() if pattern.fullmatch(path)), None)
    operation = schema()["paths"].get(template, {}).get(method.lower())
    if operation is None or status == 405:
        return
    foreseen = operation["responses"].get(str(status))
    assert foreseen is not None, f"{method} {path}: {status} is not in the schema"
    content = foreseen.get("content", {})
    if not content:
        assert raw == b"", f"{method} {path}: {status} has no body in the schema"
        return
    kind = content_type.partition(";")[0]
    assert kind in content, f"{method} {path}: {status} as {kind}"
    if kind == "application/octet-stream":
        return
    wrong = [
        f"{error.json_path}: {error.message[:300]}"
        for error in _validator(template or "", method.lower(), str(status), kind).iter_errors(
            json.loads(raw)
        )
    ]
    assert not wrong, f"{method} {path}: {wrong}"
