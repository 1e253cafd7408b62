"""Who must know what, and who does: requirements, the matrix of people and versions, records, files."""

from __future__ import annotations

import csv
import html
import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from notifications.models import Notification
from staff.models import Role, User
from tests.house import START, House, after
from tests.pages.acting import as_, queries
from tests.training.test_learning import attempt, published, required
from training import enrolling
from training.models import Attempt, Enrollment, EnrollmentEnd, ProcedureVersion, Requirement

pytestmark = pytest.mark.django_db
PEOPLE = "/training/people/"
REQUIRED = "/training/ticket-escalation/people/"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(after(days=20), tick=False) as traveller:
        yield traveller


def text(response: Any) -> str:
    return " ".join(html.unescape(response.content.decode()).split())


def lines(client: Client, query: str = "") -> list[dict[str, str]]:
    response = client.get(f"{PEOPLE}csv/?{query}")
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert body.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))


@pytest.fixture
def second(house: House) -> ProcedureVersion:
    """Anna completed both versions, Ben the first; Ben, Priya, Mei and Jonas are overdue."""
    first = published(valid_days="19")
    required(role=Role.AGENT, days=5)
    enrolling.enrol_everywhere(now=START)
    for person in (house.anna, house.ben):
        attempt(person, first, right=True, now=after(hours=1))
    newer = published(now=after(days=2))
    attempt(house.anna, newer, right=False, now=after(days=3))
    attempt(house.anna, newer, right=True, now=after(days=4))
    return newer


def test_a_manager_sees_everybody_and_a_lead_those_of_their_teams(
    house: House, second: ProcedureVersion
) -> None:
    page = text(as_(house.helen).get(PEOPLE))
    for name in ("Anna Keller", "Priya Nair", "Marco Ruiz", "Sam Okafor"):
        assert name in page
    own = text(as_(house.marco).get(PEOPLE))
    assert "Anna Keller" in own
    assert "Ben Osei" in own
    assert "Priya Nair" not in own
    assert as_(house.anna).get(PEOPLE).status_code == 403
    assert [line["name"] for line in lines(as_(house.marco))] == [
        "Anna Keller",
        "Ben Osei",
        "Marco Ruiz",
    ]


def test_a_cell_says_completed_expired_asked_or_overdue(
    house: House, second: ProcedureVersion
) -> None:
    by_name = {line["name"]: line for line in lines(as_(house.helen))}
    anna, ben = by_name["Anna Keller"], by_name["Ben Osei"]
    assert (anna["v1"], anna["v1 score"], anna["v2"]) == ("expired", "100", "completed")
    assert anna["v2 day"] == "2026-11-28"
    assert (ben["v1"], ben["v2"], ben["v2 day"]) == ("expired", "overdue", "2026-12-01")
    assert by_name["Helen Brandt"]["v2"] == ""
    page = text(as_(house.helen).get(PEOPLE))
    assert "28 Nov · 100 %" in page
    assert "overdue 1 Dec" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("standing=overdue", ["Ben Osei", "Jonas Weil", "Mei Tanaka", "Priya Nair"]),
        ("standing=current", ["Anna Keller"]),
        ("standing=expired", ["Ben Osei"]),
        ("standing=overdue&name=EI", ["Ben Osei", "Jonas Weil", "Mei Tanaka"]),
        ("role=manager", ["Helen Brandt"]),
        ("name=KELL", ["Anna Keller"]),
        ("standing=asked", []),
    ],
)
def test_the_filter_finds(
    house: House, second: ProcedureVersion, query: str, names: list[str]
) -> None:
    assert [line["name"] for line in lines(as_(house.helen), query)] == names


def test_the_teams_one_may_filter_by_are_those_one_answers_for(
    house: House, second: ProcedureVersion
) -> None:
    query = f"team={house.integrations.pk}"
    assert {line["name"] for line in lines(as_(house.helen), query)} == {
        "Priya Nair",
        "Mei Tanaka",
        "Grace Lim",
    }
    assert as_(house.marco).get(f"{PEOPLE}?{query}").status_code == 400


def test_a_file_holds_no_formula(house: House, second: ProcedureVersion) -> None:
    User.objects.filter(pk=house.anna.pk).update(name='=HYPERLINK("http://evil.example")')
    [line] = lines(as_(house.helen), "standing=current")
    assert line["name"] == '\'=HYPERLINK("http://evil.example")'


def test_the_button_reminds_who_is_overdue_among_those_that_are_shown_once_a_day(
    house: House, second: ProcedureVersion
) -> None:
    client = as_(house.marco)
    for _press in range(2):
        client.post(f"{PEOPLE}remind/", {"procedure": "ticket-escalation"})
    reminded = Notification.objects.filter(kind="staff_training_reminder")
    assert [each.readers for each in reminded] == [[house.ben.pk]]


def test_the_matrix_takes_as_many_queries_for_fifty_people_as_for_one(
    house: House, second: ProcedureVersion
) -> None:
    client = as_(house.helen)
    few = queries(client, f"{PEOPLE}?name=Anna")
    for number in range(60):
        house.person(f"P{number} Person", house.emea)
    enrolling.enrol_everywhere(now=after(days=3))
    many = queries(client, PEOPLE)
    assert len(many) == len(few) <= 14
    assert text(client.get(PEOPLE)).count('<th scope="row">') == 50
    assert "Ben Osei" in text(client.get(f"{PEOPLE}?page=1"))
    assert "Priya Nair" in text(client.get(f"{PEOPLE}?page=2"))


