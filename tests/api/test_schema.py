"""The schema says what is so."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.management import call_command

from desk.api import root, urls
from desk.api.operations import operation_of
from tests.api.programs import Program
from tests.house import House
from tests.pages.acting import as_


def test_the_schema_is_valid_without_a_warning() -> None:
    said = io.StringIO()
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format=openapi-json", stdout=said
    )

    schema = json.loads(said.getvalue())
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            statuses = set(operation["responses"])
            assert {"400", "401", "403", "404", "406", "429"} <= statuses, (method, path)
            if method in ("post", "put", "patch"):
                assert {"409", "413", "415", "422"} <= statuses, (method, path)
            assert operation["summary"], (method, path)
            assert operation["tags"][0], (method, path)


def views() -> list[Any]:
    return [pattern.callback for pattern in urls.urlpatterns]


def test_every_address_stands_in_it(house: House, db: None) -> None:
    schema = Program(house.anna).get("/schema/").body
    declared = sum(
        operation_of(view.view_class(), method) is not None
        for view in views()
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    )

    assert sum(len(methods) for methods in schema["paths"].values()) == declared


def test_those_who_ask_for_it_first_and_at_once_all_get_all_of_it() -> None:
    root._drawn.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        drawn = set(pool.map(lambda _who: root._schema(), range(4)))

    root._drawn.cache_clear()
    assert drawn == {root._schema()}


@pytest.mark.django_db
def test_whoever_is_signed_in_may_read_it(house: House) -> None:
    answer = as_(house.anna).get("/api/v1/schema/")

    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")
