"""A token may ask so often, whether or not Redis is there to count."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from desk.api.throttling import here, rate_of
from notifications import quickredis
from tests.api.programs import Program
from tests.house import House

pytestmark = pytest.mark.django_db


def test_who_asks_too_often_is_told_when_to_come_back(
    house: House, settings: pytest.FixtureRequest
) -> None:
    settings.HELPDESK_API_RATE = "3/day"  # type: ignore[attr-defined]
    program, another = Program(house.anna), Program(house.anna)

    answers = [program.get("/contacts/") for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert answers[3].slug == "throttled"
    assert 0 < int(answers[3].headers["Retry-After"]) <= 86_400
    assert another.get("/contacts/").status == 200, "each token counts for itself"


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0"])
def test_without_redis_this_process_counts(
    house: House, settings: pytest.FixtureRequest, url: str
) -> None:
    settings.HELPDESK_API_RATE = "2/day"  # type: ignore[attr-defined]
    settings.REDIS_URL = url  # type: ignore[attr-defined]
    program = Program(house.anna)
    here.__init__()  # type: ignore[misc]  # other tests have counted
    try:
        answers = [program.get("/contacts/").status for _ in range(3)]
    finally:
        quickredis.breaker.reset()

    assert answers == [200, 200, 429]


def test_a_rate_that_makes_no_sense_is_refused() -> None:
    assert rate_of("600/minute").requests == 600
    for text in ("", "600", "0/minute", "-1/minute", "600/week", "many"):
        with pytest.raises(ImproperlyConfigured):
            rate_of(text)