def test_a_lead_requires_it_of_a_team_they_lead_and_lets_them_off_again(
    house: House,
) -> None:
    version = published()
    client = as_(house.marco)
    refused = client.post(REQUIRED, {"team": house.integrations.pk, "due_days": 5})
    assert refused.status_code == 422
    assert client.post(REQUIRED, {"due_days": 5}).status_code == 422
    client.post(REQUIRED, {"team": house.emea.pk, "due_days": 5})
    asked = Enrollment.objects.filter(version=version, ended_at=None)
    assert {each.user for each in asked} == {house.anna, house.ben, house.marco}
    assert {each.due_at for each in asked} == {after(days=25)}

    requirement = Requirement.objects.get()
    assert as_(house.grace).post(f"{REQUIRED}{requirement.pk}/lift/").status_code == 302
    assert Requirement.objects.exists(), "another team's lead lets nobody off"
    client.post(f"{REQUIRED}{requirement.pk}/lift/")
    assert {each.end for each in Enrollment.objects.all()} == {EnrollmentEnd.NOT_REQUIRED}
    assert "It is required of nobody." in text(client.get(REQUIRED))


def test_a_manager_requires_it_of_everybody_of_a_role_or_tier(house: House) -> None:
    published()
    client = as_(house.helen)
    client.post(REQUIRED, {"role": Role.MANAGER, "due_days": 3})
    client.post(REQUIRED, {"tier": house.tiers[2].pk, "due_days": 3})
    asked = {each.user for each in Enrollment.objects.filter(ended_at=None)}
    assert asked == {house.helen, house.jonas, house.lena}
    # The same once more is the same requirement, with other days.
    client.post(REQUIRED, {"role": Role.MANAGER, "due_days": 9})
    assert sorted(Requirement.objects.values_list("due_days", flat=True)) == [3, 9]


def test_one_person_is_asked_by_hand_until_the_end_of_a_day(house: House) -> None:
    version = published()
    client = as_(house.marco)
    assert (
        client.post(f"{REQUIRED}ask/", {"person": house.priya.pk, "due": "2026-12-20"}).status_code
        == 422
    )
    client.post(f"{REQUIRED}ask/", {"person": house.ben.pk, "due": "2026-12-20"})
    asked = Enrollment.objects.get(user=house.ben, version=version)
    assert asked.due_at == START.replace(day=20, month=12, hour=23, minute=59, second=59)
    assert "20 Dec" in text(client.get(PEOPLE))
    assert lines(client, "name=Ben")[0]["v1 day"] == "2026-12-20"
    assert "by Marco Ruiz" in text(client.get(f"{PEOPLE}{house.ben.pk}/"))
    again = client.post(f"{REQUIRED}ask/", {"person": house.ben.pk, "due": "2026-12-21"})
    assert "Ben Osei is asked already." in text(again)


def test_a_record_says_what_was_asked_tried_and_completed_to_oneself_and_ones_leads(
    house: House, second: ProcedureVersion
) -> None:
    own = text(as_(house.anna).get("/training/ticket-escalation/record/"))
    assert "100 % (attempt 2)" in own
    assert "not passed" in own
    assert "completed, " in own
    by_lead = as_(house.marco).get(f"{PEOPLE}{house.anna.pk}/")
    assert "100 % (attempt 2)" in text(by_lead)
    assert as_(house.grace).get(f"{PEOPLE}{house.anna.pk}/").status_code == 404
    assert as_(house.ben).get(f"{PEOPLE}{house.anna.pk}/").status_code == 403
    assert "attempt 2" not in text(as_(house.ben).get("/training/ticket-escalation/record/"))


def test_the_answers_of_an_attempt_are_read_by_the_leads_of_who_gave_them_and_nobody_else(
    house: House, second: ProcedureVersion
) -> None:
    failed = Attempt.objects.get(user=house.anna, version=second, passed=False)
    address = f"{PEOPLE}{house.anna.pk}/attempts/{failed.pk}/"
    by_lead = as_(house.marco)
    assert address in by_lead.get(f"{PEOPLE}{house.anna.pk}/").content.decode()
    page = text(by_lead.get(address))
    assert "Ticket escalation, version 2: attempt 1" in page
    course = second.course("en")
    for answer in failed.answers.all():
        question = course.question_by_key[answer.question]
        assert question.title in page
        for place in answer.given:
            assert question.options[place].text in page
    assert len(queries(by_lead, address)) <= 12
    assert as_(house.grace).get(address).status_code == 404
    assert as_(house.ben).get(address).status_code == 403
    # Somebody else's attempt is not found beside a person one answers for.
    other = Attempt.objects.filter(user=house.ben).latest("pk")
    assert by_lead.get(f"{PEOPLE}{house.anna.pk}/attempts/{other.pk}/").status_code == 404
    own = as_(house.anna).get("/training/ticket-escalation/record/").content.decode()
    assert f"/training/ticket-escalation/check/{failed.pk}/" in own


def test_the_record_of_who_left_stays(house: House, second: ProcedureVersion) -> None:
    User.objects.filter(pk=house.anna.pk).update(is_active=False)
    assert "100 % (attempt 2)" in text(as_(house.helen).get(f"{PEOPLE}{house.anna.pk}/"))
    assert not lines(as_(house.helen), "name=Anna")


def test_a_record_is_paged(house: House, second: ProcedureVersion) -> None:
    started = after(days=1)
    Enrollment.objects.bulk_create(
        Enrollment(
            user=house.anna,
            version=second,
            enrolled_at=started + timedelta(minutes=number),
            ended_at=started + timedelta(minutes=number),
            end=EnrollmentEnd.NOT_REQUIRED,
        )
        for number in range(60)
    )
    client = as_(house.helen)
    address = f"{PEOPLE}{house.anna.pk}/"
    assert text(client.get(address)).count("no longer required") == 49
    assert "?page=2" in text(client.get(address))
    assert "?page=3" not in text(client.get(f"{address}?page=2"))
    assert len(queries(client, address)) <= 14
